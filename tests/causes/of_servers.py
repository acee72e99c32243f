"""Planted causes: the server's own settings."""

from __future__ import annotations

from planted import UNDECIDED, Planted

GTHREAD = "gunicorn/workers/gthread.py: max_workers=self.cfg.threads"
GEVENT_POOL = "gunicorn/workers/ggevent.py: pool = Pool(self.worker_connections)"
SYNC = "gunicorn/workers/sync.py: self.handle(listener, client, addr)"
ONE_LOOP = "asyncio/base_events.py: def run_forever"
KERNEL = "listen(2), Notes: a backlog greater than somaxconn is silently truncated to it"
OPTION_OF_GRANIAN = "granian/server/common.py: self.backpressure = max(1, backpressure or self.backlog // self.workers)"
BLOCKING = ("--view", "async-blocking")
FEW = ("--max-offered", "400")


def named(*names: str) -> frozenset[str]:
    return frozenset(names)


THREADS = (
    Planted(
        "gunicorn-threads-of-two-workers",
        "gunicorn",
        "threads",
        (GTHREAD,),
        law="workers * threads",
        arguments=("-w", "2", "--threads", "4"),
        most=8,
    ),
    Planted(
        "gunicorn-threads-of-one-worker",
        "gunicorn",
        "threads",
        (GTHREAD,),
        law="workers * threads",
        arguments=("--threads", "9"),
        most=9,
    ),
    Planted(
        "waitress-threads",
        "waitress",
        "threads",
        ("waitress/task.py: class ThreadedTaskDispatcher",),
        law="threads",
        arguments=("--threads", "6"),
        most=6,
    ),
    Planted(
        "cheroot-threads",
        "cheroot",
        "threads",
        ("cheroot/workers/threadpool.py: def _spawn_worker",),
        law="threads",
        arguments=("--threads", "7"),
        most=7,
    ),
    Planted(
        "cheroot-threads-as-long-as-its-backlog",
        "cheroot",
        "threads",
        ("cheroot/workers/threadpool.py: def _spawn_worker",),
        law="threads",
        arguments=("--threads", "9", "--request-queue-size", "9"),
        most=9,
    ),
    Planted(
        "uwsgi-threads-of-two-processes",
        "uwsgi",
        "threads",
        ("uWSGI documentation, Things to know: threads are per process",),
        law="processes * threads",
        arguments=("--processes", "2", "--threads", "3"),
        most=6,
    ),
    Planted(
        "granian-blocking-threads",
        "granian",
        "blocking_threads",
        ("granian/server/common.py: self.blocking_threads = (",),
        law="workers * blocking_threads",
        arguments=("--interface", "wsgi", "--blocking-threads", "4"),
        most=4,
    ),
    Planted(
        "pyvoy-worker-threads",
        "pyvoy",
        "worker_threads",
        ("pyvoy/_server.py: worker_threads",),
        law="worker_threads",
        arguments=("--interface", "wsgi", "--worker-threads", "5"),
        most=5,
    ),
    Planted(
        "waitress-threads-beside-a-backlog-of-that-number",
        "waitress",
        "threads",
        ("waitress/task.py: class ThreadedTaskDispatcher",),
        law="threads",
        arguments=("--threads", "30", "--backlog", "30"),
        most=30,
    ),
)

WORKERS = (
    Planted("gunicorn-sync-workers", "gunicorn", named("workers"), (SYNC,), arguments=("-w", "5"), most=5),
    Planted(
        "gunicorn-sync-worker-ignores-connections",
        "gunicorn",
        named("workers"),
        (SYNC, "gunicorn/config.py: class WorkerConnections"),
        arguments=("-w", "4", "--worker-connections", "4"),
        most=4,
    ),
    Planted(
        "gunicorn-tornado-worker-ignores-threads",
        "gunicorn",
        "workers",
        ("gunicorn/config.py: if is_sync and self.threads > 1:",),
        law="workers",
        arguments=("-k", "tornado", "-w", "3", "--threads", "3"),
        most=3,
    ),
    Planted(
        "uwsgi-processes",
        "uwsgi",
        named("processes"),
        ("uWSGI documentation, Glossary: a worker is a process that serves one request at a time without threads",),
        arguments=("--processes", "4"),
        most=4,
    ),
    Planted(
        "werkzeug-processes",
        "werkzeug",
        "processes",
        ("werkzeug/serving.py: self.max_children = processes",),
        arguments=("--processes", "6"),
    ),
    Planted(
        "flask-processes",
        "flask",
        "processes",
        ("werkzeug/serving.py: self.max_children = processes",),
        arguments=("--processes", "5"),
    ),
    Planted(
        "hypercorn-workers-with-blocked-loops",
        "hypercorn",
        "workers",
        ("hypercorn/run.py: config.workers", ONE_LOOP),
        law="workers",
        options=BLOCKING,
        arguments=("-w", "3"),
        most=3,
    ),
    Planted(
        "uvicorn-workers-with-blocked-loops",
        "uvicorn",
        "workers",
        ("uvicorn/supervisors/multiprocess.py: self.processes", ONE_LOOP),
        law="workers",
        options=BLOCKING,
        arguments=("--workers", "2"),
        most=2,
    ),
    Planted(
        "tornado-processes-with-blocked-loops",
        "tornado",
        "processes",
        ("tornado/process.py: def fork_processes", ONE_LOOP),
        law="processes",
        options=BLOCKING,
        arguments=("--processes", "3"),
        most=3,
    ),
    Planted(
        "fastpysgi-workers",
        "fastpysgi",
        "workers",
        ("fastpysgi.py: self.num_workers = workers if workers is not None else self.num_workers",),
        law="workers",
        arguments=("--workers", "3"),
        most=3,
    ),
)

