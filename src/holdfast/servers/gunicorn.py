"""gunicorn, with each of its worker classes.

Which class runs decides which settings count: `threads` turns the sync worker into gthread
(gunicorn/config.py, Config.worker_class), `worker_connections` bounds what a gthread worker
accepts (workers/gthread.py, ThreadWorker.run) and a gevent worker's pool (workers/ggevent.py),
and nothing of the ASGI worker (workers/gasgi.py), of uvicorn's or of aiohttp's
(aiohttp/worker.py, GunicornWebWorker), which serves an `aiohttp.web.Application`.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Silence, Timeout
from holdfast.servers.adapter import (
    ASGI,
    FRAMEWORKS,
    WSGI,
    Adapter,
    Interface,
    Launch,
    Package,
    Setting,
    Start,
    launched,
)
from holdfast.servers.address import by_address, option_number, option_value
from holdfast.servers.timeouts import in_force

_CLASS = ("-k", "--worker-class")


def _launch(start: Start) -> Launch:
    listening = by_address(start.arguments, start.port, "--bind", "-b", socket=start.socket)
    return launched(start, listening, "-m", "gunicorn", interface=_interface(start.arguments))


def _interface(arguments: Sequence[str]) -> Interface:
    name = (option_value(arguments, *_CLASS) or "sync").lower()
    if name.startswith("aiohttp."):
        return "aiohttp"
    return "asgi" if any(part in name for part in ("asgi", "uvicorn")) and "pywsgi" not in name else "wsgi"


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    workers = option_number(arguments, "-w", "--workers", default=1)
    threads = option_number(arguments, "--threads", default=1) or 1
    connections = option_number(arguments, "--worker-connections", default=1000)
    backlog = option_number(arguments, "--backlog", default=2048)
    name = (option_value(arguments, *_CLASS) or "sync").lower()
    settings = [
        Setting("workers", workers, Place.IN_SERVICE, ("--workers", "-w"), "WEB_CONCURRENCY"),
        Setting("backlog", backlog, Place.ACCEPT_QUEUE, ("--backlog",)),
    ]
    if "thread" in name or (name == "sync" and threads > 1):
        settings.append(Setting("threads", threads, Place.IN_SERVICE, ("--threads",)))
        settings.append(Setting("worker_connections", connections, Place.USERSPACE_QUEUE))
    elif "gevent" in name or "eventlet" in name:
        settings.append(Setting("worker_connections", connections, Place.IN_SERVICE))
    return tuple(settings)


_BEFORE_ANSWER: tuple[Silence, ...] = ("nothing", "half a request")
# config.py, Timeout: a sync worker that waits for a client does not report, so the arbiter ends it (murder_workers(),
# once a second). Every other class reports from another thread or loop.
_WORKER = Timeout(
    "timeout", 30, (*_BEFORE_ANSWER, "unread"), ends_worker=True, lag_s=2, options=("--timeout", "-t")
)
# workers/gthread.py, handle(): how long a thread waits for the first byte. Only then `keepalive` begins.
_FIRST_BYTE = Timeout("DEFAULT_WORKER_DATA_TIMEOUT", 5, ("nothing",))


def _timeouts(arguments: Sequence[str]) -> tuple[Timeout, ...]:
    name = (option_value(arguments, *_CLASS) or "sync").lower()
    threads = option_number(arguments, "--threads", default=1) or 1
    if name == "sync" and threads == 1:
        return (in_force(_WORKER, arguments),)
    ends: tuple[Silence, ...] = ("idle",)
    if "gevent" in name or "aiohttp" in name:
        # Of these, `keepalive` is also the time for a head: workers/base_async.py, handle(); aiohttp/worker.py.
        ends = (*_BEFORE_ANSWER, "idle")
    keepalive = in_force(Timeout("keepalive", 2, ends, options=("--keep-alive",)), arguments)
    if "tornado" in name:
        return ()
    return (_FIRST_BYTE, keepalive) if name in {"sync", "gthread"} else (keepalive,)


ADAPTER = Adapter(
    name="gunicorn",
    packages=(Package("gunicorn", "gunicorn", "gunicorn"),),
    frameworks={**WSGI, **ASGI, "aiohttp": FRAMEWORKS["aiohttp"]},
    launch=_launch,
    settings=_settings,
    extras={
        "-k aiohttp.GunicornWebWorker": Package("aiohttp", "aiohttp", "aiohttp"),
        "-k aiohttp.GunicornUVLoopWebWorker": Package("uvloop", "uvloop", "uvloop"),
        "-k gevent": Package("gevent", "gevent", "gevent"),
        "-k tornado": Package("tornado", "tornado", "tornado"),
        "-k uvicorn_worker.UvicornWorker": Package("uvicorn_worker", "uvicorn-worker", "uvicorn-worker"),
    },
    reloaders=("--reload",),
    daemons=("-D", "--daemon"),
    # SIGTERM waits for requests that are being handled, SIGQUIT does not (gunicorn docs, "Signal Handling").
    stop_signal=int(signal.SIGQUIT),
    timeouts=_timeouts,
)
