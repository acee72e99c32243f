"""cheroot, CherryPy's server: one thread accepts, `threads` others read requests and run them.

Between them is a queue without a bound, unless `accepted_queue_size` gives one
(cheroot/workers/threadpool.py, ThreadPool.__init__; -1 is none).
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import Adapter, Launch, Package, Setting, Start, launched
from holdfast.servers.address import by_address, option_number
from holdfast.servers.timeouts import timeouts


def _launch(start: Start) -> Launch:
    listening = by_address(start.arguments, start.port, "--bind", socket=start.socket, spelling="{}")
    return launched(start, listening, "-m", "cheroot")


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    return (
        Setting("threads", option_number(arguments, "--threads", default=10), Place.IN_SERVICE),
        Setting("accepted_queue_size", option_number(arguments, "--accepted-queue-size"), Place.USERSPACE_QUEUE),
        Setting("request_queue_size", option_number(arguments, "--request-queue-size", default=5), Place.ACCEPT_QUEUE),
    )


ADAPTER = Adapter(
    name="cheroot",
    packages=(Package("cheroot", "cheroot", "cheroot"),),
    launch=_launch,
    settings=_settings,
    timeouts=timeouts(
        # cheroot/server.py, HTTPServer.timeout, which connections.py sets for each socket and looks at in _expire().
        Timeout("timeout", 10, ("nothing", "half a request", "idle", "unread"), options=("--timeout",)),
    ),
)
