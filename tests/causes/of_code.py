"""Planted causes: what applications wait for in code of their own, and settings that meet a library's limit."""

from __future__ import annotations

from of_servers import GTHREAD, KERNEL, ONE_LOOP, SYNC, named
from of_surroundings import APPLICATION, INSIDE, ONE_EACH
from planted import UNDECIDED, Planted

TOKENS = "anyio/_backends/_asyncio.py: limiter = CapacityLimiter(40)"
EXECUTOR = "concurrent/futures/thread.py: max_workers = min(32,"


def _body(name: str, server: str, *arguments: str, needs: tuple[str, ...] = ("flask",)) -> Planted:
    return Planted(
        f"{server}-{name.replace('_', '-')}",
        server,
        INSIDE,
        (APPLICATION.format(name),),
        app=name,
        options=("--call",),
        arguments=arguments,
        needs=needs,
    )


def _before(name: str, server: str, most: int, *arguments: str, needs: tuple[str, ...] = ("flask",)) -> Planted:
    return Planted(
        f"{server}-{name.replace('_', '-')}",
        server,
        INSIDE,
        (APPLICATION.format(name),),
        app=name,
        arguments=arguments,
        needs=needs,
        most=most,
    )


BODIES = (
    _body("body_lock", "waitress", "--threads", "6"),
    _body("body_queue", "gunicorn", "--threads", "8"),
    _body("body_condition", "cheroot", "--threads", "9"),
    _body("body_executor", "waitress", "--threads", "9"),
    _body("body_executor_async", "uvicorn", "--limit-concurrency", "60", needs=("fastapi",)),
    _body("body_lock_async", "uvicorn", "--limit-concurrency", "30", needs=("fastapi",)),
    _body("body_queue_async", "hypercorn", needs=("fastapi",)),
    _body("body_pool", "gunicorn", "--threads", "7", needs=("flask", "sqlalchemy")),
    _body("body_tornado_executor", "tornado", needs=("tornado",)),
    Planted(
        "uvicorn-body-to-thread",
        "uvicorn",
        named("default executor", INSIDE),
        (EXECUTOR, "asyncio/threads.py: loop.run_in_executor(None"),
        app="body_to_thread",
        options=("--call",),
        arguments=("--limit-concurrency", "60"),
        needs=("fastapi",),
    ),
)

GATES = (
    _before("before_request", "waitress", 3, "--threads", "10"),
    _before("before_request", "gunicorn", 6, "-w", "2", "--threads", "10"),
    _before("before_request", "flask", 3),
    _before("before_request", "uwsgi", 3, "--threads", "6"),
    _before("limiter_dependency", "uvicorn", 4, needs=("fastapi",)),
    _before("limiter_dependency", "granian", 4, "--interface", "asgi", needs=("fastapi",)),
    _before("aiohttp_middleware", "aiohttp", 5, needs=("aiohttp",)),
    _before("django_middleware", "waitress", 3, "--threads", "9", needs=("django",)),
    _before("in_pool_first", "uvicorn", 3, needs=("fastapi",)),
    _before("gevent_semaphore", "gunicorn", 3, "-k", "gevent", "--worker-connections", "20", needs=("flask", "gevent")),
)


def _below_its_threads(server: str) -> Planted:
    return Planted(
        f"{server}-nofile-below-its-threads",
        server,
        "nofile",
        (ONE_EACH,),
        law="1/1",
        options=("--nofile", "60"),
        arguments=("--threads", "200"),
    )


DESCRIPTORS_AND_THREADS = (
    _below_its_threads("cheroot"),
    _below_its_threads("waitress"),
    _below_its_threads("gunicorn"),
    Planted(
        "granian-nofile",
        "granian",
        "nofile",
        (ONE_EACH,),
        options=("--nofile", "90"),
        arguments=("--interface", "asgi"),
    ),
)

