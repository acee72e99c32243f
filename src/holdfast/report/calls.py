"""What the bodies of views did when they were run, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from holdfast.model.call import Body, Calls

_SLOW_MS = 100.0
"""What asyncio's debug mode calls a slow callback (`loop.slow_callback_duration`, 0.1 s)."""

_LONGER = 1.5
"""So many times as long as alone is longer than bodies take that wait for none of the others."""


def sentences(calls: Calls, unknown: Mapping[str, str]) -> Iterator[str]:
    """Each finding as one sentence."""
    yield f"Called alone, the body {_alone(calls.alone)}."
    if calls.bodies:
        ran = "one at a time" if calls.at_once == 1 else f"up to {calls.at_once} at once"
        if calls.at_once is None:
            ran = f"how many at once was not measured ({unknown['call.at_once']})"
        if calls.at_once == calls.bodies > 1:
            ran = "all of them had begun before one ended" if _may_have_waited(calls) else "all of them at once"
        processes = f", in {calls.processes} processes" if calls.processes and calls.processes > 1 else ""
        took = "" if calls.duration_ms is None else f"; each took {_ms(calls.duration_ms.median)} (median)"
        yield f"Called together, {_count(calls.bodies)} ran: {ran}{processes}{took}."
    if calls.stop_ms is not None:
        longest = "at least one was still blocking its loop when last seen"
        if calls.longest_stop_ms is not None:
            longest = f"the longest block was {_ms(calls.longest_stop_ms)}"
        yield f"Each body blocked its event loop for up to {_ms(calls.stop_ms.median)} (median); {longest}."
        if calls.loop == "own":
            yield "That loop had been made for this request alone, so no other request waited for it."
        if calls.loop == "shared" and (calls.longest_stop_ms is None or calls.longest_stop_ms >= _SLOW_MS):
            yield "While a loop is blocked, nothing else on it runs: no other request, no health check, no timeout."
    elif "call.stop_ms" in unknown:
        yield f"Blocking of an event loop: not measured, because {unknown['call.stop_ms']}."
    if calls.raised or set(calls.replies) - {"200"}:
        replies = ", ".join(f"{count} x {status}" for status, count in sorted(calls.replies.items()))
        yield f"{calls.raised} of {_count(calls.finished)} raised; replies: {replies or 'none'}."


def _may_have_waited(calls: Calls) -> bool:
    """Whether bodies that had begun did not all run: fewer were seen to, or they took longer than the one alone."""
    together, alone = calls.duration_ms, calls.alone.duration_ms
    longer = together is not None and alone is not None and together.median > _LONGER * alone
    return longer or calls.running is not None


def _alone(body: Body) -> str:
    unended = "did not end" if body.status is None else f"did not return, though {body.status} had been answered"
    took = unended if body.duration_ms is None else f"took {_ms(body.duration_ms)}"
    raised = " and raised" if body.raised else ""
    blocked = (
        "" if body.longest_stop_ms is None else f"; it blocked its event loop for up to {_ms(body.longest_stop_ms)}"
    )
    return f"{took}{raised}{blocked}"


def _count(bodies: int) -> str:
    return f"{bodies} {'body' if bodies == 1 else 'bodies'}"


def _ms(ms: float) -> str:
    """Three digits or so: 0.021 ms, 2.3 ms, 203 ms."""
    return f"{ms:.0f} ms" if ms >= 100 else f"{ms:.3g} ms"
