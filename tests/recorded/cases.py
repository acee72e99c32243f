"""What is recorded: one real run each, and the figures without which its record is not kept.

The figures are those of the conformance table, or follow from the application in `shop/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """One run of `holdfast` whose saved record is kept.

    Attributes:
        name: of the files.
        arguments: of holdfast; {port} stands for that of `running`.
        expected: dotted names of verdict fields and their values; "what" is the beginning of the first line of an
            error.
        running: command of a server that runs meanwhile, for `attach` and `load`; () where none does.
        nofile: limit of descriptors of holdfast itself; None leaves it.
        interrupted: SIGINT is sent when the application has made the file `busy`.
        root: what it shows takes root.
    """

    name: str
    arguments: tuple[str, ...]
    expected: Mapping[str, Any] = field(default_factory=dict)
    running: tuple[str, ...] = ()
    nofile: int | None = None
    interrupted: bool = False
    root: bool = False


def probe(
    name: str, options: str, server: str = "", /, *, how: Mapping[str, Any] | None = None, **expected: Any
) -> Case:
    """A probe; `server` holds the arguments of the server, and __ in a field's name stands for a dot."""
    after = ("--", *server.split()) if server else ()
    fields = {each.replace("__", "."): value for each, value in expected.items()}
    return Case(name, ("probe", *options.split(), *after), fields, **(how or {}))


STARLETTE = "--framework starlette --max-offered 200"
BLOCKING = "--framework starlette --view async-blocking"
ALL_AT_ONCE: Mapping[str, Any] = {
    "ceiling__in_service": 200,
    "ceiling__bounded": False,
    "places__in_service": 200,
    "overflow__first": None,
}
SLOW = ("gunicorn", "slow:app", "--workers", "2", "--threads", "4", "--bind", "127.0.0.1:{port}")
BODIES = ("gunicorn", "bodies:app", "-k", "asgi", "--bind", "127.0.0.1:{port}")

