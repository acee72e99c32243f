"""uWSGI over HTTP: its own router process (`--http`) or straight to the workers (`--http-socket`).

`uwsgi` is the source distribution, `pyuwsgi` the same server as a wheel; either will do. SIGTERM
reloads it (uWSGI documentation, "Signals for controlling uWSGI"), SIGINT ends the whole stack.

Each option has an environment variable UWSGI_NAME, which is read before the command line, so that the command line
wins: of an option given twice the last value does (core/uwsgi.c, uwsgi_setup(); core/utils.c, parse_sys_envs()).
`cheaper` is the least number of workers: while they are all busy others are started, up to `processes`
(core/master_utils.c, uwsgi_calc_cheaper()). A worker has `threads` cores, or as many as --gevent and --async say, the
last of them (core/init.c, sanitize_args(); plugins/gevent/gevent.c): with both, it crashes.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import replace

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import TARGET, Adapter, Launch, Package, Setting, Start, as_given
from holdfast.servers.address import by_address, has_option
from holdfast.servers.timeouts import in_force

_LISTENERS = ("--http", "--http11", "--http-socket", "--http11-socket")


def _launch(start: Start) -> Launch:
    listening = by_address(start.arguments, start.port, *_LISTENERS, socket=start.socket, spelling="{}")
    program = start.scripts.get("uwsgi") or start.scripts["pyuwsgi"]
    argv = (program, *listening.added, "--module", TARGET, *listening.arguments)
    return Launch(argv, listening.address, listening.port)


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    processes, threads, cores, cheaper, listen = as_given(
        arguments,
        Setting("processes", 1, Place.IN_SERVICE, ("--processes", "-p", "--workers"), "UWSGI_PROCESSES"),
        Setting("threads", 1, Place.IN_SERVICE, ("--threads",), "UWSGI_THREADS"),
        Setting(
            "gevent" if has_option(arguments, "--gevent") else "async",
            None,
            Place.IN_SERVICE,
            ("--async", "--gevent"),
            "UWSGI_ASYNC",
            ("UWSGI_GEVENT",),
        ),
        Setting("cheaper", None, Place.IN_SERVICE, ("--cheaper",), "UWSGI_CHEAPER", counts=False),
        Setting("listen", 100, Place.ACCEPT_QUEUE, ("--listen", "-l"), "UWSGI_LISTEN"),
    )
    given = (each for each in (cores, cheaper) if each.value is not None)
    return (
        replace(processes, weaker_variables=("UWSGI_WORKERS",)),
        replace(threads, counts=cores.value is None),
        *given,
        listen,
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
