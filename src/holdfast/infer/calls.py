"""What the bodies of views did when they were run: how many at once, how long, and for how long they blocked a loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from holdfast.infer.known import NOT_SO_FAR, Known, Unknown, because
from holdfast.infer.signals import most_at_once
from holdfast.infer.waiting import running_in
from holdfast.model.call import Body, Call, Calls, Spread
from holdfast.model.frozen import frozen
from holdfast.model.phase import Phase
from holdfast.model.places import REPLIED, Outcome
from holdfast.model.ranks import MEDIAN, percentile
from holdfast.model.timeline import NEVER, Request, Timeline
from holdfast.model.units import MS, NS_PER_S
from holdfast.model.verdict import CALL_NOT_ASKED, Ceiling

_LOST = frozenset({Outcome.CLOSED, Outcome.RESET})
_CALLED = frozenset({Phase.CALLED_ALONE, Phase.CALLED_TOGETHER})
_SWITCH_MS = 5.0
_BLOCKING = "a body was still blocking its event loop when it was last seen"
_NO_STOP = {
    "no loop": "it ran on a thread without an event loop, so there was none to block",
    "unseen": "the body is a coroutine that callbacks run piece by piece, which holdfast cannot time",
}


@frozen
class _Together:
    """The bodies that were called together.

    Attributes:
        ended: those of `calls` that came to their end.
        none: why none began; "" where some did.
        unended: why none ended, `none` included.
        unseen: why it was not seen for how long they blocked a loop, `unended` included.
    """

    requests: Sequence[Request]
    calls: Sequence[Call]
    ended: Sequence[Call]
    none: str
    unended: str
    unseen: str


def calls_of(timeline: Timeline) -> Known[Calls | None]:
    """The figures of all bodies that were run."""
    if not timeline.experiment.call:
        return Known(None, {"call": CALL_NOT_ASKED})
    first = next((each for each in timeline.calls if each.phase is Phase.CALLED_ALONE), None)
    if first is None:
        return Known(None, {"call": _why_none(timeline)})
    unknown = Unknown()
    replies = {request.id: request for request in timeline.requests if request.phase in _CALLED}
    alone = unknown.take(_alone(first, replies.get(first.id), _time_over(timeline)))
    together = _together(timeline, first, replies)
    unseen: Known[int | None] = Known(None, because(together.none, ("call.running",)))
    running = unseen if together.none else running_in(timeline)
    figures = replace(unknown.take(_figures(together, alone)), running=unknown.take(running))
    return Known(figures, unknown.reasons)


def _together(timeline: Timeline, first: Call, replies: Mapping[int, Request]) -> _Together:
    calls = [each for each in timeline.calls if each.phase is Phase.CALLED_TOGETHER]
    ended = [each for each in calls if each.ended_ns != NEVER]
    none = _why_none_together(first, calls)
    unended = none or _why_none_ended(calls, ended, replies, _time_over(timeline))
    return _Together(
        requests=[each for each in replies.values() if each.phase is Phase.CALLED_TOGETHER],
        calls=calls,
        ended=ended,
        none=none,
        unended=unended,
        unseen=unended or next((_NO_STOP[each.timing] for each in calls if each.timing in _NO_STOP), ""),
    )


def _figures(together: _Together, alone: Body) -> Known[Calls]:
    calls, ended, unseen = together.calls, together.ended, together.unseen
    most, doubtful = _most_at_once(together)
    loop = None if unseen else _loop(calls)
    stops = [] if unseen else ended
    blocking = _BLOCKING if not unseen and any(each.stopping_since_ns != NEVER for each in calls) else ""
    no_loop = "" if loop else unseen or "some of the bodies had an event loop of their own and others did not"
    unknown = {
        **because(together.none or doubtful, ("call.at_once",)),
        **because(together.none, ("call.processes",)),
        **because(together.unended, ("call.duration_ms",)),
        **because(unseen, ("call.longest_stop_ms", "call.stop_ms", "call.stopped_ms")),
        **because(blocking, ("call.longest_stop_ms",)),
        **because(no_loop, ("call.loop",)),
    }
    figures = Calls(
        offered=len(together.requests),
        bodies=len(calls),
        finished=len(ended),
        raised=sum(each.raised for each in ended),
        replies=dict(Counter(str(each.status or "none") for each in together.requests)),
        at_once=most,
        processes=len({each.pid for each in calls}) if calls else None,
        longest_stop_ms=None if unseen or blocking else _ms(max(each.longest_stop_ns for each in calls)),
        stop_ms=_spread(each.longest_stop_ns for each in stops),
        stopped_ms=_spread(each.stopped_ns for each in stops),
        duration_ms=_spread(each.ended_ns - each.begun_ns for each in ended),
        loop=loop,
        alone=alone,
    )
    return Known(figures, unknown)


def _most_at_once(together: _Together) -> tuple[int | None, str]:
    """How many ran at once; None, with the reason, where that depends on when those ended whose requests were lost."""
    calls = together.calls
    if not calls:
        return None, ""
    lost = {each.id: each.done_ns for each in together.requests if each.outcome in _LOST}
    most = at_once(calls)
    ended = ((each.begun_ns, each.ended_ns or lost.get(each.id, NEVER)) for each in calls)
    if (least := most_at_once(ended)) == most:
        return most, ""
    return None, (
        "the connections of some were closed while they ran, and whether that was the end of the bodies is not known: "
        f"{least} to {most} ran at once"
    )


def at_once(calls: Sequence[Call]) -> int:
    """Most of these that had begun and not ended at one instant; one that never ended counts to the last."""
    return most_at_once((each.begun_ns, each.ended_ns) for each in calls)


def doubts_of_ceiling(ceiling: Ceiling, calls: Calls | None, timeline: Timeline) -> tuple[str, ...]:
    """What is true of what, where more bodies ran at once than requests could be held."""
    held, ran = ceiling.in_service, None if calls is None else calls.at_once
    if held is None or ran is None or not ceiling.bounded or ceiling.interval is not None or ran <= held:
        return ()
    requests = "request was" if held == 1 else "requests were"
    seen = f"{ran} bodies ran at once, though only {held} {requests} held at once"
    if any(each.timing == "no loop" for each in timeline.calls if each.phase is Phase.CALLED_TOGETHER):
        return (f"{seen}: the server has got more places since, so the ceiling is higher.",)
    why = "a held request keeps its thread, as a view does that blocks, and these bodies let others run while they wait"
    what = f"For views that block the ceiling is {held}; for this one it is {ran} or more."
    return (f"{seen}. Both are true: {why}. {what}",)


def doubts_of(timeline: Timeline) -> list[str]:
    """What makes the figures say less than they seem to, in words."""
    found = []
    replies = {request.id: request for request in timeline.requests}
    time_over = _time_over(timeline)
    reasons = Counter(
        _why_unended(each, replies.get(each.id), time_over) for each in timeline.calls if each.ended_ns == NEVER
    )
    for reason, count in sorted(reasons.items()):
        of, each = f"{count} of {len(timeline.calls)} called bodies", ":" if count == 1 else ", for each because"
        found.append(f"There are no figures for {of}{each} {reason}.")
    if (spread := _spread(each.ended_ns - each.begun_ns for each in _free_threads(timeline))) is not None:
        found.append(
            f"The bodies took {spread.median:.3g} ms (median), less than the {_SWITCH_MS:g} ms after which a thread "
            "lets another one run (sys.getswitchinterval), so how many can run at once was hardly tested."
        )
    found += _uncalled(timeline)
    again = sum(each.runs > 1 for each in timeline.calls)
    if again:
        found.append(f"The bodies of {again} requests were run more than once: a decorator or the server repeats them.")
    if any(each.goes_on for each in timeline.calls):
        found.append(
            "What the called bodies returned is still produced while it is sent (a stream): their figures end when "
            "they returned."
        )
    return found


def _uncalled(timeline: Timeline) -> list[str]:
    """Requests that were not offered, or whose bodies did not begin."""
    found = []
    interrupted = "the run was interrupted, " if timeline.interrupted else ""
    begun = {each.id for each in timeline.calls}
    offered = [each for each in timeline.requests if each.phase is Phase.CALLED_TOGETHER]
    if 0 < len(offered) < timeline.experiment.max_called:
        found.append(
            f"Only {len(offered)} requests were called together instead of {timeline.experiment.max_called}: "
            f"{interrupted}no queue took more without loss, or they were turned away."
        )
    not_begun = sum(each.id not in begun for each in offered)
    if not_begun:
        found.append(
            f"The bodies of {not_begun} of {len(offered)} called requests did not begin: {interrupted}the time was "
            "over (--call-timeout), or they were answered before they reached the view."
        )
    return found


def _free_threads(timeline: Timeline) -> list[Call]:
    """Bodies on threads of their own that were so short that they hardly met."""
    calls = [each for each in timeline.calls if each.phase is Phase.CALLED_TOGETHER and each.ended_ns != NEVER]
    threads = {(each.pid, each.tid) for each in calls}
    if {each.timing for each in calls} != {"no loop"} or at_once(calls) >= len(threads):
        return []
    median_ns = percentile((each.ended_ns - each.begun_ns for each in calls), MEDIAN)
    return calls if median_ns is not None and median_ns < _SWITCH_MS * MS else []


def _why_none(timeline: Timeline) -> str:
    first, limit_s = timeline.first_request, timeline.experiment.call_timeout_s
    request = next((each for each in timeline.requests if each.phase is Phase.CALLED_ALONE), None)
    if request is None:
        return NOT_SO_FAR
    if request.outcome is Outcome.PENDING and timeline.interrupted:
        return "no body began: its request had not come to it when the run was interrupted"
    if request.outcome is Outcome.PENDING or request.done_ns - request.opened_ns >= limit_s * NS_PER_S:
        return f"no body began: its request did not come to it within {limit_s:g} s (--call-timeout)"
    if request.outcome not in REPLIED:
        return f"no body began: its request was {request.outcome.label.replace('-', ' ')} before"
    return (
        "no body began: holdfast found no function whose body it could run "
        f"({'held in ' + first.held_in if first else 'no view'})"
    )


def _time_over(timeline: Timeline) -> str:
    """What ended the time of bodies that had not ended, as a part of a sentence."""
    limit_s = timeline.experiment.call_timeout_s
    together = any(each.phase is Phase.CALLED_TOGETHER for each in timeline.calls)
    last = Phase.CALLED_TOGETHER if together else Phase.CALLED_ALONE
    ran_ns = timeline.marks.ended_ns - min((each.begun_ns for each in timeline.calls if each.phase is last), default=0)
    # An interrupt that came when the time was over anyway has changed nothing.
    if timeline.interrupted and ran_ns < limit_s * NS_PER_S:
        return "it had not ended when the run was interrupted"
    return f"it had not ended after {limit_s:g} s (--call-timeout)"


def _alone(call: Call, request: Request | None, time_over: str) -> Known[Body]:
    ended = call.ended_ns != NEVER
    reason = "" if ended else _why_unended(call, request, time_over)
    unseen = reason or _NO_STOP.get(call.timing, "")
    status = request.status if request is not None and request.status else None
    unknown = {
        **because(reason, ("call.alone.duration_ms",)),
        **because(unseen, ("call.alone.longest_stop_ms", "call.alone.stopped_ms")),
        **because("" if status else "no reply came", ("call.alone.status",)),
    }
    body = Body(
        status=status,
        raised=call.raised,
        duration_ms=_ms(call.ended_ns - call.begun_ns) if ended else None,
        longest_stop_ms=None if unseen else _ms(call.longest_stop_ns),
        stopped_ms=None if unseen else _ms(call.stopped_ns),
    )
    return Known(body, unknown)


def _why_unended(call: Call, request: Request | None, time_over: str) -> str:
    if request is not None and request.outcome is Outcome.ANSWERED:
        return "it had answered, and had not returned when it was last seen"
    if request is not None and request.outcome is not Outcome.PENDING:
        how = request.outcome.label.replace("-", " ")
        return f"its request was {how} while it ran: the server gave it up, or its process ended"
    blocking = ", and was still blocking its event loop" if call.stopping_since_ns != NEVER else ""
    return f"{time_over}{blocking}"


def _why_none_together(first: Call, calls: Sequence[Call]) -> str:
    """Why no bodies ran together; "" where some did."""
    if first.ended_ns == NEVER:
        return "the body that ran alone did not end, so no others were called"
    return "" if calls else "no further body began"


def _why_none_ended(
    calls: Sequence[Call], ended: Sequence[Call], replies: Mapping[int, Request], time_over: str
) -> str:
    """Why none of them came to its end; "" where some did."""
    return "" if ended else f"none of the bodies ended: {_why_unended(calls[0], replies.get(calls[0].id), time_over)}"


def _loop(calls: Sequence[Call]) -> Literal["shared", "own"] | None:
    own = {each.own_loop for each in calls}
    return None if len(own) != 1 else "own" if own.pop() else "shared"


def _spread(of_ns: Iterable[int]) -> Spread | None:
    values = list(of_ns)
    median_ns = percentile(values, MEDIAN)
    return None if median_ns is None else Spread(_ms(median_ns), _ms(max(values)))


def _ms(ns: int) -> float:
    return round(ns / MS, 3)
