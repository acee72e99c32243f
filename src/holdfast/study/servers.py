"""Every server that holdfast can start, with its defaults and with settings that people often use.

There are no claims: the table shows what is measured on this machine with the versions installed here. The settings are
chosen so that each of a server's bounds is reached in some row with a few hundred requests.
"""

from __future__ import annotations

from holdfast.model.experiment import Experiment, ProbeTarget, View
from holdfast.model.study import Case, Study

# If no bound is met by then, there is none: every default bound of a server is lower, except those below.
_OFFERED = 500
# Past the accept queues of gunicorn and uvicorn (2048), and what Granian takes (1024 of ASGI, 512 of WSGI).
_PAST_ANY_BACKLOG = 2500
# Past gunicorn's 1000 connections of each worker and the accept queue behind them.
_PAST_CONNECTIONS = 3200
# Past eventlet's pool (1024).
_PAST_GREENLETS = 1200


def _case(  # parameters: a row of the tables below each
    id: str,
    server: str,
    arguments: str,
    framework: str,
    view: View,
    offered: int = _OFFERED,
    note: str = "",
) -> Case:
    target = ProbeTarget(server, framework=framework, arguments=tuple(arguments.split()))
    experiment = Experiment(target, max_offered=offered, view=view)
    title = " ".join([server, *target.arguments, f"({framework}, {view})"])
    return Case(id, title, experiment, note=note)


_DEVELOPMENT = (
    _case("flask", "flask", "", "flask", "sync"),
    _case("flask-serial", "flask", "--no-threaded", "flask", "sync"),
    _case("flask-processes", "flask", "--processes 4", "flask", "sync"),
    _case("flask-async", "flask", "", "flask", "async", note="an event loop and a thread of its own for each request"),
    _case("werkzeug", "werkzeug", "", "flask", "sync"),
    _case("werkzeug-threads", "werkzeug", "--threaded", "flask", "sync"),
    _case("werkzeug-processes", "werkzeug", "--processes 4", "flask", "sync"),
    _case("django", "django", "", "django", "sync"),
    _case("django-serial", "django", "--nothreading", "django", "sync"),
    _case("wsgiref", "wsgiref", "", "flask", "sync"),
)

_GUNICORN = (
    _case("gunicorn", "gunicorn", "", "flask", "sync", _PAST_ANY_BACKLOG),
    _case("gunicorn-workers", "gunicorn", "-w 4 --backlog 64", "flask", "sync"),
    _case("gunicorn-gthread", "gunicorn", "-w 2 --threads 4", "flask", "sync", _PAST_CONNECTIONS + 1000),
    _case(
        "gunicorn-gthread-connections",
        "gunicorn",
        "--threads 4 --worker-connections 20 --backlog 64",
        "flask",
        "sync",
    ),
    _case("gunicorn-gthread-async", "gunicorn", "--threads 4 --backlog 64", "flask", "async"),
    _case("gunicorn-gevent", "gunicorn", "-k gevent", "flask", "sync", _PAST_CONNECTIONS),
    _case(
        "gunicorn-gevent-connections",
        "gunicorn",
        "-k gevent -w 2 --worker-connections 50 --backlog 64",
        "flask",
        "sync",
    ),
    _case(
        "gunicorn-eventlet",
        "gunicorn",
        "-k eventlet",
        "flask",
        "sync",
        _PAST_GREENLETS,
        note="gunicorn has no eventlet worker since 26.0",
    ),
    _case("gunicorn-tornado", "gunicorn", "-k tornado --backlog 64", "flask", "sync"),
    _case("gunicorn-asgi", "gunicorn", "-k asgi", "starlette", "async"),
    _case("gunicorn-asgi-blocking", "gunicorn", "-k asgi -w 2", "starlette", "async-blocking"),
    _case("gunicorn-uvicorn", "gunicorn", "-k uvicorn_worker.UvicornWorker -w 2", "starlette", "async"),
    _case("gunicorn-aiohttp", "gunicorn", "-k aiohttp.GunicornWebWorker -w 2", "aiohttp", "async"),
    _case("gunicorn-aiohttp-blocking", "gunicorn", "-k aiohttp.GunicornWebWorker -w 2", "aiohttp", "async-blocking"),
    _case("gunicorn-uvicorn-def", "gunicorn", "-k uvicorn_worker.UvicornWorker -w 2", "fastapi", "sync"),
)

_UWSGI = (
    _case("uwsgi", "uwsgi", "--http :0", "flask", "sync"),
    _case("uwsgi-threads", "uwsgi", "--http :0 --threads 10", "flask", "sync"),
    _case("uwsgi-processes", "uwsgi", "--http :0 --processes 2 --threads 4", "flask", "sync"),
    _case("uwsgi-socket", "uwsgi", "--http-socket :0", "flask", "sync"),
    _case("uwsgi-socket-processes", "uwsgi", "--http-socket :0 --processes 4", "flask", "sync"),
    _case(
        "uwsgi-socket-threads",
        "uwsgi",
        "--http-socket :0 --processes 2 --threads 4 --listen 50",
        "flask",
        "sync",
    ),
    _case("uwsgi-gevent", "uwsgi", "--http-socket :0 --gevent 50 --gevent-monkey-patch", "flask", "sync"),
    _case(
        "uwsgi-gevent-unpatched",
        "uwsgi",
        "--http-socket :0 --gevent 50",
        "flask",
        "sync",
        note="without gevent's monkey-patching a view that waits keeps the whole loop",
    ),
    _case("uwsgi-async", "uwsgi", "--http-socket :0 --threads 4", "flask", "async"),
)

