"""Rows of the table: mod_wsgi-express, which is Apache in front of mod_wsgi's daemon processes.

Apache's sources are named by file and function of httpd 2.4.69, mod_wsgi's C sources by those of mod_wsgi 6.
"""

from __future__ import annotations

from expectation import Case, Quote
from sources import goes_on, in_service, listens
from wsgi_sources import SYNC, queues, threads

EXPRESS = "mod_wsgi.express.server"
TEMPLATE = "mod_wsgi.express.apache"

POOL = (
    Quote(TEMPLATE, "threads=%(threads)s", "so many threads in each daemon process"),
    "mod_wsgi wsgi_daemon.c, wsgi_daemon_worker(): an idle thread accepts, and handles that before it accepts again",
)
CLIENTS = (
    Quote(EXPRESS, "max_clients = max(options['max_clients'], max_clients)", "--max-clients is that of Apache"),
    Quote(
        EXPRESS,
        "options['worker_max_clients'] = (options['worker_server_limit'] *",
        "rounded up to whole children, of 10 threads each where 20 suffice",
    ),
    "httpd server/mpm/event/event.c, listener_thread(): nothing is accepted while no thread is idle",
    "mod_wsgi wsgi_remote.c, wsgi_execute_remote(): a thread of Apache connects to the daemon's Unix socket and waits",
)
# A fifth of the children are there at the start, the rest only after seconds of need.
AT_ONCE = ("--initial-workers", "1", "--minimum-spare-workers", "1", "--maximum-spare-workers", "1")
ALL_CHILDREN = Quote(
    EXPRESS,
    "int(worker_initial_workers * options['worker_server_limit']))",
    "with 1 all children are there at the start",
)
LISTENS = Quote(TEMPLATE, "ListenBacklog %(server_backlog)s", "--server-backlog is what Apache listens with")
UNASKED = "mod_wsgi wsgi_daemon.c, wsgi_daemon_worker(): a connection to the daemon is served, whoever waits behind it"
UNWATCHED = goes_on(
    "mod_wsgi wsgi_remote.c, wsgi_execute_remote(): Apache's thread waits for the daemon's answer, and looks at its "
    "client when it has something to send"
)


def row(arguments: str, running: tuple[int, ...], clients: int, backlog: int) -> Case:
    """So many threads in each daemon process; all that Apache accepts waits for one of them."""
    total = sum(running)
    claims = (
        *SYNC,
        in_service(total, POOL),
        threads(POOL, *running),
        UNWATCHED,
        *queues(listens(backlog, (*CLIENTS, ALL_CHILDREN, LISTENS)), UNASKED, after=clients - total),
    )
    return Case(arguments, "mod_wsgi", claims, arguments=(*AT_ONCE, *arguments.split()))


ROWS = (
    # 10 + max(10, 1.5 x 5) clients (mod_wsgi/express/server.py, setup_server()), in two children of 10 threads.
    row("--threads 5", (5,), 20, 500),
    row("--threads 3 --max-clients 20 --server-backlog 20", (3,), 20, 20),
    row("--threads 2 --max-clients 10 --server-backlog 7", (2,), 10, 7),
    row("--processes 2 --threads 2 --max-clients 30 --server-backlog 20", (2, 2), 30, 20),
)
