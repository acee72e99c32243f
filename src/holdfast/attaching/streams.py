"""A running server's streams, from outside: the same rounds as with one request on each connection, on one connection.

All that is known are the times of the answers, and the frames by which the server ends streams. Streams beyond the
advertised limit come last, all at once: their connection is our own, and no other client's streams are on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from holdfast.attaching import rounds
from holdfast.attaching.rounds import Look
from holdfast.engine.streams import StreamProber
from holdfast.engine.target import Target
from holdfast.infer.signals import Service
from holdfast.model.outside import OutsideStreams, Round
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.streams import StreamConnection, StreamEnd
from holdfast.model.units import NS_PER_S

BEYOND = 3
_LONGEST_NS = 20 * NS_PER_S
"""Streams beyond the limit are tried only where all within it are answered in about this time."""


def look_at_streams(
    look: Look, target: Target, address: str, head: bytes, most: int, service: Service
) -> OutsideStreams:
    """Sends bursts and steady stretches on the streams of one connection.

    Args:
        look: of the rounds before, at their end.
        head: the request.
        most: streams at once.
        service: the path's own time.
    """
    rows = rounds.ROWS_FOR_EACH * most + BEYOND + 1000
    with StreamProber(address, target.url.port, lambda _row: head, rows, target.tls) as prober:
        on_one = replace(look, prober=prober, listen_address=None)
        kept, beyond, why_not = list[Round](), range(0), ""
        if not _connected(on_one, prober):
            why_not = prober.failure or prober.finding or "the server ended the connection before its settings came"
        else:
            limit = prober.advertised(-1)
            fewer = most if limit is None else min(most, limit)
            rounds.find_bound(on_one, fewer, service, kept, partial(_on_one_that_lasts, on_one, prober))
            why_not = _why_not_beyond(on_one, kept, limit, most, service)
            if limit is not None and not why_not and _connected(on_one, prober):
                kept.append(rounds.burst(on_one, limit + BEYOND, service))
                beyond = range(kept[-1].first + limit, kept[-1].last)
        return OutsideStreams(
            connections=_connections(prober),
            rounds=tuple(kept),
            requests=prober.requests(lambda _row: Phase.STREAM),
            beyond=tuple(beyond),
            ends=tuple(StreamEnd(row, *end) for row, end in sorted(prober.codes.items())),
            why_not=why_not,
        )


def _connected(look: Look, prober: StreamProber) -> bool:
    """Whether there is a connection for further streams, after a new one was opened if the last has ended."""
    if prober.connections and prober.is_open(-1):
        return True
    number = prober.connect()
    if number is None:
        return False
    began = look.now_ns()
    while prober.is_open(number) and not prober.settled(number) and not look.interrupts.asked:
        if look.now_ns() - began > look.answer_timeout_ns:
            return False
        prober.turn(rounds.TURN_NS)
    return prober.is_open(number)


def _on_one_that_lasts(look: Look, prober: StreamProber, run: Callable[[], Round]) -> Round | None:
    """A round on a connection that is open; once more on a new one, where that had had others and ended under it.

    Some servers end a connection after a number of streams (GOAWAY, RFC 9113, 6.8): what came before counts too.
    """
    if not _connected(look, prober):
        return None
    had_others = bool(prober.ids_on(-1))
    done = run()
    if had_others and not prober.is_open(-1) and not look.interrupts.asked and _connected(look, prober):
        return run()
    return done


def _why_not_beyond(look: Look, kept: list[Round], limit: int | None, most: int, service: Service) -> str:
    """Why streams beyond the limit are not tried; "" where they are, or where there is no limit."""
    if limit is None or not kept or look.interrupts.asked:
        return "the run was interrupted" if look.interrupts.asked else ""
    if limit + BEYOND > most:
        return f"the advertised limit of {limit} streams is not below the {most} that may be offered (--max-offered)"
    last = kept[-1]
    if last.first == last.last:
        return "the server ended the connection before as many could be tried"
    answered = look.prober.columns.outcome[last.first : last.last].tolist().count(Outcome.ANSWERED)
    took_ns = max(look.prober.columns.done[last.first : last.last].tolist()) - look.prober.columns.opened[last.first]
    all_ns = (limit + BEYOND) * took_ns / max(1, answered)
    if all_ns > max(_LONGEST_NS, 2 * service.mean_ns):
        return f"as many as the server advertises, {limit}, would take about {all_ns / NS_PER_S:.0f} s"
    return ""


def _connections(prober: StreamProber) -> tuple[StreamConnection, ...]:
    found = []
    for number in range(prober.connections):
        goaway = prober.goaway(number)
        code = "" if goaway is None else goaway.code
        found.append(StreamConnection(prober.ids_on(number), prober.advertised(number), prober.settled(number), code))
    return tuple(found)
