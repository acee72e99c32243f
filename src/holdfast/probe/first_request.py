"""The first request of a run, let through at once: that HTTP is spoken, and where requests will be held.

Most of this file is what a person is told when it fails: a server that starts may still serve nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from holdfast.errors import HoldfastError, InconclusiveError, UsageError
from holdfast.load.columns import requests
from holdfast.load.prober import Prober
from holdfast.model.address import is_unix
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Canary, Request
from holdfast.probe.bench import ANSWER_S, Bench, check_running, turn_until
from holdfast.probe.injection import not_inside
from holdfast.probe.readiness import last_lines, or_raise_limits

_FIRST_REDIRECT = 300
_FIRST_CLIENT_ERROR = 400
_FIRST_SERVER_ERROR = 500

_ENDS = {
    Outcome.REFUSED: "its connection was refused",
    Outcome.NO_ROOM: "the socket's accept queue was full already",
    Outcome.RESET: "its connection was reset",
    Outcome.CLOSED: "its connection was closed",
    Outcome.CONNECT_TIMEOUT: "its connection was not taken",
    Outcome.UNANSWERED: "the server's machine went silent",
}
_TURNED_AWAY = {
    400: "The server finds the request wrong, perhaps its Host (-H 'Host: name').",
    401: "It asks for a login.",
    403: "It is forbidden to whoever does not show who they are.",
    404: "There is nothing at that path.",
    405: "The view there takes no GET, and holdfast sends no other method.",
    429: "Something limits the rate of requests.",
}


class Reply(NamedTuple):
    """What came of a request.

    Attributes:
        finding: why its reply is no HTTP, in words; None where it is, or where none came.
        failure: number and words of a failure on our own side.
        notes: doubts about a reply that counts all the same.
    """

    request: Request
    finding: str | None
    failure: tuple[int, str] | None
    notes: tuple[str, ...] = ()


def ask(bench: Bench, slot: int, within_s: float, closed_within_s: float = 0.0) -> Reply:
    """Sends one request that is let through at once, and waits for its end.

    Args:
        closed_within_s: so long it is waited until the server has closed its end too: what it uses is looked at next.
    """
    bench.recording.release(slot)
    with Prober(bench.address, bench.port, lambda _id: bench.head_of(slot), 1) as prober:
        prober.open(1)
        turn_until(bench, prober, lambda: prober.ended == 1 or bench.interrupts.asked, within_s)
        (request,) = requests(prober.columns, [0], lambda _id: Phase.FIRST_REQUEST, prober.sources)
        # Of a client that has left a Unix socket nothing is known.
        ours = {request.local_port, 0} if is_unix(bench.address) else {request.local_port}

        def closed() -> bool:
            return not any(
                end.accepted and end.peer_port in ours for end in bench.kernel.server_sockets(bench.listen_address)
            )

        turn_until(bench, prober, closed, closed_within_s)
        return Reply(request, prober.finding(), prober.failure, tuple(prober.notes))


def canary(bench: Bench, trouble: Callable[[], None]) -> tuple[Canary, Request, tuple[str, ...]]:
    """Sends it.

    Args:
        trouble: raises what the server's side wrote, if it wrote anything.

    Returns:
        What it showed, the request itself, and doubts about its reply.

    Raises:
        InconclusiveError: no reply, no HTTP, something answered before a view was entered, or Ctrl-C.
        UsageError: the view is of another kind than the one asked for.
    """
    slot = bench.canary_slot
    request, finding, failure, notes = ask(bench, slot, _patience_s(bench))
    trouble()
    if finding is not None:
        raise InconclusiveError(
            f"What answers on {bench.reached_at} does not speak HTTP as holdfast understands it.",
            f"Of the first reply, {finding}.",
            "Choose the server's HTTP port, and a --path with an ordinary reply.",
        )
    if failure is not None:
        raise InconclusiveError(
            "The load side was the limit at the first request: no verdict on the server.",
            failure[1],
            "Raise the limit of holdfast's own process (ulimit -n).",
        )
    if request.outcome is Outcome.PENDING:
        raise _no_reply(bench, request)
    if request.outcome not in {Outcome.ANSWERED, Outcome.REJECTED}:
        raise _broken_off(bench, request)
    held = bench.recording.held_in(slot)
    if held is None:
        raise not_inside(bench) or _not_entered(bench, request)
    held_in, kind, via = held
    asked = bench.experiment.view
    if asked is not None and via == "view" and kind != asked:
        raise UsageError(
            f"The view at {bench.experiment.path} is {kind}, not {asked}.",
            f"It is held in {held_in}, as it was written.",
            f"Leave --view out, or give --view {kind}.",
        )
    return Canary(request.status, held_in, kind, via), replace(request, id=slot), notes


def _patience_s(bench: Bench) -> float:
    return min(ANSWER_S, bench.experiment.start_timeout_s)


def _no_reply(bench: Bench, request: Request) -> HoldfastError:
    path = bench.experiment.path
    if bench.interrupts.asked:
        return InconclusiveError(
            "Stopped before anything was seen.",
            f"The server had not answered the first request, GET {path}.",
            "Nothing is left running.",
        )
    check_running(bench)
    if bench.recording.is_left(bench.canary_slot):
        return InconclusiveError(
            f"The view at {path} was left, but no reply came within {_patience_s(bench):g} s.",
            f"What runs after the view (after_request, middleware) does not come to its end{_log(bench)}",
            "Mend that, or choose another --path.",
        )
    if request.connected_ns == NEVER:
        return InconclusiveError(
            f"The server did not take a connection on {bench.reached_at} within {_patience_s(bench):g} s.",
            f"It listens, but the handshake did not complete{_log(bench)}",
            f"Look at how it starts{_firewall(bench)}{or_raise_limits(bench.server)}.",
        )
    return InconclusiveError(
        f"The server did not answer the first request, GET {path}, within {_patience_s(bench):g} s.",
        f"Its connection was taken, but no view was entered{_log(bench)}",
        f"Look at what runs before the view, or choose another --path{or_raise_limits(bench.server)}.",
    )


def _firewall(bench: Bench) -> str:
    return "" if is_unix(bench.address) else f" and at {bench.address}'s firewall"


def _broken_off(bench: Bench, request: Request) -> HoldfastError:
    how = _ENDS.get(request.outcome, request.outcome.label)
    path = bench.experiment.path
    if request.status:
        return InconclusiveError(
            f"The reply to the first request, GET {path}, broke off: {how} before its announced end.",
            f"Its status was {request.status}{_log(bench)}",
            "Look for a Content-Length that is too long, or choose another --path.",
        )
    return InconclusiveError(
        f"The first request, GET {path}, got no answer: {how}.",
        f"The server's processes still run{_log(bench)}",
        f"Look at the server's own message{or_raise_limits(bench.server)}.",
    )


def _not_entered(bench: Bench, request: Request) -> HoldfastError:
    status = request.status
    why = "Something in front of the view answers (a cache, middleware), or the path is another when it gets there."
    remedy = "Send what it wants with -H 'Name: value', or choose another --path."
    if status >= _FIRST_SERVER_ERROR:
        why = f"The application, or the server, fails there{_log(bench)}"
        remedy = f"Mend that, or choose another --path{or_raise_limits(bench.server)}."
    elif status >= _FIRST_CLIENT_ERROR:
        why = _TURNED_AWAY.get(status, why)
    elif status >= _FIRST_REDIRECT:
        why = "It is a redirect: to a login, to HTTPS, or to the path's other spelling (with or without / at its end)."
        remedy = "Choose the --path that it leads to, or send what it wants with -H 'Cookie: ...' or another header."
    return InconclusiveError(
        f"GET {bench.experiment.path} was answered with {status} before any view was entered.", why, remedy
    )


def _log(bench: Bench) -> str:
    lines = last_lines(bench.server)
    return f"; its log ends with:\n{lines}" if lines else "; its log is empty."
