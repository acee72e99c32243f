"""Which of several listening ports is meant where the person does not say: the one that leads to a view.

A uWSGI with a router of its own listens on a second port for its workers, a debugger or an exporter of
metrics on one of its own. A single request to each shows which it is. Ports that the kernel chose come last, and
only if no other led anywhere: nobody but the server's own processes knows them, and what does not speak HTTP
need not be asked to. Unix sockets are asked where no port led to a view: most that a server has beside its ports
are for its own commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from holdfast.errors import UsageError
from holdfast.model.places import Outcome
from holdfast.observe.record_reader import HeldIn
from holdfast.observe.routes import Route
from holdfast.probe.bench import STILL_S, Bench
from holdfast.probe.first_request import Reply, ask

MOST_PORTS = 16
"""Slots that a run keeps for this, behind all others."""

_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class _Tried:
    """What came of one request to a port; `held` is None where it reached no handler."""

    route: Route
    reply: Reply
    held: HeldIn | None


def chosen(routes: Sequence[Route], ephemeral: range, bench_at: Callable[[Route], Bench]) -> Route:
    """The route to what is to be probed.

    Args:
        routes: one to each port and to each Unix socket that the server listens on, at least one.
        ephemeral: ports that the kernel gives to whoever asks for none in particular.
        bench_at: the bench with this route in place of its own.

    Raises:
        UsageError: it cannot be told.
    """
    if len(routes) == 1:
        return routes[0]
    tried: list[_Tried] = []
    named = [route for route in routes if route.port and route.port not in ephemeral]
    unnamed = [route for route in routes if route.port in ephemeral]
    sockets = [route for route in routes if not route.port]
    for candidates in (named, unnamed, sockets):
        if candidates is unnamed and _the_one(tried) is not None:
            continue
        for route in candidates[: MOST_PORTS - len(tried)]:
            tried.append(_try(bench_at(route), route, len(tried)))
        if any(each.held for each in tried):
            break
    if (found := _the_one(tried)) is not None:
        return found
    if len(named) + len(unnamed) == 1:
        # Nothing leads anywhere, and there is only one port: what is wrong with it is told when it is probed.
        return (*named, *unnamed)[0]
    raise UsageError(
        f"The command listens on several {'ports' if named or unnamed else 'Unix sockets'}: "
        f"{', '.join(_name(route) for route in routes)}.",
        "\n".join(f"{_name(each.route)}: {_words(each)}" for each in tried),
        "Say with --port which one is meant.",
    )


def _try(bench: Bench, route: Route, number: int) -> _Tried:
    slot = bench.slots + number
    reply = ask(bench, slot, _PATIENCE_S, STILL_S)
    return _Tried(route, reply, bench.recording.held_in(slot))


def _the_one(tried: Iterable[_Tried]) -> Route | None:
    """The only one that led to a view; else the only one that led to a handler; else the only one with a reply."""
    in_a_view = [each.route for each in tried if each.held is not None and each.held.via == "view"]
    held = [each.route for each in tried if each.held is not None]
    replied = [each.route for each in tried if each.reply.request.outcome in {Outcome.ANSWERED, Outcome.REJECTED}]
    for candidates in (in_a_view, held, replied):
        if candidates:
            return candidates[0] if len(candidates) == 1 else None
    return None


def _words(tried: _Tried) -> str:
    if tried.held is not None:
        return f"leads to {tried.held.held_in}"
    if tried.reply.finding is not None:
        return "does not speak HTTP"
    request = tried.reply.request
    return f"answers with {request.status}, and no view is entered" if request.status else "does not answer"


def _name(route: Route) -> str:
    return str(route.port or route.address)
