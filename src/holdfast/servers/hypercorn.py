"""hypercorn: an event loop for each worker process; a WSGI application runs in the loop's default executor.

That executor has min(32, CPUs + 4) threads (concurrent/futures/thread.py, ThreadPoolExecutor); nothing
of hypercorn sets it. Which interface is served, hypercorn sees from the application itself
(hypercorn/utils.py, load_application), or is told by a prefix of its name, `wsgi:module:attr`.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import ASGI, TARGET, WSGI, Adapter, Launch, Package, Setting, Start, launched
from holdfast.servers.address import by_address, option_number
from holdfast.servers.timeouts import timeouts


def _launch(start: Start) -> Launch:
    listening = by_address(start.arguments, start.port, "--bind", "-b", socket=start.socket)
    interface = start.interface or "asgi"
    return launched(start, listening, "-m", "hypercorn", app=f"{interface}:{TARGET}", interface=interface)


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    return (
        Setting("workers", option_number(arguments, "-w", "--workers", default=1), Place.IN_SERVICE),
        Setting("backlog", option_number(arguments, "--backlog", default=100), Place.ACCEPT_QUEUE),
    )


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
