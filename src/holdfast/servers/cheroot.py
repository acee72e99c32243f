"""cheroot, CherryPy's server: one thread accepts, `threads` others read requests and run them.

Between them is a queue without a bound, unless `accepted_queue_size` gives one
(cheroot/workers/threadpool.py, ThreadPool.__init__; -1 is none).

The pool starts with `--threads` and nothing makes it grow: `--max-threads` is only compared with it, and a smaller
one is refused (the same __init__; nothing calls ThreadPool.grow). No environment variable sets any of them
(cheroot/cli.py, _arg_spec).
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import Adapter, Launch, Package, Setting, Start, as_given, launched
from holdfast.servers.address import by_address
from holdfast.servers.timeouts import timeouts


def _launch(start: Start) -> Launch:
    listening = by_address(start.arguments, start.port, "--bind", socket=start.socket, spelling="{}")
    return launched(start, listening, "-m", "cheroot")


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    return as_given(
        arguments,
        Setting("threads", 10, Place.IN_SERVICE, ("--threads",)),
        Setting("accepted_queue_size", None, Place.USERSPACE_QUEUE, ("--accepted-queue-size",)),
        Setting("request_queue_size", 5, Place.ACCEPT_QUEUE, ("--request-queue-size",)),
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
