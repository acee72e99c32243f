"""The load that options mean: words of a command line -> a group of the model; pure."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import Any

from holdfast.loadtest.run import MOST_REQUESTS
from holdfast.model.scenario import (
    Burst,
    Check,
    Clients,
    DataRows,
    Group,
    Pause,
    Rise,
    Shape,
    Slot,
    Spread,
    Stages,
    Step,
    Text,
    Timeouts,
)

SHAPES = "--requests N --over S, --rate R --for S, --ramp A:B/S, --stages R:S,R:S, --burst N or --clients N"
_SLOT = re.compile(r"\{(\w+)\}")


def group_of(url: str, path: str, given: Mapping[str, Any], *, body: bytes | None, data: DataRows | None) -> Group:
    """The one group of clients that these options describe.

    Args:
        given: values of the options, by name.
        body: of each request.
        data: values of slots that are named as its columns.

    Raises:
        ValueError: they do not go together.
    """
    shape = shape_of(given)
    names = ("id", *(data.names if data else ()))
    if unknown := [name for name in _SLOT.findall(path) if name not in names]:
        raise ValueError(
            f"{{{unknown[0]}}} in the path stands for nothing: there is {', '.join(f'{{{name}}}' for name in names)}. "
            "A brace that is meant as one is written %7B."
        )
    method = given["method"] or ("GET" if body is None else "POST")
    step = Step(
        label=f"{method} {path}",
        path=slotted(path, names),
        method=method,
        headers=tuple((name, slotted(value, names)) for name, value in given["headers"]),
        body=_slotted_body(body, names),
        expected=frozenset(given["expected"]) or None,
        checks=checks_of(given),
        pause=given["think"] or Pause(),
    )
    keep_alive = given["keep_alive"]
    return Group(
        name=url,
        url=url,
        steps=(step,),
        shape=shape,
        values=(data,) if data else (),
        timeouts=Timeouts(given["connect_s"], given["first_byte_s"], given["patience_s"]),
        keep_alive=isinstance(shape, Clients) if keep_alive is None else keep_alive,
    )


def checks_of(given: Mapping[str, Any]) -> tuple[Check, ...]:
    """What these options want of the body of an answer."""
    texts = tuple(Check(text) for text in given["body_texts"])
    return texts + tuple(Check(text, pattern=True) for text in given["body_patterns"])


def arrivals_of(shape: Spread | Stages | Rise | Burst) -> int:
    """About how many clients come in the open model."""
    if isinstance(shape, Rise):
        return math.ceil((shape.from_per_s + shape.to_per_s) / 2 * shape.for_s)
    if not isinstance(shape, Stages):
        return shape.requests
    many = math.ceil(sum(rate * seconds for rate, seconds in shape.stages))
    return many if shape.requests is None else min(many, shape.requests)


def slotted(text: str, names: Collection[str]) -> Text:
    """A text whose `{name}` are slots, where the name is known; other braces stay as they are."""
    parts: list[str | Slot] = []
    end = 0
    for found in _SLOT.finditer(text):
        if found[1] in names:
            parts += [text[end : found.start()], Slot(found[1])]
            end = found.end()
    return (*parts, text[end:]) if parts else text


def _slotted_body(body: bytes | None, names: Collection[str]) -> bytes | Text | None:
    if body is None:
        return None
    try:
        text = slotted(body.decode(), names)
    except UnicodeDecodeError:
        return body
    return body if isinstance(text, str) else text


def shape_of(given: Mapping[str, Any]) -> Shape:  # noqa: C901, PLR0912 - a line for each shape and mistake
    """Which shape the options mean.

    Raises:
        ValueError: none, several, or one without what belongs to it.
    """
    requests_, over_s, for_s = given["requests"], given["over_s"], given["for_s"]
    chosen = [name for name in ("rate", "ramp", "stages", "burst", "clients") if given[name] is not None]
    if over_s is not None or (requests_ is not None and not chosen):
        chosen.append("over")
    if len(chosen) != 1:
        what = "No load is asked for" if not chosen else f"These exclude each other: {', '.join(map(_option, chosen))}"
        raise ValueError(f"{what}. Give one of {SHAPES}.")
    (shape,) = chosen
    if given["poisson"] and shape not in ("rate", "stages"):
        raise ValueError("--poisson goes with --rate or --stages.")
    if given["think"] is not None and shape != "clients":
        raise ValueError("--think goes with --clients: in the open model nobody waits for anybody.")
    if requests_ is not None and shape not in ("over", "clients", "rate"):
        raise ValueError(f"--requests does not go with {_option(shape)}, which says how many.")
    if for_s is not None and shape not in ("rate", "clients"):
        raise ValueError(f"--for does not go with {_option(shape)}, which says how long.")
    if shape == "over":
        if requests_ is None or over_s is None:
            raise ValueError("--requests N and --over S go together.")
        return Spread(requests_, over_s)
    if shape == "rate":
        if for_s is None and requests_ is None:
            raise ValueError("--rate R needs --for S or --requests N.")
        if not given["rate"]:
            raise ValueError("That is no request at all.")
        if for_s is None:
            # Arrivals by chance may take longer than their number at the mean rate does.
            for_s = (2 if given["poisson"] else 1) * (requests_ + 10 * requests_**0.5) / given["rate"]
        stages = Stages(((given["rate"], for_s),), given["poisson"], requests_)
        return _enough(stages, min(given["rate"] * for_s, requests_ or math.inf))
    if shape == "ramp":
        first, last, seconds = given["ramp"]
        return _enough(Rise(first, last, seconds), (first + last) / 2 * seconds)
    if shape == "stages":
        many = sum(rate * seconds for rate, seconds in given["stages"])
        return _enough(Stages(given["stages"], given["poisson"]), many)
    if shape == "burst":
        return Burst(given["burst"])
    if requests_ is None and for_s is None:
        raise ValueError("--clients N needs --for S or --requests N.")
    if for_s == 0:
        raise ValueError("That is no request at all.")
    return Clients(given["clients"], requests_, for_s)


def _enough(shape: Shape, requests_: float) -> Shape:
    if requests_ > MOST_REQUESTS:
        raise ValueError(f"That is {requests_:,.0f} requests, more than {MOST_REQUESTS:,}.")
    if requests_ <= 0:
        raise ValueError("That is no request at all.")
    return shape


def _option(shape: str) -> str:
    return f"--{shape}"
