"""Where in the application requests wait, and the limits of libraries that are reached, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.model.call import Calls
from holdfast.model.waiting import Library, Waiting

_MOST_SHOWN = 5


def before_view(waiting: Sequence[Waiting], libraries: Sequence[Library]) -> Iterator[str]:
    """Where requests wait before their view, one sentence for each place; then the libraries' limits that are full."""
    yield from _places([each for each in waiting if each.phase == "ramp"], ("request", "requests"))
    for each in libraries:
        if each.limit is not None and each.in_use >= each.limit * each.processes:
            several = f" in each of {each.processes} processes" if each.processes > 1 else ""
            yield f"{each.name}: all {each.limit}{several} are in use." if each.limit > 1 else f"{each.name}: in use."


def in_view(waiting: Sequence[Waiting], calls: Calls) -> Iterator[str]:
    """Where bodies wait inside their view, one sentence for each place; then how many run meanwhile."""
    places = list(_places([each for each in waiting if each.phase == "call"], ("body", "bodies")))
    yield from places
    if places and calls.running is not None:
        yield f"Meanwhile {calls.running} of the called bodies ran: the application itself lets no more run there."


def _places(waiting: Sequence[Waiting], names: tuple[str, str]) -> Iterator[str]:
    for each in waiting[:_MOST_SHOWN]:
        who = f"{each.requests} {names[0] + ' waits' if each.requests == 1 else names[1] + ' wait'}"
        behind = f" ({each.waits_in})" if each.waits_in else ""
        if each.file is not None:
            yield f"{who} at {each.file}:{each.line} in {each.function}{behind}."
        elif each.waits_in is not None:
            yield f"{who} in {each.waits_in}, in no code of your own."
        else:
            yield f"{who} in no code of your own."