FLASK = (
    probe("flask-threaded", "--max-offered 200", **ALL_AT_ONCE),
    probe("flask-serial", "", "--no-threaded", ceiling__in_service=1, ceiling__accept_queue=129),
    probe("flask-forking", "", "--processes 10", ceiling__in_service=10, model__kind="process-per-request"),
    probe("flask-async", "--view async --max-offered 200", **ALL_AT_ONCE),
    probe("flask-async-under-nofile", "--view async --nofile 256", ceiling__in_service=63),
    probe("flask-under-nofile", "--nofile 256", ceiling__in_service=252, ceiling__accept_queue=129),
    probe(
        "flask-under-nproc",
        "--nproc 50",
        ceiling__in_service=49,
        overflow__client_sees="closed",
        how={"root": True},
    ),
)
GUNICORN = (
    probe(
        "gunicorn-sync",
        "--server gunicorn",
        "--workers 4 --backlog 20",
        ceiling__in_service=4,
        ceiling__accept_queue=21,
    ),
    probe(
        "gunicorn-gthread",
        "--server gunicorn",
        "--workers 2 --threads 8 --worker-connections 20 --backlog 10",
        ceiling__in_service=16,
        ceiling__userspace_queue=24,
        ceiling__accept_queue=11,
    ),
    probe(
        "gunicorn-gthread-without-bound",
        "--server gunicorn --max-offered 200",
        "--workers 2 --threads 8",
        ceiling__in_service=16,
        ceiling__userspace_queue_bounded=False,
        places__userspace_queue=184,
    ),
    probe(
        "gunicorn-gevent",
        "--server gunicorn",
        "-k gevent --worker-connections 50 --backlog 20",
        ceiling__in_service=50,
        model__kind="greenlets",
        ceiling__accept_queue=21,
    ),
    probe("gunicorn-asgi", f"--server gunicorn {STARLETTE}", "-k asgi -w 2", **ALL_AT_ONCE),
    probe(
        "gunicorn-asgi-blocking",
        f"--server gunicorn {BLOCKING}",
        "-k asgi -w 2 --backlog 16",
        ceiling__in_service=2,
    ),
    probe(
        "gunicorn-uvicorn-worker",
        f"--server gunicorn {BLOCKING}",
        "-k uvicorn_worker.UvicornWorker -w 2 --backlog 40",
        ceiling__in_service=2,
    ),
    probe(
        "gunicorn-reuse-port",
        "--server gunicorn",
        "--workers 2 --reuse-port --backlog 20",
        ceiling__in_service=2,
        ceiling__accept_queue=42,
        model__listen_queues="per-worker",
    ),
    probe(
        "gunicorn-unix-socket",
        "--server gunicorn",
        "--bind unix:0 --threads 3 --worker-connections 10 --backlog 7",
        ceiling__in_service=3,
        ceiling__userspace_queue=7,
        ceiling__accept_queue=8,
        overflow__client_sees="refused",
    ),
)
UWSGI = (
    probe(
        "uwsgi-http",
        "--server uwsgi --max-offered 200",
        "--http :0 --threads 10",
        ceiling__in_service=10,
        ceiling__userspace_queue_bounded=False,
        places__userspace_queue=190,
    ),
    probe(
        "uwsgi-http-socket",
        "--server uwsgi",
        "--http-socket :0 --threads 8",
        ceiling__in_service=8,
        ceiling__accept_queue=101,
    ),
)
THREAD_POOLS = (
    probe(
        "waitress",
        "--server waitress",
        "--threads 2 --connection-limit 10 --backlog 7",
        ceiling__in_service=2,
        ceiling__userspace_queue=6,
        ceiling__accept_queue=8,
    ),
    probe(
        "cheroot",
        "--server cheroot",
        "--threads 3 --accepted-queue-size 5 --accepted-queue-timeout 0",
        ceiling__in_service=3,
        ceiling__userspace_queue=5,
        overflow__client_sees="503",
    ),
    probe(
        "granian-wsgi",
        "--server granian --framework flask",
        "--backlog 128 --blocking-threads 4 --backpressure 10",
        ceiling__in_service=4,
        ceiling__userspace_queue=6,
        ceiling__accept_queue=129,
    ),
)
LOOPS = (
    probe(
        "granian-asgi",
        "--server granian --framework starlette",
        "--backlog 128 --backpressure 10",
        ceiling__in_service=10,
        ceiling__accept_queue=129,
    ),
    probe(
        "granian-two-workers",
        "--server granian --framework starlette",
        "--workers 2 --backlog 128 --backpressure 5",
        ceiling__in_service=10,
        model__listen_queues="per-worker",
    ),
    probe("uvicorn-async", f"--server uvicorn {STARLETTE}", "", **ALL_AT_ONCE),
    probe(
        "uvicorn-blocking",
        f"--server uvicorn {BLOCKING}",
        "--backlog 7",
        ceiling__in_service=1,
    ),
    probe(
        "uvicorn-def",
        "--server uvicorn --framework fastapi --view sync --max-offered 200",
        "",
        ceiling__in_service=40,
        places__userspace_queue=160,
    ),
    probe(
        "uvicorn-limit",
        "--server uvicorn --framework starlette",
        "--limit-concurrency 11",
        ceiling__in_service=10,
        overflow__client_sees="503",
    ),
    probe("uvicorn-django", "--server uvicorn --framework django --max-offered 200", "", **ALL_AT_ONCE),
    probe(
        "daphne-django-def",
        "--server daphne --framework django --view sync --max-offered 200",
        "",
        ceiling__in_service=200,
    ),
    probe(
        "hypercorn",
        f"--server hypercorn {BLOCKING}",
        "--workers 2 --backlog 30",
        ceiling__in_service=2,
    ),
    probe("daphne", f"--server daphne {STARLETTE}", "", **ALL_AT_ONCE),
    probe("tornado", "--server tornado --view sync --max-offered 300", "", ceiling__in_service=1),
)
ENDINGS = (
    probe("killed-server", "server_dies.py", "", what="The server ended in the middle of the probe."),
    probe(
        "killed-worker",
        "worker_dies.py --server uwsgi",
        "--http-socket :0 --processes 3 --master",
        what="A process of the server died in the middle of the probe",
    ),
    probe(
        "time-limit",
        "slow.py --server gunicorn",
        "--timeout 1 --workers 6",
        what="The server aborted requests that were held in their handlers",
    ),
    probe(
        "time-limit-kills",
        "slow.py --server uwsgi",
        "--http-socket :0 --master --harakiri 1 --processes 9",
        what="A process of the server died in the middle of the probe",
    ),
    probe("time-limit-answers", "gives_up.py --server uvicorn", "", what="The server has a time limit for requests"),
    probe(
        "replaced-workers",
        "--server gunicorn",
        "--threads 8 --max-requests 5 --backlog 7",
        what="The server replaces its processes after a number of requests",
    ),
    probe("our-side", "--max-offered 200", "", what="The load side was the limit", how={"nofile": 120}),
    probe(
        "interrupted",
        "tells_when_busy.py --max-offered 1000",
        "",
        ceiling__in_service=None,
        unknown__ceiling__in_service="the run was interrupted before the ceiling was met",
        how={"interrupted": True},
    ),
)
CALLED = tuple(
    probe(
        f"called-{path}",
        f"bodies.py --server uvicorn --path /{path} --max-offered 100 --call --max-called 10",
        "",
        ceiling__in_service=40 if path == "def" else 100,
        call__finished=10,
        call__at_once=1 if path == "blocking" else 10,
    )
    for path in ("awaiting", "blocking", "def")
)
OTHERS = (
    Case(
        "exec",
        ("exec", "--max-offered", "200", "--", *SLOW),
        {"ceiling.in_service": 8},
    ),
    Case(
        "attach",
        ("attach", "http://127.0.0.1:{port}/", "--max-offered", "100"),
        {"ceiling.in_service": 8, "confidence": "estimated"},
        running=SLOW,
    ),
    Case(
        "attach-without-bound",
        ("attach", "http://127.0.0.1:{port}/long", "--max-offered", "60"),
        {"ceiling.bounded": False, "confidence": "estimated"},
        running=BODIES,
    ),
    Case(
        "attach-too-quick",
        ("attach", "http://127.0.0.1:{port}/quick"),
        {"what": "/quick answers in "},
        running=BODIES,
    ),
    Case(
        "attach-not-found",
        ("attach", "http://127.0.0.1:{port}/nowhere"),
        {"what": "GET /nowhere is answered with HTTP 404."},
        running=BODIES,
    ),
)

RUNS = (*FLASK, *GUNICORN, *UWSGI, *THREAD_POOLS, *LOOPS, *ENDINGS, *CALLED, *OTHERS)
LOADS = (
    Case(
        "open",
        ("load", "http://127.0.0.1:{port}/", "--rate", "50", "--for", "3s", "--quiet", "--threshold", "errors<1%"),
        {"offered": 150},
        running=SLOW,
    ),
    Case(
        "closed",
        ("load", "http://127.0.0.1:{port}/", "--clients", "12", "--requests", "60", "--quiet"),
        {"offered": 60},
        running=SLOW,
    ),
)
