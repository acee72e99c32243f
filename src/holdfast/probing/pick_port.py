"""Picks one of several listening sockets when the person does not say which: the one that leads to a view.

A uWSGI with its own router listens on a second port for its workers; a debugger or a metrics exporter listens on a
port of its own. A single request to each shows which is which. Ports that the kernel chose are tried later, and only
if no other led anywhere: only the server's own processes know them, and they need not speak HTTP. Unix sockets are
tried if no port led to a view: most of those that a server has in addition to its ports serve its own commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from holdfast.engine.endpoint import Tls
from holdfast.errors import UsageError
from holdfast.model.frozen import frozen
from holdfast.model.places import REPLIED, Outcome
from holdfast.observe.fronts import is_front, program_of
from holdfast.observe.process_info import is_python, read_program
from holdfast.observe.record_reader import HeldIn
from holdfast.observe.routes import Route
from holdfast.probing.first_request import Reply, send_into_view
from holdfast.probing.server_process import process_with_handlers
from holdfast.probing.session import Session
from holdfast.probing.slots import MOST_LISTENERS
from holdfast.probing.waits import ANSWER_S, STILL_S

IN_A_VIEW = frozenset({"view", "plain", "whole"})
"""Of `HeldIn.via`: it came to code of the person's own that answers there, not only to the entry of an application."""

_BESIDE = frozenset({"method", "library"})
"""Of `HeldIn.via`: what tells metrics, or that a process lives, often answers so."""
_LIMIT_S = 2.0


@frozen
class _Tried:
    """What came of one request to a listener.

    Attributes:
        held: None if it reached no handler.
        in_front: the processes that listen there are another program than the one that ran the handler; or, where
            none was reached, they are no Python.
    """

    route: Route
    slot: int
    reply: Reply
    held: HeldIn | None
    in_front: bool

    @property
    def is_server(self) -> bool:
        """Whether it led to a handler, and not to one of those that a port beside a server has, too."""
        return self.held is not None and self.held.via not in _BESIDE


class Picked(NamedTuple):
    """The listener to probe.

    Attributes:
        tls: how it is spoken to; None is plain HTTP, or not found out yet.
        beside: the ports at which another program answered by itself, or not at all, in words.
        asked: slot and first byte of each request that was sent to find it.
    """

    route: Route
    tls: Tls | None
    beside: tuple[str, ...] = ()
    asked: tuple[tuple[int, int], ...] = ()


def pick(routes: Sequence[Route], ephemeral: range, session_at: Callable[[Route], Session]) -> Picked:
    """Sends a request to one listener after another, if there are several, and picks the one to probe.

    Args:
        routes: one to each port and to each Unix socket that the server listens on, at least one.
        ephemeral: ports that the kernel gives to sockets that ask for none in particular.
        session_at: what a request to one of them is sent with.

    Raises:
        UsageError: no request showed which one is meant.
    """
    if len(routes) == 1:
        return Picked(routes[0], None)
    tried: list[_Tried] = []
    named = [route for route in routes if route.port and route.port not in ephemeral]
    unnamed = [route for route in routes if route.port in ephemeral]
    sockets = [route for route in routes if not route.port]
    for candidates in (named, unnamed, sockets):
        if candidates is unnamed and _the_one(tried) is not None:
            continue
        for route in candidates[: MOST_LISTENERS - len(tried)]:
            tried.append(_try(session_at(route), route, len(tried)))
        if any(each.is_server for each in tried):
            break
    asked = tuple(tried)
    if not any(each.is_server for each in tried):
        tried = _tried_again(tried, session_at)
        asked += tuple(each for each in tried if each not in asked)
    found = _the_one(tried)
    if found is not None and not found.route.port and (front := next(filter(_answers_itself, tried), None)) is not None:
        # Its clients do not reach the Unix socket. Probing it tells them so.
        return Picked(front.route, front.reply.tls)
    if found is not None:
        others = (each for each in tried if each.route != found.route)
        beside = tuple(_beside(each) for each in others if _answers_itself(each) or _is_silent(each))
        return found._replace(beside=beside, asked=tuple((each.slot, each.reply.request.sent_ns) for each in asked))
    if len(named) + len(unnamed) == 1:
        # None of them leads anywhere, and there is only one port: probing it tells what is wrong with it.
        route = (*named, *unnamed)[0]
        return Picked(route, next((each.reply.tls for each in tried if each.route == route), None))
    raise UsageError(
        f"The command listens on several {'ports' if named or unnamed else 'Unix sockets'}: "
        f"{', '.join(_name(route) for route in routes)}.",
        "\n".join(f"{_name(each.route)}: {_words(each)}{_of_program(each)}" for each in tried),
        "Say with --port which one is meant.",
    )


