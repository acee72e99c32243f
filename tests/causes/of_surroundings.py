"""Planted causes: limits of the environment, of libraries and of the application, and settings in several places."""

from __future__ import annotations

from of_servers import BLOCKING, FEW, GTHREAD, ONE_LOOP, SYNC
from planted import UNDECIDED, Planted

ONE_EACH = "accept(2): each connection is a descriptor of its own"
OF_A_LOOP = "asyncio/selector_events.py: self._ssock, self._csock = socket.socketpair()"
INSIDE = "inside the application"
APPLICATION = "the application's own source: apps/{}.py"


def _nofile(server: str, nofile: int, *arguments: str, share: int = 1, options: tuple[str, ...] = ()) -> Planted:
    what = "-".join([server, "nofile", *(each.strip("-") for each in (*options, *arguments))])
    return Planted(
        what,
        server,
        "nofile",
        (ONE_EACH, *([OF_A_LOOP] if share > 1 else [])),
        law=f"1/{share}",
        options=("--nofile", str(nofile), *options),
        arguments=arguments,
    )


DESCRIPTORS = (
    _nofile("flask", 256),
    # An async view of Flask opens an event loop: an epoll and a pair of sockets beside the connection.
    _nofile("flask", 256, share=4, options=("--view", "async")),
    _nofile("django", 100),
    _nofile("uvicorn", 128),
    _nofile("uvicorn", 128, "--workers", "2"),
    _nofile("hypercorn", 128, "-w", "2"),
    _nofile("aiohttp", 128),
    _nofile("tornado", 150),
    _nofile("daphne", 128),
    # With a manager of processes it leaves that one's directory behind whenever it is killed.
    _nofile("sanic", 200, "--single-process"),
    _nofile("gevent", 120),
    _nofile("gunicorn", 110, "-k", "gevent", "-w", "2"),
)

ENVIRONMENT = (
    Planted(
        "flask-nproc",
        "flask",
        "nproc",
        ("getrlimit(2), RLIMIT_NPROC", "werkzeug/serving.py: class ThreadedWSGIServer"),
        options=("--nproc", "90"),
        as_root=True,
    ),
    Planted(
        "flask-address-space",
        "flask",
        "address space",
        ("pthread_create(3): a stack of RLIMIT_STACK for each thread", "werkzeug/serving.py: class ThreadedWSGIServer"),
        options=("--address-space", "1G"),
    ),
)

APPLICATIONS = (
    Planted(
        "uvicorn-semaphore-in-middleware",
        "uvicorn",
        INSIDE,
        (APPLICATION.format("semaphore_asgi"),),
        app="semaphore_asgi",
        needs=("starlette",),
        most=6,
    ),
    Planted(
        "hypercorn-semaphore-in-middleware-of-each-worker",
        "hypercorn",
        INSIDE,
        (APPLICATION.format("semaphore_asgi"),),
        app="semaphore_asgi",
        arguments=("-w", "2"),
        needs=("starlette",),
        most=12,
    ),
    Planted(
        "waitress-semaphore-in-middleware",
        "waitress",
        INSIDE,
        (APPLICATION.format("semaphore_wsgi"),),
        app="semaphore_wsgi",
        arguments=("--threads", "10"),
        needs=("flask",),
        most=3,
    ),
    Planted(
        "gunicorn-semaphore-in-middleware-of-each-worker",
        "gunicorn",
        INSIDE,
        (APPLICATION.format("semaphore_wsgi"),),
        app="semaphore_wsgi",
        arguments=("-w", "2", "--threads", "6"),
        needs=("flask",),
        most=6,
    ),
    Planted(
        "waitress-semaphore-in-the-body",
        "waitress",
        INSIDE,
        (APPLICATION.format("body_semaphore"),),
        app="body_semaphore",
        options=("--call",),
        arguments=("--threads", "10"),
        needs=("flask",),
    ),
    Planted(
        "uvicorn-semaphore-in-the-body",
        "uvicorn",
        INSIDE,
        (APPLICATION.format("body_semaphore_async"),),
        app="body_semaphore_async",
        options=("--call",),
        arguments=("--limit-concurrency", "60"),
        needs=("fastapi",),
    ),
    Planted(
        "waitress-semaphore-in-a-body-that-is-not-run",
        "waitress",
        "threads",
        ("waitress/task.py: class ThreadedTaskDispatcher",),
        law="threads",
        app="body_semaphore",
        arguments=("--threads", "10"),
        needs=("flask",),
        most=10,
    ),
    Planted(
        "uvicorn-dependency-of-seven",
        "uvicorn",
        INSIDE,
        ("fastapi/concurrency.py: Semaphore(self.max_concurrency)",),
        app="dependency",
        needs=("fastapi",),
        most=7,
    ),
    Planted(
        "uvicorn-pool-of-database-connections",
        "uvicorn",
        INSIDE,
        ("sqlalchemy/pool/impl.py: wait = use_overflow and self._overflow >= self._max_overflow",),
        app="queue_pool",
        needs=("fastapi", "sqlalchemy"),
        most=5,
    ),
    Planted(
        "uvicorn-a2wsgi",
        "uvicorn",
        INSIDE,
        ("a2wsgi/wsgi.py: max_workers=workers",),
        app="bridged",
        needs=("a2wsgi", "flask"),
        most=9,
    ),
)

