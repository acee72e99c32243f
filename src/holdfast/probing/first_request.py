"""The first request of a run, answered at once: whether HTTP is spoken, and where requests will be held.

Most of this file is what a person is told when it fails: a server that starts may still serve nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from holdfast.engine.endpoint import Tls
from holdfast.engine.prober import Failure, Prober
from holdfast.engine.status_advice import ADVICE, NO_CERTIFICATE, ONLY_HTTP1, ONLY_HTTP2, advice_on, another_version
from holdfast.errors import HoldfastError, InconclusiveError, UsageError
from holdfast.model.address import is_unix
from holdfast.model.live import LivePhase
from holdfast.model.phase import Phase
from holdfast.model.places import REPLIED, Outcome
from holdfast.model.timeline import NEVER, FirstRequest, Request
from holdfast.model.units import MS
from holdfast.probing import live_look
from holdfast.probing.guards import check_held_requests
from holdfast.probing.injection import answered_in_front, not_instrumented, past_its_view
from holdfast.probing.readiness import last_lines, log_ends_with, or_raise_limits, raise_trouble
from holdfast.probing.session import Session, batch
from holdfast.probing.tls import may_speak_tls, no_tls, speaks_tls, tls_towards
from holdfast.probing.waits import ANSWER_S, NOTHING_HELD, sleep_of, turn_until

_FIRST_REDIRECT = 300
_FIRST_CLIENT_ERROR = 400
_LOGGED = frozenset({400, 403})
"""Why a server or a framework finds a request wrong, or its own certificate, is in its log."""
_REFUSALS = frozenset({401, 403})
_FIRST_SERVER_ERROR = 500
_HANDSHAKE_S = 2.0
# Longer than that, the way to the view is more than a framework's own work.
_LONG_WAY_NS = 60 * MS

_ENDS = {
    Outcome.REFUSED: "its connection was refused",
    Outcome.NO_ROOM: "the socket's accept queue was already full",
    Outcome.RESET: "its connection was reset",
    Outcome.CLOSED: "its connection was closed",
    Outcome.CONNECT_TIMEOUT: "its connection was not accepted",
    Outcome.UNANSWERED: "the server's machine went silent",
}


class Reply(NamedTuple):
    """What came of one request.

    Attributes:
        finding: why its reply is not HTTP, in words; None if it is, or if none came.
        failure: on our own side; None if there was none.
        doubts: about a reply that counts nevertheless, in words.
        tls: how it was sent; None is plain HTTP.
        slept_ns: the longest that the whole server slept before the view was entered.
        turned_away: why no answer came, as the frames of HTTP/2 say it; "" where they do not.
    """

    request: Request
    finding: str | None
    failure: Failure | None
    doubts: tuple[str, ...]
    tls: Tls | None
    slept_ns: int
    turned_away: str = ""


class Answered(NamedTuple):
    """The first request and what it showed.

    Attributes:
        found: how the server treats a request.
        requests: the first one, and the second where there was one.
        doubts: about its reply, in words.
        tls: how later ones are to be sent; None is plain HTTP.
        slept_ns: as of the last reply.
    """

    found: FirstRequest
    requests: tuple[Request, ...]
    doubts: tuple[str, ...]
    tls: Tls | None
    slept_ns: int


def send_one(session: Session, slot: int, within_s: float, closed_within_s: float = 0.0) -> Reply:
    """Sends one request that is not held, and waits for its end.

    Args:
        closed_within_s: how long to wait until the server has closed its end too, where its use of resources is looked
            at next.
    """
    session.recording.release(slot)
    with batch(session, (slot,), Phase.FIRST_REQUEST) as sent:
        prober = sent.prober
        sleep, slept_ns = sleep_of(session), 0

        def ended() -> bool:
            nonlocal slept_ns
            if not session.recording.is_entered(slot):
                sleep.look(lambda: NOTHING_HELD)
                slept_ns = max(slept_ns, sleep.asleep_ns())
            return prober.ended == 1 or session.interrupts.asked

        prober.open(1)
        if _shaken(session, prober, within_s):
            turn_until(session, prober, ended, within_s)
        (request,) = sent.requests()
        # An application may return long after its reply has been sent.
        turn_until(session, prober, lambda: not session.recording.is_watched(), within_s)
        # On a Unix socket, nothing is known of a client that has disconnected.
        ours = {request.local_port, 0} if is_unix(session.address) else {request.local_port}

        def closed() -> bool:
            ends = session.kernel.server_sockets(session.listen_address)
            # In TIME_WAIT no process has it any more (tcp(7)): the server was the first to close.
            return not any(end.accepted and end.state != "TIME_WAIT" and end.peer_port in ours for end in ends)

        turn_until(session, prober, closed, closed_within_s)
        return Reply(
            request, prober.finding(), prober.failure, tuple(prober.doubts), session.tls, slept_ns, prober.turned_away
        )


def _shaken(session: Session, prober: Prober, within_s: float) -> bool:
    """Turns the load's loop until the request is sent or has ended; False if a TLS handshake takes too long for it."""
    if session.tls is None:
        return True
    # What does not know TLS may wait for more of what it takes for the head of a request.
    limit_s = within_s if session.experiment.tls else min(within_s, _HANDSHAKE_S)
    sent = prober.columns.sent
    return turn_until(session, prober, lambda: prober.ended == 1 or bool(sent[0]) or session.interrupts.asked, limit_s)


