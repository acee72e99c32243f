"""uWSGI over HTTP: its own router process (`--http`) or straight to the workers (`--http-socket`).

`uwsgi` is the source distribution, `pyuwsgi` the same server as a wheel; either will do. SIGTERM
reloads it (uWSGI documentation, "Signals for controlling uWSGI"), SIGINT ends the whole stack.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import TARGET, Adapter, Launch, Package, Setting, Start
from holdfast.servers.address import by_address, has_option, option_number
from holdfast.servers.timeouts import in_force

_LISTENERS = ("--http", "--http11", "--http-socket", "--http11-socket")
_ALIASES = ("-p", "--processes", "--workers", "processes", "workers")


def _launch(start: Start) -> Launch:
    listening = by_address(start.arguments, start.port, *_LISTENERS, socket=start.socket, spelling="{}")
    program = start.scripts.get("uwsgi") or start.scripts["pyuwsgi"]
    argv = (program, *listening.added, "--module", TARGET, *listening.arguments)
    return Launch(argv, listening.address, listening.port)


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    return (
        Setting("processes", option_number(arguments, *_ALIASES, default=1), Place.IN_SERVICE),
        Setting("threads", option_number(arguments, "--threads", "threads", default=1), Place.IN_SERVICE),
        Setting("listen", option_number(arguments, "-l", "--listen", "listen", default=100), Place.ACCEPT_QUEUE),
    )


# core/init.c: uwsgi.socket_timeout, for what a worker reads and writes itself.
_OF_WORKERS = Timeout("socket-timeout", 4, ("nothing", "half a request", "unread"), options=("--socket-timeout", "-z"))
# plugins/http/http.c, http_alloc_session(): as long as nothing else is given for heads.
_OF_ROUTER = Timeout("http-timeout", 60, ("nothing", "half a request", "unread"), options=("--http-timeout",))


def _timeouts(arguments: Sequence[str]) -> tuple[Timeout, ...]:
    straight = has_option(arguments, "--http-socket", "--http11-socket", "http-socket", "http11-socket")
    return (in_force(_OF_WORKERS if straight else _OF_ROUTER, arguments),)


ADAPTER = Adapter(
    name="uwsgi",
    packages=(Package("pyuwsgi", "pyuwsgi", "pyuwsgi"), Package("uwsgidecorators", "uwsgi", "uwsgi")),
    launch=_launch,
    extras={"--gevent": Package("gevent", "gevent", "gevent")},
    settings=_settings,
    reloaders=("--py-autoreload", "--python-autoreload", "--py-auto-reload"),
    daemons=("-d", "--daemonize", "--daemonize2"),
    executables=("uwsgi", "pyuwsgi"),
    stop_signal=int(signal.SIGINT),
    timeouts=_timeouts,
)
