"""What running the bodies of views has shown, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from holdfast.model.verdict import Body, Calls

_SLOW_MS = 100.0
"""What asyncio's debug mode calls a slow callback (`loop.slow_callback_duration`, 0.1 s)."""


def sentences(calls: Calls, unknown: Mapping[str, str]) -> Iterator[str]:
    """What a person reads of it."""
    yield f"Called alone, the body {_alone(calls.alone)}."
    if calls.at_once is not None:
        ran = "1 ran at a time" if calls.at_once == 1 else f"up to {calls.at_once} ran at once"
        if calls.at_once == calls.bodies > 1:
            ran = "all of them ran at once"
        processes = f", in {calls.processes} processes" if calls.processes and calls.processes > 1 else ""
        took = "" if calls.duration_ms is None else f"; each took {_ms(calls.duration_ms.median)} (median)"
        yield f"Called together, {_count(calls.bodies)} ran: {ran}{processes}{took}."
    if calls.stop_ms is not None and calls.longest_stop_ms is not None:
        yield (
            f"Each body stopped its event loop for {_ms(calls.stop_ms.median)} (longest stop, median); "
            f"the longest of all was {_ms(calls.longest_stop_ms)}."
        )
        if calls.loop == "own":
            yield "That loop had been made for this request alone, so nobody else waited for it."
        if calls.loop == "shared" and calls.longest_stop_ms >= _SLOW_MS:
            yield "While a loop is stopped, nothing else on it runs: no other request, no health check, no time-out."
    elif "call.stop_ms" in unknown:
        yield f"No figure of how long a body stops an event loop: {unknown['call.stop_ms']}."
    if calls.raised or set(calls.replies) - {"200"}:
        replies = ", ".join(f"{count} x {status}" for status, count in sorted(calls.replies.items()))
        yield f"{calls.raised} of {_count(calls.finished)} raised; replies: {replies or 'none'}."


def _alone(body: Body) -> str:
    took = "did not end" if body.duration_ms is None else f"took {_ms(body.duration_ms)}"
    raised = " and raised" if body.raised else ""
    stopped = "" if body.longest_stop_ms is None else "; its longest stop of the event loop was "
    return f"{took}{raised}{stopped}{'' if body.longest_stop_ms is None else _ms(body.longest_stop_ms)}"


def _count(bodies: int) -> str:
    return f"{bodies} {'body' if bodies == 1 else 'bodies'}"


def _ms(ms: float) -> str:
    """Three digits or so: 0.021 ms, 2.3 ms, 203 ms."""
    return f"{ms:.0f} ms" if ms >= 100 else f"{ms:.3g} ms"