def send_into_view(session: Session, slot: int, within_s: float, closed_within_s: float = 0.0) -> Reply:
    """Sends requests that are not held until one has come to the point at which later ones will be held.

    Where what came of a plain request may be due to TLS, the same is tried over TLS (`Reply.tls`).

    Args:
        closed_within_s: as in `send_one`.
    """
    reply = _send_where_it_comes(session, slot, within_s, closed_within_s)
    if session.tls is not None or session.recording.is_entered(slot) or not may_speak_tls(reply.request):
        return reply
    over_tls = replace(session, tls=tls_towards(session.experiment, session.address))
    tried = _send_where_it_comes(over_tls, slot, within_s, closed_within_s)
    return tried if speaks_tls(tried.request, tried.finding) else reply


def _send_where_it_comes(session: Session, slot: int, within_s: float, closed_within_s: float) -> Reply:
    """As `_send_into_view`, also where a front hands requests on with another path than they were sent with."""
    elsewhere = session.recording.elsewhere
    elsewhere.begin()
    reply = _send_into_view(session, slot, within_s, closed_within_s)
    # With 401 or 403 it may have been asked beforehand whether the request may pass (nginx, `auth_request`).
    if reply.request.outcome in REPLIED and reply.request.status not in _REFUSALS and elsewhere.is_known():
        elsewhere.hold()
        reply = _send_into_view(session, slot, within_s, closed_within_s)
    return reply


def _send_into_view(session: Session, slot: int, within_s: float, closed_within_s: float) -> Reply:
    """As `send_into_view`, without trying TLS where the session is not over TLS.

    The first one comes to that point where a framework's hook knows the view. Otherwise the application answers it
    while it is watched, and the second one comes to the function that was seen, or to the entry.
    """
    recording = session.recording

    def reached() -> bool:
        return recording.is_entered(slot) or session.interrupts.asked

    recording.ask_for_view()
    reply = send_one(session, slot, within_s, closed_within_s)
    # A redirect or an error that nothing of the person's own gave: what they mean is at another path.
    elsewhere = reply.request.status >= _FIRST_REDIRECT and recording.leads_nowhere()
    # The reply of one that was watched is the application's own, and that of the next one holdfast's.
    unread = reply.request.outcome not in REPLIED and not recording.was_watched()
    if reached() or elsewhere or unread:
        return reply
    if recording.was_watched():
        reply = send_one(session, slot, within_s, closed_within_s)
    if not reached() and recording.was_watched() and not recording.leads_into_view():
        reply = send_one(session, slot, within_s, closed_within_s)
    # What was seen once need not be called again: it has set something up at the first request.
    if not reached() and recording.leads_into_view():
        recording.ask_for_view()
        for _ in range(2):
            reply = send_one(session, slot, within_s, closed_within_s)
    # Or a cache answers, or the function is made anew for each request.
    if not reached() and recording.give_up_view():
        reply = send_one(session, slot, within_s, closed_within_s)
    return reply