CONNECTIONS = (
    Planted(
        "gunicorn-gevent-connections",
        "gunicorn",
        "worker_connections",
        (GEVENT_POOL,),
        law="workers * worker_connections",
        arguments=("-k", "gevent", "-w", "2", "--worker-connections", "12"),
        most=24,
    ),
    Planted(
        "gunicorn-gevent-connections-beside-ignored-threads",
        "gunicorn",
        "worker_connections",
        (GEVENT_POOL, "gunicorn/config.py: if is_sync and self.threads > 1:"),
        law="workers * worker_connections",
        arguments=("-k", "gevent", "--worker-connections", "14", "--threads", "14"),
        most=14,
    ),
    Planted(
        "gunicorn-gthread-accepts-no-more-than-it-runs",
        "gunicorn",
        named("threads", "worker_connections"),
        (GTHREAD, "gunicorn/workers/gthread.py: can_accept = self.nr_conns < self.worker_connections"),
        law="workers * min(threads, worker_connections)",
        arguments=("--threads", "8", "--worker-connections", "8"),
        most=8,
    ),
    Planted(
        "eventlet-pool",
        "eventlet",
        "max_size",
        ("eventlet/wsgi.py: pool = eventlet.GreenPool(max_size)",),
        law="max_size",
        arguments=("--max-size", "20"),
        most=20,
    ),
    Planted(
        "gevent-pool",
        "gevent",
        "spawn",
        ("gevent/baseserver.py: if self.full():",),
        law="spawn",
        arguments=("--spawn", "15"),
        most=15,
    ),
    Planted(
        "uvicorn-limit-concurrency",
        "uvicorn",
        "limit_concurrency",
        ("uvicorn/protocols/http/h11_impl.py: len(self.connections) >= self.limit_concurrency",),
        law="workers * (limit_concurrency - 1)",
        arguments=("--limit-concurrency", "20"),
        most=19,
    ),
    Planted(
        "h2corn-limit-concurrency",
        "h2corn",
        "limit_concurrency",
        ("h2corn/_config.py: limit_concurrency: int = _option(",),
        law="workers * limit_concurrency",
        arguments=("--limit-concurrency", "10"),
        most=10,
    ),
    Planted(
        "granian-backpressure",
        "granian",
        "backpressure",
        (OPTION_OF_GRANIAN,),
        law="workers * backpressure",
        arguments=("--backpressure", "30"),
        most=30,
    ),
    Planted(
        "waitress-connection-limit",
        "waitress",
        "connection_limit",
        ("waitress/server.py: len(self._map) < self.adj.connection_limit",),
        place="userspace_queue",
        arguments=("--threads", "5", "--connection-limit", "40"),
    ),
    Planted(
        "gunicorn-gthread-connections",
        "gunicorn",
        "worker_connections",
        ("gunicorn/workers/gthread.py: can_accept = self.nr_conns < self.worker_connections",),
        place="userspace_queue",
        arguments=("--threads", "5", "--worker-connections", "60"),
    ),
)

BACKLOGS = (
    Planted(
        "gunicorn-backlog-beyond-somaxconn",
        "gunicorn",
        "somaxconn",
        (KERNEL, "gunicorn/sock.py: sock.listen(self.conf.backlog)"),
        place="accept_queue",
        arguments=("-w", "2", "--backlog", "100000"),
    ),
    Planted(
        "waitress-backlog",
        "waitress",
        "backlog",
        ("waitress/adjustments.py: backlog",),
        place="accept_queue",
        arguments=("--threads", "3", "--backlog", "10"),
    ),
    Planted(
        "uvicorn-backlog",
        "uvicorn",
        "backlog",
        ("uvicorn/server.py: backlog=config.backlog",),
        place="accept_queue",
        options=BLOCKING,
        arguments=("--backlog", "50"),
    ),
    Planted(
        "flask-backlog-has-no-option",
        "flask",
        UNDECIDED,
        ("werkzeug/serving.py: LISTEN_QUEUE = 128",),
        place="accept_queue",
        arguments=("--without-threads",),
    ),
)
