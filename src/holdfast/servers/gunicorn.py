"""gunicorn, with each of its worker classes.

Which class runs decides which settings count: `threads` turns the sync worker into gthread
(gunicorn/config.py, Config.worker_class), `worker_connections` bounds what a gthread worker
accepts (workers/gthread.py, ThreadWorker.run) and a gevent worker's pool (workers/ggevent.py),
and nothing of the ASGI worker (workers/gasgi.py), of uvicorn's or of aiohttp's
(aiohttp/worker.py, GunicornWebWorker), which serves an `aiohttp.web.Application`.

A worker whose class takes no notice of a setting accepts it nevertheless: the sync worker that of connections
(workers/sync.py), the ASGI worker that of threads, of which it warns (workers/gasgi.py, ASGIWorker.check_config). One
HTTP/2 connection has at most `http2_max_concurrent_streams` streams, which gthread and gevent run one after another
(workers/gthread.py, handle_http2(); workers/base_async.py), the ASGI worker together (asgi/protocol.py); sync
speaks no HTTP/2.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import replace

from holdfast.model.places import Place
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
    as_given,
    launched,
)
from holdfast.servers.address import by_address, option_value
from holdfast.servers.gunicorn_timeouts import timeouts

_CLASS = ("-k", "--worker-class")
_STREAMS = "http2_max_concurrent_streams"


def _launch(start: Start) -> Launch:
    listening = by_address(start.arguments, start.port, "--bind", "-b", socket=start.socket)
    return launched(start, listening, "-m", "gunicorn", interface=_interface(start.arguments))


def _interface(arguments: Sequence[str]) -> Interface:
    name = (option_value(arguments, *_CLASS) or "sync").lower()
    if name.startswith("aiohttp."):
        return "aiohttp"
    return "asgi" if any(part in name for part in ("asgi", "uvicorn")) and "pywsgi" not in name else "wsgi"


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    workers, threads, connections, streams, backlog = as_given(
        arguments,
        Setting("workers", 1, Place.IN_SERVICE, ("--workers", "-w"), "WEB_CONCURRENCY"),
        Setting("threads", 1, Place.IN_SERVICE, ("--threads",)),
        Setting("worker_connections", 1000, Place.IN_SERVICE, ("--worker-connections",)),
        Setting(_STREAMS, 100, Place.IN_SERVICE, ("--http2-max-concurrent-streams",), for_streams=True),
        Setting("backlog", 2048, Place.ACCEPT_QUEUE, ("--backlog",)),
    )
    name = (option_value(arguments, *_CLASS) or "sync").lower()
    is_sync, is_green = name == "sync" or name.endswith("syncworker"), "gevent" in name or "eventlet" in name
    has_threads = "thread" in name or (is_sync and (threads.value or 1) > 1)
    queue = Place.USERSPACE_QUEUE if has_threads or is_sync else Place.IN_SERVICE
    return (
        workers,
        backlog,
        replace(threads, counts=has_threads or is_sync),
        replace(connections, bounds=queue, counts=has_threads or is_green),
        replace(
            streams,
            bounds=Place.USERSPACE_QUEUE if has_threads or is_green else Place.IN_SERVICE,
            counts=has_threads or is_green or _is_own_asgi(name),
        ),
    )


def _is_own_asgi(name: str) -> bool:
    return "asgi" in name and "uvicorn" not in name


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
    # A worker takes 0.1 s to end (gunicorn/workers/base.py, handle_quit). The arbiter closes its sockets first, then it
    # looks each 0.1 s (arbiter.py, stop), and would take longer than any server is given.
    ends_with_workers=True,
    timeouts=timeouts,
)