_WSGI = (
    _case("waitress", "waitress", "", "flask", "sync", _PAST_ANY_BACKLOG),
    _case("waitress-threads", "waitress", "--threads 8", "flask", "sync", _PAST_ANY_BACKLOG),
    _case("waitress-connections", "waitress", "--threads 4 --connection-limit 20 --backlog 16", "flask", "sync"),
    _case("cheroot", "cheroot", "", "flask", "sync"),
    _case("cheroot-threads", "cheroot", "--threads 20", "flask", "sync"),
    _case("cheroot-queue", "cheroot", "--threads 4 --accepted-queue-size 20", "flask", "sync"),
    _case("gevent", "gevent", "", "flask", "sync"),
    _case("gevent-pool", "gevent", "--spawn 50", "flask", "sync"),
    _case("eventlet", "eventlet", "", "flask", "sync", _PAST_GREENLETS),
    _case("eventlet-pool", "eventlet", "--max-size 50", "flask", "sync"),
    _case("bjoern", "bjoern", "", "flask", "sync", _PAST_ANY_BACKLOG),
    _case("fastpysgi", "fastpysgi", "", "flask", "sync", _PAST_ANY_BACKLOG),
    _case("fastpysgi-workers", "fastpysgi", "--workers 4 --backlog 32", "flask", "sync"),
    _case("mod_wsgi", "mod_wsgi", "", "flask", "sync", 700),
    _case(
        "mod_wsgi-processes",
        "mod_wsgi",
        "--processes 2 --threads 10 --max-clients 40 --server-backlog 64",
        "flask",
        "sync",
    ),
    _case("twisted", "twisted", "", "flask", "sync"),
)

_ASGI = (
    _case("uvicorn", "uvicorn", "", "starlette", "async"),
    _case("uvicorn-blocking", "uvicorn", "", "starlette", "async-blocking", _PAST_ANY_BACKLOG),
    _case("uvicorn-workers", "uvicorn", "--workers 2", "starlette", "async"),
    _case("uvicorn-limit", "uvicorn", "--limit-concurrency 50", "starlette", "async"),
    _case("uvicorn-wsgi", "uvicorn", "--interface wsgi", "flask", "sync"),
    _case("hypercorn", "hypercorn", "", "starlette", "async"),
    _case("hypercorn-blocking", "hypercorn", "", "starlette", "async-blocking"),
    _case("hypercorn-workers", "hypercorn", "-w 2", "starlette", "async"),
    _case("hypercorn-wsgi", "hypercorn", "", "flask", "sync"),
    _case("granian", "granian", "--interface asgi", "starlette", "async", _PAST_ANY_BACKLOG),
    _case("granian-blocking", "granian", "--interface asgi", "starlette", "async-blocking", _PAST_ANY_BACKLOG),
    _case(
        "granian-pressure",
        "granian",
        "--interface asgi --workers 2 --backpressure 50",
        "starlette",
        "async",
        _PAST_ANY_BACKLOG,
    ),
    _case("granian-wsgi", "granian", "--interface wsgi", "flask", "sync", _PAST_ANY_BACKLOG),
    _case(
        "granian-wsgi-threads", "granian", "--interface wsgi --blocking-threads 8", "flask", "sync", _PAST_ANY_BACKLOG
    ),
    _case("granian-rsgi", "granian", "--interface rsgi", "rsgi", "async", _PAST_ANY_BACKLOG),
    _case("h2corn", "h2corn", "", "starlette", "async"),
    _case("h2corn-blocking", "h2corn", "", "starlette", "async-blocking"),
    _case("h2corn-limit", "h2corn", "--workers 2 --limit-concurrency 50", "starlette", "async"),
    _case("pyvoy", "pyvoy", "", "starlette", "async"),
    _case("pyvoy-wsgi", "pyvoy", "--interface wsgi", "flask", "sync"),
    _case("daphne", "daphne", "", "starlette", "async"),
    _case("daphne-blocking", "daphne", "", "starlette", "async-blocking"),
)

_OWN = (
    _case("tornado", "tornado", "", "tornado", "async"),
    _case("tornado-blocking", "tornado", "", "tornado", "sync"),
    _case("tornado-processes", "tornado", "--processes 2", "tornado", "async"),
    _case("aiohttp", "aiohttp", "", "aiohttp", "async"),
    _case("aiohttp-blocking", "aiohttp", "", "aiohttp", "async-blocking"),
    _case("sanic", "sanic", "", "sanic", "async"),
    _case("sanic-blocking", "sanic", "", "sanic", "sync"),
    _case("sanic-workers", "sanic", "-w 2", "sanic", "async"),
)

_FRAMEWORKS = (
    _case("fastapi-def", "uvicorn", "", "fastapi", "sync"),
    _case("fastapi-async", "uvicorn", "", "fastapi", "async"),
    _case("fastapi-blocking", "uvicorn", "", "fastapi", "async-blocking", _PAST_ANY_BACKLOG),
    _case("django-asgi", "uvicorn", "", "django", "sync"),
    _case("django-asgi-async", "uvicorn", "", "django", "async"),
    _case("django-daphne", "daphne", "", "django", "sync"),
    _case("quart-def", "uvicorn", "", "quart", "sync"),
    _case("quart-async", "uvicorn", "", "quart", "async"),
    _case("litestar-def", "uvicorn", "", "litestar", "sync"),
    _case("litestar-async", "uvicorn", "", "litestar", "async"),
)

STUDY = Study("servers", (*_DEVELOPMENT, *_GUNICORN, *_UWSGI, *_WSGI, *_ASGI, *_OWN, *_FRAMEWORKS))
