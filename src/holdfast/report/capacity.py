"""A search for the highest rate that holds, for a person's terminal."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.model.capacity import AtRate, Capacity
from holdfast.report.layout import Column, Indent, Renderable, Stack, Table, Text, doubt
from holdfast.report.load import milliseconds

_COLOURS = {"edge": "bold green", "at least": "bold yellow"}


def render_capacity(found: Capacity) -> Renderable:
    """The whole result, as a person reads it."""
    parts: list[Renderable] = [Text(found.target, style="bold"), Text(), Indent(headline(found), 2), Text()]
    parts += [Indent(Text(line), 2) for line in sentences(found)]
    if found.loads:
        parts += [Text(), _loads(found), *(Indent(Text(each), 2) for each in _notes(found))]
    if found.warnings:
        parts.append(Text())
        parts += map(doubt, found.warnings)
    return Stack(*parts)


def headline(found: Capacity) -> Text:
    """The rate, and of what it is the highest."""
    if found.rate_per_s is None:
        return Text("no rate", style="bold red").append("  " + found.words, style="not bold")
    how = "" if found.bounded else "at least "
    text = Text(f"{how}{found.rate_per_s:,g} requests a second", style=_COLOURS.get(found.status, "bold yellow"))
    return text.append(f"  with {' and '.join(found.thresholds)}", style="not bold")


def sentences(found: Capacity) -> Iterator[str]:
    """What is known of the edge, and what waits beyond it."""
    if found.rate_per_s is not None:
        yield found.words
    # What ended the whole search says nothing of that rate, and was said above.
    of_rate = bool(found.ended_by) and str(found.ended_by) not in found.words
    if of_rate and found.interval.high is not None and found.status != "at least":
        yield f"At {found.interval.high:,g}/s, {found.ended_by}."
    if found.place is not None:
        yield f"Full: {found.place.words}."
        yield from found.place.evidence
    elif "place" in found.unknown and found.loads:
        yield f"What is full is not known: {found.unknown['place'].rstrip('.')}."
    if (waiting := waits(found)) is not None:
        yield waiting
    if found.explain and found.place is not None:
        yield f"Which setting decides: {found.explain}"
    if found.alone_ms is not None:
        yield f"A single request takes {milliseconds(found.alone_ms)} ms."


def waits(found: Capacity) -> str | None:
    """Where requests wait beyond the edge; None where that was not seen."""
    if found.waiting is None or found.watched is None:
        return None
    counted = [
        f"{number} {where}"
        for number, where in (
            (found.waiting.in_service, "in handlers"),
            (found.waiting.userspace_queue, "accepted and in no handler"),
            (found.waiting.accept_queue, "not accepted"),
            (found.waiting.syn, "without a connection"),
        )
        if number is not None
    ]
    if not counted:
        return None
    return f"Requests at {found.watched.load.rate_per_s:,.4g}/s (medians): {', '.join(counted)}."


HEADS = ("rate, /s", "for, s", "p50, ms", "p99, ms", "errors", "answered, /s", "result")


def row_of(each: AtRate) -> tuple[str, ...]:
    """One load as a line of the table."""
    errors = each.offered - each.outcomes.get("answered", 0)
    times = each.latency_from_due_ms
    answered = "-" if each.answered_per_s is None else f"{each.answered_per_s:,.1f}"
    result = "holds" if each.held else each.why
    if each.limited:
        result = f"says nothing: {each.limited}"
    return (
        f"{each.rate_per_s:,g}",
        f"{each.seconds:.3g}",
        milliseconds(times.p50),
        milliseconds(times.p99),
        str(errors),
        answered,
        result,
    )


def _loads(found: Capacity) -> Table:
    """The loads; why one says nothing is a sentence, which a column would tear to pieces, and comes as a note."""
    table = Table(*(Column(f"  {each}" if not at else each, right=at < 6) for at, each in enumerate(HEADS)))
    limits = _limits(found)
    for each in found.loads:
        style = "yellow" if each.limited else "" if each.held else "red"
        *cells, result = row_of(each)
        if each.limited:
            result = f"says nothing ({limits.index(each.limited) + 1})"
        table.add_row(*cells, Text(result, style=style))
    return table


def _limits(found: Capacity) -> list[str]:
    return list(dict.fromkeys(each.limited for each in found.loads if each.limited))


def _notes(found: Capacity) -> Iterator[str]:
    yield from (f"({number}) {words}" for number, words in enumerate(_limits(found), 1))