def send_first_request(session: Session) -> Answered:
    """Sends the first request of a run.

    Raises:
        InconclusiveError: no reply, no HTTP, something answered before a view was entered, or Ctrl-C.
        UsageError: the view is of another kind than the one asked for, or what was named is not an application.
        EnvironmentFailure: the server could not load the application.
    """
    live_look.begin(session, LivePhase.FIRST_REQUEST)
    slot = session.slots.first_request.start
    request, finding, failure, doubts, tls, slept_ns, turned_away = send_into_view(session, slot, _limit_s(session))
    session = replace(session, tls=tls)
    raise_trouble(session.trouble)
    if tls is not None and (error := no_tls(session.reached_at, request, finding, log_ends_with(session.server))):
        raise error
    if finding is not None:
        raise _another_language(session, finding)
    if failure is not None:
        raise InconclusiveError(
            "The load side was the limit at the first request: no verdict on the server.",
            failure.words,
            "Raise the limit of holdfast's own process (ulimit -n).",
        )
    if request.outcome is Outcome.PENDING and not turned_away:
        raise _no_reply(session, request)
    if request.outcome not in REPLIED:
        raise _broken_off(session, request, turned_away)
    held = session.recording.held_in(slot)
    if held is None:
        if session.recording.elsewhere.is_known():
            raise _not_entered(session, request)
        in_front = None if session.recording.elsewhere.came() else answered_in_front(session, request.status)
        raise in_front or not_instrumented(session, request.status) or _not_entered(session, request)
    held_in, kind, via = held
    asked = session.experiment.view
    if asked is not None and via == "view" and kind != asked:
        raise UsageError(
            f"The view at {session.experiment.path} is {kind}, not {asked}.",
            f"It is held in {held_in}, as it was written.",
            f"Omit --view, or give --view {kind}.",
        )
    sent = [request]
    if way_ns(session, slot, request) > _LONG_WAY_NS:
        # The first one may have imported modules and opened connections that the next ones find.
        second = send_one(session, slot + 1, _limit_s(session))
        sent.append(second.request)
        slept_ns = second.slept_ns
    entered = [(id, each) for id, each in enumerate(sent, slot) if session.recording.is_entered(id)]
    ways_ns = (*_earlier_ways_ns(session), *(way_ns(session, id, each) for id, each in entered))
    found = FirstRequest(request.status, held_in, kind, via, ways_ns, tls=tls is not None)
    return Answered(found, tuple(sent), doubts, tls, slept_ns)


def _earlier_ways_ns(session: Session) -> Iterator[int]:
    """The ways of those requests that were sent to find where the server listens, also of those not waited for."""
    for slot, sent_ns in session.asked:
        if sent_ns and session.recording.is_entered(slot):
            yield max(0, session.recording.entered_ns(slot) - sent_ns)


def way_ns(session: Session, slot: int, request: Request) -> int:
    """How long a request took from its first byte to its view: authentication, dependencies and middleware included.

    Over TLS it includes the handshake, which every later request needs too.
    """
    began_ns = request.connected_ns if session.tls is not None else request.sent_ns
    return max(0, session.recording.entered_ns(slot) - (began_ns or request.opened_ns))


def usual_way_ns(ways_ns: Sequence[int], processes: int) -> int:
    """How long a request may take to its view although nothing else is in the server.

    Args:
        ways_ns: of the first requests, in order; the second one found what the first had imported.
        processes: how many take requests; another one has imported nothing yet.
    """
    if not ways_ns:
        return 0
    return ways_ns[-1] if processes == 1 else max(ways_ns)


def _another_language(session: Session, finding: str) -> HoldfastError:
    server = f"What answers on {session.reached_at}"
    if error := another_version(server, finding, tls=session.tls is not None):
        return error
    return InconclusiveError(
        f"{server} does not speak HTTP as holdfast understands it.",
        f"Of the first reply, {finding}.",
        "Choose the server's HTTP port, and a --path with an ordinary reply.",
    )


def _or_leave_out(session: Session) -> str:
    """What else to do about no answer at all, as a sentence after another; "" where there is nothing else."""
    of_http2 = f" {ONLY_HTTP1}" if session.experiment.http2 else ""
    return of_http2 + (f" {NO_CERTIFICATE}" if session.tls is not None else "")


def _limit_s(session: Session) -> float:
    return min(ANSWER_S, session.experiment.start_timeout_s)