def _tried_again(tried: Sequence[_Tried], session_at: Callable[[Route], Session]) -> list[_Tried]:
    """The same, where each port that gave no answer has been asked again, for as long as a first request may take.

    A server listens before its workers have loaded the application; what answers meanwhile is another part of it.
    """
    found, number = list(tried), len(tried)
    for at, each in enumerate(tried):
        if each.route.port and each.reply.request.outcome is Outcome.PENDING and number < MOST_LISTENERS:
            found[at] = _try(session_at(each.route), each.route, number, ANSWER_S)
            number += 1
            if found[at].held:
                break
    return found


def _try(session: Session, route: Route, number: int, within_s: float = _LIMIT_S) -> _Tried:
    slot = session.slots.listeners[number]
    reply = send_into_view(session, slot, within_s, STILL_S)
    held, pids = session.recording.held_in(slot), [pid for each in route.listeners for pid in each.pids]
    handler = None if held is None else process_with_handlers(session, range(slot, slot + 1))
    in_front = not any(map(_is_python, pids)) if held is None else handler is not None and is_front(pids, handler)
    return _Tried(route, slot, reply, held, in_front)


def _is_python(pid: int) -> bool:
    program = read_program(pid)
    return program is None or is_python(program)


def _answers_itself(tried: _Tried) -> bool:
    """Whether it is the port of a front that gave an answer of its own."""
    replied = tried.reply.request.outcome in REPLIED and tried.reply.finding is None
    return bool(tried.route.port) and tried.held is None and tried.in_front and replied


def _is_silent(tried: _Tried) -> bool:
    """Whether it is the port of what may be a front, and gave no answer in the time that it had."""
    pending = tried.reply.request.outcome is Outcome.PENDING
    return bool(tried.route.port) and tried.held is None and tried.in_front and pending


def program_at(route: Route) -> str:
    """What a person calls the program that listens there, with one of its processes."""
    pid = min(pid for each in route.listeners for pid in each.pids)
    return f"{program_of(pid)} (pid {pid})"


def _beside(tried: _Tried) -> str:
    port, status = tried.route.port, tried.reply.request.status
    gave = f"It answered by itself, with {status}" if status else f"It gave no answer within {_LIMIT_S:g} s"
    return (
        f"{program_at(tried.route)} listens on port {port} too. {gave}, so what is measured is the server behind it or "
        f"beside it. If clients come to port {port}, measure that: --port {port}, with the --path and the Host "
        "(-H 'Host: ...') that it hands on."
    )


def _the_one(tried: Iterable[_Tried]) -> Picked | None:
    """The only one that led to a view, else the only one that led to a handler, or else the only one that replied."""
    in_a_view = [each for each in tried if each.held is not None and each.held.via in IN_A_VIEW]
    held = [each for each in tried if each.is_server]
    replied = [each for each in tried if each.reply.request.outcome in REPLIED]
    for candidates in (in_a_view, held, replied):
        # Where one is in front of the others, clients come to that one.
        fronts = [each for each in candidates if each.in_front and each.held is not None]
        one = fronts if len(candidates) > 1 and len(fronts) == 1 else candidates
        if candidates:
            return Picked(one[0].route, one[0].reply.tls) if len(one) == 1 else None
    return None


def _words(tried: _Tried) -> str:
    if tried.held is not None:
        return f"leads to {tried.held.held_in}"
    if tried.reply.finding is not None:
        return "does not speak HTTP"
    request = tried.reply.request
    return f"answers with {request.status}, and no view is entered" if request.status else "does not answer"


def _of_program(tried: _Tried) -> str:
    """Which program listens there, and that it is in front of what runs the view; "" where no process is seen."""
    if not any(each.pids for each in tried.route.listeners):
        return ""
    through = "through " if tried.in_front and tried.held is not None else ""
    return f" ({through}{program_at(tried.route)})"


def _name(route: Route) -> str:
    return str(route.port or route.address)
