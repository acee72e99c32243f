"""The verdict for a person's terminal, as sentences and one picture of the places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from holdfast.model.front import Front
from holdfast.model.verdict import (
    CALL_NOT_ASKED,
    HTTP2_NOT_ASKED,
    Abandoned,
    Ceiling,
    Cost,
    Model,
    ModelKind,
    OutsidePlaces,
    Overflow,
    Places,
    Verdict,
)
from holdfast.report import calls, limit_lines, streams, waiting
from holdfast.report.lanes import LANES
from holdfast.report.layout import Column, Indent, Line, Renderable, Stack, Table, Text, doubt

_WIDTH = 30
_SHORTEST = 4
_NOTE = 8
_GAP = 2

_KINDS = {
    "serial": "one request at a time, in one thread",
    "thread-per-request": "a new thread for each request",
    "thread-pool": "a fixed set of threads",
    "process-per-request": "a new process for each request",
    "process-pool": "a fixed set of processes, one request in each",
    "event-loop": "coroutines on an event loop",
    "event-loop+thread-pool": "an event loop that hands requests to a fixed set of threads",
    "greenlets": "greenlets: many at once on one thread",
}

_SEES = {
    "waits": "The next request waits; the end of that queue was not reached.",
    "connect-timeout": "Once every queue is full, the next client's SYN goes unanswered and it times out connecting.",
    "refused": "The next connection is refused.",
    "reset": "The next connection is reset.",
    "closed": "The next connection is closed without an answer.",
}

# By whether module globals are shared, and whether listen queues are.
_SHARED = {
    (True, None): "All requests share one set of module globals.",
    (True, "shared"): "All requests share one listen queue and one set of module globals.",
    (
        True,
        "per-worker",
    ): "All requests share one set of module globals, but each worker has a listen queue of its own.",
    (False, None): "Workers do not share module globals.",
    (False, "shared"): "Workers share one listen queue but not module globals.",
    (False, "per-worker"): "Each worker has its own listen queue and its own module globals.",
}

_FATES = {
    "finishes": "the handler runs to its end",
    "cancelled": "the handler is cancelled",
    "place freed, handler goes on": "its place is freed for another request, and the handler runs on",
}


def render_verdict(verdict: Verdict) -> Renderable:
    """The whole verdict, as a person reads it."""
    parts: list[Renderable] = [title(verdict), Text(), Indent(headline(verdict), 2), Text()]
    parts += [Indent(_Lanes(verdict), 2), Text()]
    parts += [Indent(Text(line), 2) for line in sentences(verdict)]
    if verdict.warnings:
        parts.append(Text())
        parts += map(doubt, verdict.warnings)
    return Stack(*parts)


def title(verdict: Verdict) -> Text:
    """What was measured, in one line."""
    target = verdict.target
    if _from_outside(verdict):
        return Text(target.app, style="bold", hanging=2).append("  seen from outside", style="not bold dim")
    text = Text(f"{target.server} {target.version or ''}".rstrip(), style="bold", hanging=2)
    python = f"  {target.interpreter}".rstrip()
    over_tls = "  over TLS (certificate not checked)" if verdict.tls is not None else ""
    return text.append(f"  {target.app}{python}  held in {target.held_in}{over_tls}", style="not bold dim")


def _from_outside(verdict: Verdict) -> bool:
    return isinstance(verdict.places, OutsidePlaces)


def headline(verdict: Verdict) -> Renderable:
    """How many requests it processes at once, in a few words."""
    ceiling = verdict.ceiling
    if _from_outside(verdict):
        return _estimated(ceiling, verdict.unknown)
    if ceiling.in_service is None and verdict.target.view is None:
        text = Text(f"{verdict.places.in_service} requests at once at the entry; ", style="bold yellow")
        return text.append("how many run in the view is not known", style="yellow")
    if ceiling.in_service is None:
        at_least = verdict.places.in_service
        text = Text(f"at least {at_least} {'request' if at_least == 1 else 'requests'} at once; ", style="bold yellow")
        why = verdict.unknown.get("ceiling.in_service")
        return text.append("the ceiling is not known" + (f": {why}" if why else ""), style="yellow")
    how = "" if ceiling.bounded else "at least "
    plural = "request" if ceiling.in_service == 1 else "requests"
    text = Text(f"{how}{ceiling.in_service} {plural} at once", style="bold green")
    kind = verdict.model.kind
    most = ceiling.interval[1] if ceiling.interval is not None else None
    text.append(f", perhaps {most}" if most is not None else "", style="not bold")
    return text.append(f"  {_kind_shown(verdict, kind)}" if kind else "", style="not bold")


def _kind_shown(verdict: Verdict, kind: ModelKind) -> str:
    """What ran the handlers; a handler that blocks its loop does not run among others, and each process has one."""
    if kind != "event-loop":
        # Where no bound was met, it is not known whether it is fixed.
        return _KINDS[kind] if verdict.ceiling.bounded else _KINDS[kind].replace("a fixed set of", "a pool of")
    loops = verdict.model.processes or 1
    if verdict.ceiling.bounded and verdict.target.view in {"sync", "async-blocking"}:
        return (
            f"{loops} event loops, each blocked by its handler" if loops > 1 else "an event loop blocked by its handler"
        )
    return f"coroutines on {loops} event loops, one in each process" if loops > 1 else _KINDS[kind]


def _estimated(ceiling: Ceiling, unknown: Mapping[str, str]) -> Renderable:
    least, most = ceiling.interval or (0, None)
    between = f"{least} or more" if most is None else f"between {least} and {most}" if most > least else f"{least}"
    if ceiling.in_service is None:
        text = Text(f"{between} requests at once; ", style="bold yellow")
        text.append("the exact number cannot be told from outside", style="yellow")
        return Stack(text, Text(f"{unknown['ceiling.in_service']}."))
    how = "about " if ceiling.bounded else "at least "
    plural = "request" if ceiling.in_service == 1 else "requests"
    text = Text(f"{how}{ceiling.in_service} {plural} at once", style="bold green")
    spread = f": {between}" if ceiling.bounded and least != most else ""
    return text.append(f"  estimated{spread}", style="not bold")


class Lane(NamedTuple):
    """One place: label, number as shown and as the length of its bar, what that is made of, a note, and its name."""

    label: str
    shown: str
    number: int = 0
    colour: str = ""
    fill: str = ""
    note: str = ""
    place: str = ""


class _Lanes:
    """The picture of the places. Where there is little room, its bars give way first."""

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict

    def lines(self, width: int) -> Iterator[Line]:
        """As `Renderable`."""
        shown = list(lanes(self._verdict))
        texts = [(each.label, each.shown, each.note) for each in shown]
        beside = sum(max(map(len, column)) for column in zip(*texts, strict=True)) + 3 * _GAP
        most = min(_WIDTH, max(_SHORTEST, width - beside))
        largest = max(1, *(each.number for each in shown))
        columns = (Column(whole=True), Column(right=True, whole=True), Column(whole=True), Column(least=_NOTE))
        table = Table(*columns, gap=_GAP, header=False)
        for each in shown:
            # At least one cell for one request: a place that is in use never looks empty.
            length = -(-each.number * most // largest) if largest > most else each.number
            lane, note = Text(each.fill * length, style=each.colour), Text(each.note, style="dim")
            table.add_row(each.label, each.shown, lane, note, style="" if each.fill else "dim")
        yield from table.lines(width)


def lanes(verdict: Verdict) -> Iterator[Lane]:
    """Each place that is in use, from the handler outwards, and at last the number offered."""
    counts: dict[str, int | None] = {name: getattr(verdict.places, name, 0) for name in LANES}
    for name, (label, colour, fill) in LANES.items():
        count = counts[name]
        if count is None and (name == "before_view" and not counts["userspace_queue"]):
            continue
        if count is None:
            yield Lane(label, "?", place=name)
        elif count or name in {"in_service", "accept_queue"}:
            yield Lane(label, f"{count}", count, colour, fill, _note(verdict, name), name)
    yield Lane("offered", f"{verdict.offered}")


def _note(verdict: Verdict, place: str) -> str:
    ceiling = verdict.ceiling
    if place == "before_view":
        return "of the server's own queue"
    if place == "userspace_queue":
        end = "no end met" if ceiling.userspace_queue_bounded is False else ""
        unshaken = verdict.tls.before_handshake if verdict.tls is not None else 0
        return ", ".join(each for each in (end, f"{unshaken} before their TLS handshake" if unshaken else "") if each)
    if place == "accept_queue":
        limit = ceiling.accept_queue_limit
        if ceiling.accept_queue is not None:
            return "full" if limit is None else f"full (backlog {limit})"
        return "" if limit is None else f"not filled (backlog {limit})"
    return ""


def sentences(verdict: Verdict) -> Iterator[str]:
    """Each further finding as a sentence."""
    yield from _overflow(verdict.overflow)
    yield from _before_view(verdict)
    yield from waiting.before_view(verdict.waiting or (), verdict.libraries or ())
    if verdict.front is not None:
        yield from _front(verdict.front, verdict.unknown)
    yield from _model(verdict.model)
    yield from _exact(verdict.ceiling, verdict.unknown)
    yield from _abandoned(verdict.abandoned)
    if verdict.call is not None:
        yield from calls.sentences(verdict.call, verdict.unknown)
        yield from waiting.in_view(verdict.waiting or (), verdict.call)
    elif not _from_outside(verdict) and verdict.unknown.get("call", CALL_NOT_ASKED) != CALL_NOT_ASKED:
        yield f"No view body was called: {verdict.unknown['call']}."
    if verdict.http2 is not None:
        yield from streams.sentences(verdict.http2, verdict.unknown)
    elif verdict.unknown.get("http2", HTTP2_NOT_ASKED) != HTTP2_NOT_ASKED:
        yield f"Streams of one connection were not measured: {verdict.unknown['http2']}."
    yield from _cost(verdict.cost)
    if not _from_outside(verdict):
        yield limit_lines.in_force(verdict.limits)
        yield from limit_lines.reached(verdict.pressure or ())
    timing = verdict.timing
    if timing.server_start_s is None and timing.total_s is not None:
        yield f"Time: {timing.total_s:.2f} s."
        return
    times = [
        f"server ready after {timing.server_start_s:.2f} s" if timing.server_start_s is not None else "",
        f"ceiling and places {timing.probe_s:.2f} s later" if timing.probe_s is not None else "",
        f"everything {timing.total_s:.2f} s after ready" if timing.total_s is not None else "",
    ]
    yield "Time: " + ", ".join(time for time in times if time) + "."
    if timing.watched_s is not None and verdict.ceiling.bounded:
        watched = f"{timing.watched_s:.{1 if timing.watched_s >= 1 else 2}f} s"
        yield f"Requests waited {watched} without a change; what is slower is not seen (--watch)."


def _front(front: Front, unknown: Mapping[str, str]) -> Iterator[str]:
    through = f" ({', '.join(front.through)})" if front.through else ""
    yield f"Front: {front.program} hands requests on to {front.server}{through}."
    if front.accept_queue is None or front.in_front is None:
        why = unknown.get("front.accept_queue") or unknown.get("front.in_front", "")
        yield f"How many wait in {front.program}, between the two and in {front.server} is not known: {why}."
        return
    limit = "" if front.accept_queue_limit is None else f" (backlog {front.accept_queue_limit})"
    yield (
        f"Of those in the server's own queue, {front.in_front} wait in {front.program}, {front.accept_queue} in the "
        f"accept queue between the two{limit}, and {front.in_server} in {front.server}."
    )


def _exact(ceiling: Ceiling, unknown: Mapping[str, str]) -> Iterator[str]:
    if ceiling.at_exact_load is None:
        # A server seen from outside is never asked for it.
        if ceiling.interval is None and (why := unknown.get("ceiling.at_exact_load")):
            yield f"Exact load: {why if why.startswith('not tried') else f'not measured, because {why}'}."
        return
    least, most = ceiling.at_exact_load
    times = "once" if ceiling.at_exact_repeats == 1 else f"{ceiling.at_exact_repeats} times"
    if ceiling.in_service == 1:
        # That one request runs where there is one place goes without saying.
        if least < 1:
            yield f"A single request, offered alone, did not always reach its handler (tried {times})."
        return
    if least == ceiling.in_service:
        yield f"Of exactly {ceiling.in_service} requests offered together, all ran at once ({times})."
        return
    filled = f"{least}" if least == most else f"{least} to {most}"
    yield f"Of exactly {ceiling.in_service} requests offered together, only {filled} ran at once ({times})."


def _abandoned(abandoned: Abandoned) -> Iterator[str]:
    if abandoned.left and abandoned.run_anyway is not None:
        left, run = abandoned.left, abandoned.run_anyway
        ran = {0: "none", left: f"all {left}"}.get(run, str(run))
        yield (
            "Abandoned: 1 client left while its request was queued; "
            f"the server {'still ran it' if run else 'did not run it'}."
            if left == 1
            else f"Abandoned: {left} clients left while their requests were queued; the server still ran {ran} of them."
        )
    fin, rst = abandoned.in_service.fin, abandoned.in_service.rst
    if fin is not None and fin == rst:
        yield f"A client that leaves while its handler runs (FIN or RST): {_FATES[fin]}."
    elif fin is not None or rst is not None:
        known = [f"by {way}, {_FATES[fate]}" for way, fate in (("FIN", fin), ("RST", rst)) if fate is not None]
        yield f"A client that leaves while its handler runs: {'; '.join(known)}."


def _cost(cost: Cost) -> Iterator[str]:
    if cost.descriptors is not None and cost.threads is not None:
        parts = [_of(cost.descriptors, "descriptor"), _of(cost.threads, "thread")]
        if cost.memory_bytes is not None:
            parts.append(f"{cost.memory_bytes / 1024:.0f} KiB")
        yield f"Each request in service costs the server {', '.join(parts[:-1])} and {parts[-1]}."


def _of(number: float, what: str) -> str:
    return f"{number:g} {what}{'' if number == 1 else 's'}"


def _overflow(overflow: Overflow) -> Iterator[str]:
    if overflow.first is not None:
        order = " then ".join(LANES[place][0] for place in (overflow.first, *overflow.then))
        yield f"Overflow: {order}."
    if overflow.client_sees is not None:
        yield _SEES.get(overflow.client_sees, f"The next request gets HTTP {overflow.client_sees}.")


def _before_view(verdict: Verdict) -> Iterator[str]:
    places = verdict.places
    number = places.before_view
    if number is None and places.userspace_queue and isinstance(places, Places):
        yield f"Before the view: not measured, because {verdict.unknown['places.before_view']}."
    if number:
        requests, their = ("request", "its") if number == 1 else ("requests", "their")
        known = any(each.phase == "ramp" for each in verdict.waiting or ())
        why = (
            ""
            if known
            else " Something in it holds them back: a pool of threads or connections, a semaphore, middleware, a "
            "dependency."
        )
        yield (
            f"Before the view: {number} {requests} had been handed to the application and had not reached {their} "
            f"view.{why}"
        )


def _model(model: Model) -> Iterator[str]:
    if model.processes is not None:
        several = f"{model.processes} processes, each" if model.processes > 1 else "one process,"
        threads = model.threads_per_process
        each = f" with {threads} {'threads' if threads != 1 else 'thread'} handling requests"
        spread = ""
        if model.spread and len(set(model.spread)) > 1:
            spread = f", spread {' + '.join(map(str, model.spread))}"
        yield f"Processes: {several}{each}{spread}."
    reuse = [
        _yes_no("threads", model.threads_reused),
        _yes_no("processes", model.processes_reused),
        _yes_no("the views' own threads", model.handler_threads_reused),
    ]
    known = [each for each in reuse if each]
    if known:
        yield "Reuse: " + ", ".join(known) + "."
    if model.globals_shared is not None:
        yield _SHARED[model.globals_shared, model.listen_queues]


def _yes_no(what: str, reused: bool | None) -> str:  # noqa: FBT001 - a value of three, not a switch
    return "" if reused is None else f"{what} {'are' if reused else 'are not'} reused"