def _no_reply(session: Session, request: Request) -> HoldfastError:
    path = session.experiment.path
    if session.interrupts.asked:
        return InconclusiveError(
            "Stopped before anything was seen.",
            f"The server had not answered the first request, GET {path}.",
            "Nothing is left running.",
        )
    check_held_requests(session)
    if session.recording.is_left(session.slots.first_request.start):
        return InconclusiveError(
            f"The view at {path} returned, but no reply came within {_limit_s(session):g} s.",
            "What runs after the view (after_request, middleware) does not finish; or a task or thread of the "
            "application's own called the view and has ended with it, as holdfast ends a view by what `except "
            f"Exception` does not catch{_log(session)}",
            "Fix that, choose another --path, or measure the running server from outside (holdfast attach).",
        )
    if request.connected_ns == NEVER:
        return InconclusiveError(
            f"The server did not take a connection on {session.reached_at} within {_limit_s(session):g} s.",
            f"It listens, but the handshake did not complete{_log(session)}",
            f"Look at how it starts{_firewall(session)}{or_raise_limits(session.server)}.",
        )
    if any(each.depth for each in session.kernel.listeners(session.listen_address)):
        return InconclusiveError(
            f"The server did not answer the first request, GET {path}, within {_limit_s(session):g} s.",
            f"It waits in an accept queue, from which no process took it{_log(session)}",
            "Look at what the process that listens there does: it may hang, or still be starting.",
        )
    if session.recording.is_watched():
        return InconclusiveError(
            f"The application did not answer the first request, GET {path}, within {_limit_s(session):g} s.",
            "holdfast has no hook for its framework, so it lets the application answer once to see which function is "
            f"the view{_log(session)}",
            "Choose a --path with a faster view, or measure the running server from outside (holdfast attach).",
        )
    return InconclusiveError(
        f"The server did not answer the first request, GET {path}, within {_limit_s(session):g} s.",
        f"It accepted the connection, but no view was entered{_log(session)}",
        f"Look at what runs before the view, or choose another --path{or_raise_limits(session.server)}."
        f"{_or_leave_out(session)}",
    )


def _firewall(session: Session) -> str:
    return "" if is_unix(session.address) else f" and at {session.address}'s firewall"


def _broken_off(session: Session, request: Request, turned_away: str) -> HoldfastError:
    how = turned_away or _ENDS.get(request.outcome, request.outcome.label)
    path = session.experiment.path
    if request.status:
        return InconclusiveError(
            f"The reply to the first request, GET {path}, broke off: {how} before its announced end.",
            f"Its status was {request.status}{_log(session)}",
            "Look for a Content-Length that is too long, or choose another --path.",
        )
    look = f"the server's own message{or_raise_limits(session.server)}.{_or_leave_out(session)}"
    return InconclusiveError(
        f"The first request, GET {path}, got no answer: {how}.",
        f"The server's processes are still running{_log(session)}",
        f"Look at {'its settings for HTTP/2.' if turned_away else look}",
    )


def _not_entered(session: Session, request: Request) -> HoldfastError:
    status = request.status
    why = past_its_view(session)
    remedy = (
        "Send the headers it needs with -H 'Name: value', choose another --path, or measure the running server from "
        "outside (holdfast attach)."
    )
    if status >= _FIRST_SERVER_ERROR and status not in ADVICE:
        why = f"The application, or the server, fails there{_log(session)}"
        remedy = f"Fix that, or choose another --path{or_raise_limits(session.server)}."
    elif status >= _FIRST_CLIENT_ERROR:
        logged = log_ends_with(session.server) if status in _LOGGED else ""
        why = f"{advice_on(status).why}{logged}"
        remedy = f"{advice_on(status).remedy}{' Or choose another --path.' if status in ADVICE else ''}"
        if status == _FIRST_CLIENT_ERROR and not session.experiment.http2:
            remedy += f" {ONLY_HTTP2}"
    elif _FIRST_REDIRECT <= status < _FIRST_CLIENT_ERROR:
        why = "It is a redirect: to a login, to HTTPS, or to the same path with or without a slash at its end."
        remedy = "Choose the --path that it leads to, or send the headers it needs with -H 'Cookie: ...' or the like."
    return InconclusiveError(
        f"GET {session.experiment.path} was answered with {status} before any view was entered.", why, remedy
    )


def _log(session: Session) -> str:
    lines = last_lines(session.server)
    return f"; its log ends with:\n{lines}" if lines else "; its log is empty."
