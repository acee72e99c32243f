"""Claims that many rows have in common, each with its source."""

from __future__ import annotations

import socketserver
import sys
from pathlib import Path
from typing import Any

from expectation import Between, Computed, Quote, Says, Seen, Source, UnlessTooSlow, Within

MOST_PLACES = 128  # docs/method.md, Exact load: with more of them it is not tried


def in_service(
    number: int | Computed, source: Source, *, exact: Within | UnlessTooSlow | Computed | None = None
) -> Says:
    """So many at once, and as many when exactly so many are offered, unless the source leaves that open.

    Args:
        number: of places, by the source. Where a request takes any free one, so many requests fill all of them.
        exact: where the source lets a place stay empty while a request waits, or does not determine it.
    """
    fields = {"ceiling.in_service": number, "places.in_service": number, "ceiling.bounded": True}
    return Says(source, {**fields, "ceiling.at_exact_load": exact or _each_place_filled(number)})


def _each_place_filled(number: int | Computed) -> Computed:
    def filled(seen: Seen) -> tuple[int, int] | None:
        places = number(seen) if callable(number) else number
        return (places, places) if places <= MOST_PLACES else None

    return filled


def unknown(_source: str) -> Computed:
    """What cannot be known, for the reason given."""
    return lambda _seen: None


def goes_on(source: Source) -> Says:
    """A handler runs to its end, whether its client is there or not, and keeps its place."""
    return client_gone("finishes", source)


def client_gone(fate: str, source: Source) -> Says:
    """What becomes of a running handler whose client leaves, by FIN and by RST alike."""
    return Says(source, {"abandoned.in_service.fin": fate, "abandoned.in_service.rst": fate})


def listens(backlog: int, source: Source) -> Says:
    return Says(source, {"ceiling.accept_queue_limit": backlog})


def listens_as_socketserver(why: str) -> Says:
    """A listener of CPython's socketserver whose backlog nobody sets: 5, and SOMAXCONN from Python 3.15 on.

    Args:
        why: what leaves it as it is, and where.
    """
    text = 'getattr(socket, "SOMAXCONN", 5)' if sys.version_info >= (3, 15) else "5"
    asked_for = socketserver.TCPServer.request_queue_size
    most = int(Path("/proc/sys/net/core/somaxconn").read_text())  # listen(2): a larger one is cut to it without a word
    quote = Quote("socketserver", f"request_queue_size = {text}", f"{why}; from Python 3.15 on it is SOMAXCONN")
    return listens(min(asked_for, most), quote)


def fills_the_accept_queue(listening: Says, *, after: int = 0) -> tuple[Says, ...]:
    """The rest waits in the kernel, behind `after` requests in the server's own queue."""
    backlog = listening.fields["ceiling.accept_queue_limit"]
    order = (*(["userspace_queue"] if after else []), "accept_queue", "syn")
    queue = {"places.accept_queue": backlog + 1, "ceiling.accept_queue": backlog + 1}
    return (
        Says("Linux include/net/sock.h, sk_acceptq_is_full(): full is depth > backlog", queue),
        listening,
        Says(
            "Linux net/ipv4/tcp_input.c, tcp_conn_request(): a SYN that finds the accept queue full is dropped",
            {
                "places.syn": Between(1),
                "overflow.first": order[0],
                "overflow.then": order[1:],
                "overflow.client_sees": "connect-timeout",
            },
        ),
        own_queue(after),
    )


def own_queue(number: int) -> Says:
    """The server accepts so many more than it handles; beyond them requests are elsewhere."""
    return Says(
        "the row's source of its number in service: what is accepted is handled, except for these",
        {
            "places.userspace_queue": number,
            "ceiling.userspace_queue": number,
            "ceiling.userspace_queue_bounded": True,
        },
    )


def turned_away(place: str, sees: str, source: Source, listening: Says, *, after: int = 0) -> tuple[Says, ...]:
    """Whoever finds neither a handler nor one of `after` places in the server's own queue is sent away."""
    order = (*(["userspace_queue"] if after else []), place)
    fate = {
        f"places.{place}": Between(1),
        "overflow.first": order[0],
        "overflow.then": order[1:],
        "overflow.client_sees": sees,
    }
    return (Says(source, fate), own_queue(after), *accepts_everything(listening))


def accepts_everything(listening: Says) -> tuple[Says, ...]:
    return (
        listening,
        Says("accept(2): a queue from which everything is taken does not fill", {"ceiling.accept_queue": None}),
    )


def takes_all(offered: int, running: int, source: Source, listening: Says) -> tuple[Says, ...]:
    """The server's own queue has no bound: it holds whatever is offered and not handled."""
    return (
        Says(
            source,
            {
                "places.userspace_queue": offered - running,
                "ceiling.userspace_queue": None,
                "ceiling.userspace_queue_bounded": False,
                "overflow.first": "userspace_queue",
                "overflow.then": (),
                "overflow.client_sees": "waits",
            },
        ),
        *accepts_everything(listening),
    )


def runs_all_at_once(offered: int, source: Source, listening: Says) -> tuple[Says, ...]:
    return (
        Says(source, {"ceiling.in_service": offered, "places.in_service": offered, "ceiling.bounded": False}),
        Says(
            "as many as were offered are in service, so no queue was ever reached",
            {
                "ceiling.userspace_queue": None,
                "ceiling.userspace_queue_bounded": None,
                "ceiling.at_exact_load": None,
                "overflow.first": None,
                "overflow.then": (),
                "overflow.client_sees": None,
            },
        ),
        *accepts_everything(listening),
        NOBODY_WAITED,
    )


NOBODY_WAITED = Says(
    "docs/method.md, One experiment, 5: only clients of queued requests leave",
    {"abandoned.left": None, "abandoned.run_anyway": None},
)


def runs_for_nobody(source: Source, *, least: int | None = None) -> tuple[Says, ...]:
    """Whoever leaves a queue is served all the same, or at least `least` of them are."""

    def run_anyway(seen: Seen) -> int | Between | None:
        left = seen.verdict.abandoned.left
        return left if least is None or left is None else Between(least, left)

    return (
        Says(
            "docs/method.md, One experiment, 5: clients of queued requests leave",
            {"abandoned.left": Between(1)},
        ),
        Says(source, {"abandoned.run_anyway": run_anyway}),
    )


def model(source: Source, kind: str, *spread: int, **fields: Any) -> Says:
    """The process model; `spread` is the number of held requests of each process."""
    claims = {
        "kind": kind,
        "processes": len(spread),
        "threads_per_process": max(spread),
        "spread": spread,
        "listen_queues": "shared",
        **fields,
    }
    return Says(source, {f"model.{name}": value for name, value in claims.items()})


def held_in(where: str, view: str, source: str) -> Says:
    return Says(source, {"target.held_in": where, "target.view": view})


SAME_THREAD = Says(
    "PEP 3333: the server calls the application; a sync view runs in that call",
    {"model.handler_threads_reused": None},
)


def all_in_service(seen: Seen) -> int | None:
    return seen.verdict.ceiling.in_service
