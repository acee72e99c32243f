"""Journeys that are over -> what is told of them besides what any load tells; pure."""

from __future__ import annotations

import contextlib
from array import array
from collections import Counter
from collections.abc import Iterator

from holdfast.engine.collect import LoadRun
from holdfast.engine.packing import taken
from holdfast.engine.particulars import Kind, Particulars, Texts
from holdfast.engine.summary import distribution, latency_ms
from holdfast.engine.url import parse_url
from holdfast.errors import UsageError
from holdfast.loadtest.journey_plans import known_origins
from holdfast.model.journey import Journeys
from holdfast.model.load import TransactionResult
from holdfast.model.places import Outcome

_SHOWN_ORIGINS = 5
_SHOWN_REASONS = 3


def rows_of_labels(run: LoadRun) -> dict[str, array[int]]:
    """The rows of each label, in the order in which labels first came."""
    known = _known(run)
    # Eight bytes for each row, not forty.
    rows: dict[int, array[int]] = {}
    for row in run.begun:
        label = known.label[row]
        if label not in rows:
            rows[label] = array("q")
        rows[label].append(row)
    return {known.texts[label]: own for label, own in rows.items()}


def transactions(run: LoadRun) -> tuple[TransactionResult, ...]:
    """The results of requests that were a result together, for each label."""
    known = _known(run)
    grouped, many = known.grouped, len(known.grouped)
    took: dict[int, array[int]] = {}
    answered: dict[int, int] = {}
    for label, each_ns, held in zip(grouped.label[:many], grouped.took_ns[:many], grouped.answered[:many], strict=True):
        if label not in took:
            took[label] = array("q")
        took[label].append(each_ns)
        answered[label] = answered.get(label, 0) + held
    return tuple(
        TransactionResult(known.texts[label], len(own), answered[label], latency_ms(distribution(own)))
        for label, own in took.items()
    )


def embedded(run: LoadRun) -> int:
    """How many requests were made because a page embeds what they fetch."""
    # Of rows that were not given out, it is 0.
    return bytes(_known(run).kind[: _reach(run)]).count(Kind.EMBEDDED)


def reasons(run: LoadRun) -> Iterator[str]:
    """Why requests were not answered, where that is known in words: the most frequent reasons first, as warnings."""
    known, outcome = _known(run), run.columns.outcome
    found = Counter(
        (outcome[row], known.label[row], known.why[row])
        for row in run.begun
        if known.why[row] and outcome[row] != Outcome.ANSWERED
    )
    # A text from an answer can be another one each time.
    for (value, label, why), many in found.most_common(_SHOWN_REASONS):
        yield f"{many:,} {Outcome(value).label}, {known.texts[label]}: {known.texts[why].rstrip('.')}."
    rest = found.total() - sum(many for _, many in found.most_common(_SHOWN_REASONS))
    if rest:
        yield f"{rest:,} more were not answered for other reasons; --jtl writes each."


def urls_of(journeys: Journeys, run: LoadRun | None) -> str:
    """Where the journeys lead, as one text.

    Args:
        run: None before there is one; after it, servers that only values named are known as well.
    """
    origins = known_origins(journeys)
    if not origins and run is not None and run.particulars is not None:
        origins = tuple(dict.fromkeys(_origins(run.particulars.texts, run)))[:_SHOWN_ORIGINS]
    return ", ".join(origins)


def title_of(journeys: Journeys) -> str:
    """What was asked, in one line."""
    crews = ", ".join(f"{crew.name}: {_clients(len(crew.stays), is_open=crew.open)}" for crew in journeys.crews)
    where = urls_of(journeys, None)
    # The options of a command line name a crew by its URL.
    return crews if where and crews.startswith(where) else f"{where} {crews}".strip()


def _clients(many: int, *, is_open: bool) -> str:
    noun = "arrival" if is_open else "client"
    return f"{many:,} {noun}{'' if many == 1 else 's'}"


def _origins(texts: Texts, run: LoadRun) -> Iterator[str]:
    assert run.particulars is not None
    for number in dict.fromkeys(taken(run.particulars.url, run.begun) if run.begun else ()):
        # What could not be sent need not be a URL.
        with contextlib.suppress(UsageError):
            yield parse_url(texts[number]).server


def _reach(run: LoadRun) -> int:
    return run.begun[-1] + 1 if run.begun else 0


def _known(run: LoadRun) -> Particulars:
    assert run.particulars is not None
    return run.particulars
