"""Rows of the table: the server of `ground_truth.py`, whose limits are what its arguments say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from expectation import Between, Case, Computed, Says, Within
from sources import (
    NOBODY_WAITED,
    SAME_THREAD,
    fills_the_accept_queue,
    goes_on,
    held_in,
    in_service,
    listens,
    model,
    runs_for_nobody,
    takes_all,
    turned_away,
    unknown,
)

from holdfast.model.places import Place
from holdfast.servers.adapter import Adapter, Launch, Package, Setting, Start
from holdfast.servers.address import LOOPBACK, by_socket_file, option_number, option_value

PROGRAM = Path(__file__).with_name("ground_truth.py")
NAME = "ground-truth"
APP = "plain_app:application"


def _launch(start: Start) -> Launch:
    if listening := by_socket_file(start.arguments, start.socket, "--unix"):
        return Launch((start.interpreter, str(PROGRAM), *listening.arguments), listening.address, listening.port)
    command = (start.interpreter, str(PROGRAM), "--port", str(start.port), *start.arguments)
    return Launch(command, option_value(start.arguments, "--host") or LOOPBACK, start.port)


def _settings(arguments: Any) -> tuple[Setting, ...]:
    return (Setting("threads", option_number(arguments, "--threads", default=1), Place.IN_SERVICE),)


ADAPTER = Adapter(
    name=NAME,
    # Any module will do: the interpreter alone runs it.
    packages=(Package("flask", "flask", "flask"),),
    frameworks={"wsgi": ("wsgi",)},
    launch=_launch,
    settings=_settings,
)

THREADS = "ground_truth.py, _work(): N threads run handlers, one after another"
FRESH = "ground_truth.py, _start_fresh_threads(): a new thread for each handler, N at once"
ROOM = "ground_truth.py, _work(): N + Q connections are in the house, N of them handled"
TURNS = "ground_truth.py, TURNS: what becomes of the one for whom there is no room"
SERVED = "ground_truth.py, _serve(): reads the request and runs it; that nobody listens is only seen when it answers"
FORKED = "ground_truth.py, main(): workers are forked after the application was loaded"
OWN_LISTENER = "socket(7), SO_REUSEPORT: each worker has a queue of its own, and the kernel draws lots"
LISTENED = "ground_truth.py, _listener(): listen(B)"
UNWATCHED = goes_on(SERVED)
AT_ENTRY = (held_in("wsgi entry", "sync", "plain_app.py: a callable of no framework"), SAME_THREAD)


def case(
    arguments: str,
    *claims: Says,
    threads: int = 1,
    processes: int = 1,
    fresh: bool = False,
    queues: str = "shared",
    exact: Within | Computed | None = None,
    **options: Any,
) -> Case:
    kind = "process-pool" if processes > 1 else "serial"
    if threads > 1 or fresh:
        kind = "thread-per-request" if fresh else "thread-pool"
    ran = model(
        (FRESH if fresh else THREADS, FORKED),
        kind,
        *[threads] * processes,
        threads_reused=not fresh,
        processes_reused=True,
        globals_shared=processes == 1,
        listen_queues=queues,
    )
    return Case(
        arguments,
        NAME,
        (*AT_ENTRY, ran, UNWATCHED, in_service(threads * processes, (THREADS, ROOM), exact=exact), *claims),
        arguments=tuple(arguments.split()),
        app=APP,
        options=options,
        warnings=("so that is the view itself",),
    )


def waits(backlog: int, *, after: int = 0) -> tuple[Says, ...]:
    return (*fills_the_accept_queue(listens(backlog, LISTENED), after=after), *runs_for_nobody(SERVED))


def sent_away(place: str, sees: str, *, after: int = 0) -> tuple[Says, ...]:
    fate = turned_away(place, sees, TURNS, listens(128, LISTENED), after=after)
    return (*fate, *(runs_for_nobody(SERVED) if after else (NOBODY_WAITED,)))


def separate(backlog: int, workers: int) -> tuple[Says, ...]:
    """Lots decide which of the queues fills first; more are sent until the others are full too."""
    most = workers * (backlog + 1)
    fate = {
        "places.accept_queue": most,
        "ceiling.accept_queue": most,
        "ceiling.accept_queue_limit": backlog,
        "ceiling.userspace_queue": 0,
        "ceiling.userspace_queue_bounded": True,
        "places.syn": Between(1),
        "overflow.first": "accept_queue",
        "overflow.then": ("syn",),
        "overflow.client_sees": "connect-timeout",
    }
    return (Says((OWN_LISTENER, LISTENED), fate), *runs_for_nobody(SERVED))


SILENT = Says(
    "ground_truth.py, TURNS: kept for ever, so that holdfast cannot say what would have become of them",
    {"abandoned.left": Between(1), "abandoned.run_anyway": None},
)
NEVER_AT_REST = "ground_truth.py, TURNS: connections that are kept for ever never leave the server to exactly N others"

ROWS = (
    case("--threads 1 --backlog 16", *waits(16)),
    case("--threads 3 --backlog 5", *waits(5), threads=3),
    case("--threads 2 --backlog 0", *waits(0), threads=2),
    case("--threads 2 --backlog 1", *waits(1), threads=2),
    case("--threads 200 --backlog 128", *waits(128), threads=200),
    case("--threads 4 --queue 10 --backlog 7", *waits(7, after=10), threads=4),
    case("--threads 2 --queue 300 --backlog 64", *waits(64, after=300), threads=2),
    case("--threads 4 --queue 3 --backlog 5 --fresh", *waits(5, after=3), threads=4, fresh=True),
    case("--threads 5 --beyond 503", *sent_away("rejected", "503"), threads=5),
    case("--threads 2 --queue 6 --beyond 503", *sent_away("rejected", "503", after=6), threads=2),
    case("--threads 5 --beyond close", *sent_away("closed", "closed"), threads=5),
    case("--threads 5 --beyond reset", *sent_away("reset", "reset"), threads=5),
    case("--threads 100 --beyond reset", *sent_away("reset", "reset"), threads=100),
    case(
        "--threads 3 --beyond silence",
        *takes_all(40, 3, TURNS, listens(128, LISTENED)),
        SILENT,
        threads=3,
        exact=unknown(NEVER_AT_REST),
        max_offered=40,
    ),
    case(
        "--processes 2 --threads 2 --queue 1 --backlog 9",
        *waits(9, after=2),
        processes=2,
        threads=2,
        # One process takes in three, of which one waits, while the other has a thread left.
        exact=Within(3, 4),
    ),
    case("--processes 3 --backlog 20", *waits(20), processes=3),
    case(
        "--processes 2 --threads 2 --backlog 31 --reuse-port",
        *separate(31, 2),
        processes=2,
        threads=2,
        queues="per-worker",
        # Lots may deal all four to one worker.
        exact=Within(2, 4),
    ),
    case(
        "--processes 4 --backlog 3 --reuse-port",
        *separate(3, 4),
        processes=4,
        queues="per-worker",
        # Lots may deal all four to one worker.
        exact=Within(1, 4),
    ),
    case("--host ::1 --threads 2 --backlog 4", *waits(4), threads=2),
)
