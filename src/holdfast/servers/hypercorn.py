"""hypercorn: an event loop for each worker process; a WSGI application runs in the loop's default executor.

That executor has min(32, CPUs + 4) threads (concurrent/futures/thread.py, ThreadPoolExecutor); nothing
of hypercorn sets it. Which interface is served, hypercorn sees from the application itself
(hypercorn/utils.py, load_application), or is told by a prefix of its name, `wsgi:module:attr`.

`h2_max_concurrent_streams` bounds what is in service on one HTTP/2 connection; only a file sets it, as no option does
(hypercorn/__main__.py), and no environment variable sets anything. `max_requests` bounds the life of a worker.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import ASGI, TARGET, WSGI, Adapter, Launch, Package, Setting, Start, as_given, launched
from holdfast.servers.address import by_address
from holdfast.servers.timeouts import timeouts


def _launch(start: Start) -> Launch:
    listening = by_address(start.arguments, start.port, "--bind", "-b", socket=start.socket)
    interface = start.interface or "asgi"
    return launched(start, listening, "-m", "hypercorn", app=f"{interface}:{TARGET}", interface=interface)


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    given = as_given(
        arguments,
        Setting("workers", 1, Place.IN_SERVICE, ("--workers", "-w")),
        Setting("backlog", 100, Place.ACCEPT_QUEUE, ("--backlog",)),
    )
    return (*given, Setting("h2_max_concurrent_streams", 100, Place.IN_SERVICE, for_streams=True))


ADAPTER = Adapter(
    name="hypercorn",
    packages=(Package("hypercorn", "hypercorn", "hypercorn"),),
    frameworks={**ASGI, **WSGI},
    launch=_launch,
    settings=_settings,
    reloaders=("--reload",),
    timeouts=timeouts(
        # hypercorn/config.py, Config; asyncio/tcp_server.py: TCPServer.run() and _read_data().
        Timeout("keep_alive_timeout", 5, ("nothing", "half a request", "idle"), options=("--keep-alive",)),
        Timeout("read_timeout", None, ("nothing", "half a request", "idle"), options=("--read-timeout",)),
    ),
)