LIBRARIES = (
    Planted(
        "uvicorn-forty-tokens",
        "uvicorn",
        "AnyIO tokens",
        ("anyio/_backends/_asyncio.py: limiter = CapacityLimiter(40)",),
        options=("--framework", "fastapi", "--view", "sync"),
        needs=("fastapi",),
        most=40,
    ),
    Planted(
        "hypercorn-ten-tokens",
        "hypercorn",
        "AnyIO tokens",
        (APPLICATION.format("ten_tokens"),),
        app="ten_tokens",
        needs=("fastapi",),
        most=10,
    ),
    Planted(
        "hypercorn-default-executor",
        "hypercorn",
        "default executor",
        ("concurrent/futures/thread.py: max_workers = min(32,", "quart/utils.py: it runs in the default executor"),
        app="default_executor",
        needs=("quart",),
    ),
    Planted(
        "uvicorn-asgiref-thread",
        "uvicorn",
        "asgiref thread",
        (
            "asgiref/sync.py: single_thread_executor = ThreadPoolExecutor(max_workers=1)",
            "asgiref/wsgi.py: @sync_to_async",
        ),
        app="asgiref_bridge",
        needs=("asgiref", "flask"),
        most=1,
    ),
    Planted(
        "uvicorn-wsgi-threads",
        "uvicorn",
        "WSGIMiddleware workers",
        ("uvicorn/middleware/wsgi.py: workers: int = 10",),
        arguments=("--interface", "wsgi"),
        most=10,
    ),
    Planted(
        "twisted-threads",
        "twisted",
        "maxthreads",
        ("twisted/python/threadpool.py: maxthreads: int = 20",),
        most=20,
    ),
)

NOTHING = (
    Planted("wsgiref-serves-one", "wsgiref", UNDECIDED, ("wsgiref/simple_server.py: class WSGIServer",), most=1),
    Planted("bjoern-serves-one", "bjoern", UNDECIDED, ("bjoern.py: def run",), most=1),
    Planted("aiohttp-has-no-bound", "aiohttp", UNDECIDED, (ONE_LOOP,), options=FEW),
    Planted(
        "uvicorn-django-gives-each-request-a-thread",
        "uvicorn",
        UNDECIDED,
        ("django/core/handlers/asgi.py: async with ThreadSensitiveContext():",),
        options=(*FEW, "--framework", "django", "--view", "sync"),
        needs=("django",),
    ),
    Planted("daphne-with-a-blocked-loop", "daphne", UNDECIDED, (ONE_LOOP,), options=BLOCKING, most=1),
)


def _gunicorn(id: str, names: frozenset[str] | str, *arguments: str, **more: object) -> Planted:
    return Planted(
        id,
        "gunicorn",
        names,
        (GTHREAD, SYNC, "gunicorn/app/base.py: self.load_config_from_module_name_or_filename"),
        app="hello",
        command=("gunicorn", "--bind", "127.0.0.1:0", *arguments, "hello:app"),
        needs=("flask",),
        **more,  # type: ignore[arg-type]
    )


COMMANDS = (
    _gunicorn("command-threads", "threads", "-w", "2", "--threads", "3", law="workers * threads", most=6),
    _gunicorn("variable-sets-workers", "workers", environment={"WEB_CONCURRENCY": "3"}, most=3),
    _gunicorn("option-overrides-variable", "workers", "-w", "2", environment={"WEB_CONCURRENCY": "5"}, most=2),
    _gunicorn(
        "variable-of-arguments", "threads", environment={"GUNICORN_CMD_ARGS": "--threads 4"}, law="threads", most=4
    ),
    _gunicorn(
        "variable-of-arguments-overrides-the-file",
        "threads",
        environment={"GUNICORN_CMD_ARGS": "--threads 4"},
        files={"gunicorn.conf.py": "threads = 7\n"},
        law="threads",
        most=4,
    ),
    _gunicorn("file-sets-threads", "threads", files={"gunicorn.conf.py": "threads = 5\n"}, law="threads", most=5),
    _gunicorn(
        "file-overrides-variable",
        "workers",
        environment={"WEB_CONCURRENCY": "2"},
        files={"gunicorn.conf.py": "workers = 4\n"},
        most=4,
    ),
    _gunicorn(
        "option-overrides-file-and-variable",
        "threads",
        "--threads",
        "6",
        environment={"GUNICORN_CMD_ARGS": "--threads 3"},
        files={"gunicorn.conf.py": "threads = 2\nworkers = 2\n"},
        law="workers * threads",
        most=12,
    ),
    Planted(
        "uwsgi-ini",
        "uwsgi",
        "processes",
        ("uWSGI documentation, Configuring uWSGI: ini files",),
        app="hello",
        command=("uwsgi", "--ini", "uwsgi.ini"),
        files={"uwsgi.ini": "[uwsgi]\nhttp-socket = 127.0.0.1:0\nmodule = hello:app\nmaster = true\nprocesses = 3\n"},
        needs=("flask",),
        most=3,
    ),
    Planted(
        "uvicorn-variable",
        "uvicorn",
        "limit_concurrency",
        ('uvicorn/main.py: "auto_envvar_prefix": "UVICORN"',),
        app="hello_async",
        command=("uvicorn", "--port", "0", "hello_async:app"),
        environment={"UVICORN_LIMIT_CONCURRENCY": "9"},
        needs=("starlette",),
        most=8,
    ),
    Planted(
        "granian-variable",
        "granian",
        "blocking_threads",
        ("granian/cli.py: GRANIAN",),
        app="hello",
        command=("granian", "--interface", "wsgi", "hello:app"),
        environment={"GRANIAN_BLOCKING_THREADS": "3", "GRANIAN_PORT": "0"},
        needs=("flask",),
        most=3,
    ),
    Planted(
        "waitress-command",
        "waitress",
        "threads",
        ("waitress/task.py: class ThreadedTaskDispatcher",),
        app="hello",
        command=("waitress-serve", "--listen=127.0.0.1:0", "--threads=5", "hello:app"),
        needs=("flask",),
        law="threads",
        most=5,
    ),
)
