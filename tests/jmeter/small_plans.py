"""Reads small JMeter plans, written with the words of `plans.writing`, and walks them on a clock that jumps."""

from __future__ import annotations

from journeys.walks import Answers, Done, fine, walked
from plans.writing import element, plan, text

from holdfast.jmeter.reading import JourneysRead, read_journeys
from holdfast.model.journey import Journeys, Stay


def read(
    below: str, *properties: str, files: dict[str, bytes] | None = None, most_s: float | None = None, **given: str
) -> JourneysRead:
    """What holdfast makes of a plan with these elements."""
    return read_journeys(
        plan(below, *properties),
        "test.jmx",
        read_file=({} if files is None else files).__getitem__,
        properties=given,
        most_s=most_s,
    )


def sent(below: str, *properties: str, answers: Answers = fine, took_ms: float = 1.0, **more: object) -> Done:
    """What the clients of a plan send, stage after stage."""
    journeys = read(below, *properties, **more).journeys  # type: ignore[arg-type]
    return walked(*journeys.crews, answers=answers, took_ms=took_ms, journeys=journeys)


def paths(below: str, **more: object) -> str:
    """The paths of what is sent, in order, without their slash."""
    return " ".join(path.removeprefix("/") for path in sent(below, **more).paths)  # type: ignore[arg-type]


def stays(below: str, **more: object) -> tuple[Stay, ...]:
    """When the clients of a plan's one thread group come and go."""
    journeys: Journeys = read(below, **more).journeys  # type: ignore[arg-type]
    (crew,) = journeys.crews
    return crew.stays


def controller(kind: str, below: str, **said: str) -> str:
    """A controller, with its properties by their names."""
    return element(kind, kind, *[text(name.replace("__", "."), value) for name, value in said.items()], below=below)