MORE = (
    Planted(
        "gunicorn-workers-computed-in-its-file",
        "gunicorn",
        "workers",
        (SYNC, "the file itself: cpu_count() * 2 + 1"),
        app="hello",
        command=("gunicorn", "--bind", "127.0.0.1:0", "hello:app"),
        files={"gunicorn.conf.py": "import multiprocessing\n\nworkers = multiprocessing.cpu_count() * 2 + 1\n"},
        needs=("flask",),
    ),
    Planted(
        "gunicorn-threads-that-only-running-its-file-gives",
        "gunicorn",
        "threads",
        (GTHREAD, "the file itself: 3 * len of the string"),
        app="hello",
        command=("gunicorn", "--bind", "127.0.0.1:0", "hello:app"),
        files={"gunicorn.conf.py": "threads = 3 * len('ab')\n"},
        needs=("flask",),
        most=6,
    ),
    Planted(
        "gunicorn-option-beats-variable-by-name",
        "gunicorn",
        "workers",
        ("gunicorn/config.py: WEB_CONCURRENCY", SYNC),
        arguments=("-w", "3"),
        environment={"WEB_CONCURRENCY": "7"},
        most=3,
    ),
    Planted(
        "uvicorn-workers-of-forty-tokens",
        "uvicorn",
        "AnyIO tokens",
        (TOKENS,),
        app="hello_fastapi",
        arguments=("--workers", "2"),
        needs=("fastapi",),
        most=80,
    ),
    Planted(
        "uvicorn-limit-concurrency-that-lets-forty-through",
        "uvicorn",
        named("AnyIO tokens", "limit_concurrency"),
        (TOKENS, "uvicorn/protocols/http/httptools_impl.py: limit_concurrency"),
        app="hello_fastapi",
        arguments=("--limit-concurrency", "41"),
        needs=("fastapi",),
        most=40,
    ),
    Planted(
        "uvicorn-limit-concurrency-above-forty-tokens",
        "uvicorn",
        "AnyIO tokens",
        (TOKENS,),
        app="hello_fastapi",
        arguments=("--limit-concurrency", "60"),
        needs=("fastapi",),
        most=40,
    ),
    Planted(
        "granian-backpressure-below-forty-tokens",
        "granian",
        "backpressure",
        ("granian/server/common.py: backpressure",),
        app="hello_fastapi",
        arguments=("--interface", "asgi", "--backpressure", "22"),
        needs=("fastapi",),
        most=22,
    ),
    Planted(
        "granian-backpressure-below-its-threads",
        "granian",
        "backpressure",
        ("granian/server/common.py: backpressure",),
        arguments=("--interface", "wsgi", "--blocking-threads", "9", "--backpressure", "4"),
        most=4,
    ),
    Planted(
        "granian-threads-of-two-workers",
        "granian",
        "blocking_threads",
        ("granian/server/common.py: self.blocking_threads = (",),
        law="workers * blocking_threads",
        arguments=("--interface", "wsgi", "--workers", "2", "--blocking-threads", "3"),
        most=6,
    ),
    Planted(
        "hypercorn-workers-in-its-file",
        "hypercorn",
        "workers",
        (ONE_LOOP,),
        app="hello_async",
        options=("--view", "async-blocking"),
        command=("hypercorn", "-b", "127.0.0.1:0", "-c", "h.toml", "hello_async:app"),
        files={"h.toml": "workers = 3\nbacklog = 30\n"},
        needs=("starlette",),
        most=3,
    ),
    Planted(
        "hypercorn-forty-tokens-of-workers-in-its-file",
        "hypercorn",
        "AnyIO tokens",
        (TOKENS,),
        app="hello_fastapi",
        command=("hypercorn", "-b", "127.0.0.1:0", "-c", "h.toml", "hello_fastapi:app"),
        files={"h.toml": "workers = 2\n"},
        needs=("fastapi",),
        most=80,
    ),
    Planted(
        "daphne-forty-tokens",
        "daphne",
        "AnyIO tokens",
        (TOKENS,),
        app="hello_fastapi",
        needs=("fastapi",),
        most=40,
    ),
    Planted(
        "daphne-asgi-threads",
        "daphne",
        named("ASGI_THREADS", "default executor"),
        ("daphne/server.py: ASGI_THREADS",),
        app="default_executor",
        environment={"ASGI_THREADS": "9"},
        needs=("quart",),
        most=9,
    ),
    Planted(
        "uwsgi-cheaper",
        "uwsgi",
        "processes",
        ("uWSGI documentation, The uWSGI cheaper subsystem: processes is the most that are spawned",),
        arguments=("--processes", "4", "--cheaper", "1"),
        most=4,
    ),
    Planted(
        "uwsgi-gevent",
        "uwsgi",
        "gevent",
        ("uWSGI documentation, Gevent: the number of async cores",),
        arguments=("--gevent", "9", "--gevent-monkey-patch"),
        needs=("gevent",),
        most=9,
    ),
    Planted(
        "uwsgi-listen",
        "uwsgi",
        "listen",
        ("uWSGI documentation, Options: listen, the size of the socket's queue",),
        place="accept_queue",
        arguments=("--listen", "17", "--processes", "2"),
    ),
    Planted(
        "uwsgi-file-alone",
        "uwsgi",
        "threads",
        ("uWSGI documentation, Things to know: threads are per process",),
        app="hello",
        command=("uwsgi", "u.ini"),
        files={
            "u.ini": "[uwsgi]\nn = 2\nhttp-socket = 127.0.0.1:0\nmodule = hello:app\nmaster = 1\nprocesses = %(n)\n"
            "threads = 4\n"
        },
        needs=("flask",),
        most=8,
    ),
    Planted(
        "gunicorn-uvicorn-worker-ignores-threads",
        "gunicorn",
        "AnyIO tokens",
        (TOKENS,),
        app="hello_fastapi",
        arguments=("-k", "uvicorn_worker.UvicornWorker", "-w", "2", "--threads", "40"),
        needs=("fastapi", "uvicorn_worker"),
        most=80,
    ),
    Planted(
        "waitress-command-limit-below-threads",
        "waitress",
        "connection_limit",
        ("waitress/server.py: def readable",),
        app="hello",
        command=("waitress-serve", "--listen=127.0.0.1:0", "--threads=6", "--connection-limit=5", "hello:app"),
        needs=("flask",),
        most=3,
    ),
    Planted(
        "flask-without-threads",
        "flask",
        "threaded",
        ("werkzeug/serving.py: class BaseWSGIServer",),
        arguments=("--without-threads",),
        most=1,
    ),
    Planted(
        "django-nothreading",
        "django",
        "threading",
        ("django/core/servers/basehttp.py: def run",),
        arguments=("--nothreading",),
        most=1,
    ),
    Planted(
        "waitress-differs-from-start-to-start",
        "waitress",
        UNDECIDED,
        (APPLICATION.format("other_semaphore_each_start"),),
        app="other_semaphore_each_start",
        arguments=("--threads", "20"),
        needs=("flask",),
    ),
    Planted(
        "granian-listen-backlog-beyond-somaxconn",
        "granian",
        "somaxconn",
        (KERNEL,),
        place="accept_queue",
        arguments=("--interface", "wsgi", "--blocking-threads", "4", "--backlog", "9000"),
    ),
)
