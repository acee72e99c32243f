"""Instruments a process of the user's own command whenever it has imported a framework or a server.

Frameworks get their hooks, which hold requests inside views. Servers get wrappers that hold requests at the entry of
an application of no known framework. The process must not notice: a failure is reported to holdfast only, and tried
again after the next import, because a module may finish while the package around it is still incomplete.
"""

from __future__ import annotations

import sys
from typing import Dict, Sequence

from . import c_loaders, entry_wrappers, hooks, post_import, startup_report

# Module -> the framework's module whose hook covers more once this one is loaded too.
COMPLETING: Dict[str, str] = {
    "django.core.handlers.asgi": "django.core.handlers.base",
    "django.core.handlers.wsgi": "django.core.handlers.base",
    "starlette.applications": "starlette.routing",
    "starlette.staticfiles": "starlette.routing",
}

_HTTP, _SERVERS_AND_HANDLERS, _SOCKETS = "http.server", "socketserver", "socket"

_QUEUES = ("queue", "gevent.queue", "eventlet.queue")

_pending: Dict[str, str] = {}
"""Imported modules that are not instrumented yet -> the last error, "" before the first attempt."""


def watch() -> None:
    """Starts to instrument each known framework and server as soon as it is imported."""
    c_loaders.watch(_wrap, _wrap_named)
    # `python -m http.server` has it as `__main__`. Of others, many import `socketserver` only by way of logging.
    started: Sequence[str] = getattr(sys, "orig_argv", ("-m", _HTTP))  # not known before Python 3.10
    runs_it = ("-m", _HTTP) in zip(started, started[1:])
    post_import.watch((_SERVERS_AND_HANDLERS if runs_it else _HTTP, _SOCKETS, *_QUEUES), _on_standard_library)
    servers = {*entry_wrappers.SERVERS, *entry_wrappers.REPLACED}
    post_import.watch({*hooks.HOOKS, *hooks.BRIDGES, *servers, *COMPLETING}, _on_arrival)


def prepare() -> None:
    """Instruments every imported module that is still pending; failures stay pending and are reported."""
    for name in list(_pending):
        try:
            _prepare(name)
        except Exception as error:
            said = repr(error)
            if _pending.get(name) != said:
                _pending[name] = said
                startup_report.report_failure(name, error)
        else:
            _pending.pop(name, None)
            startup_report.report("ready", name)
            if name in hooks.HOOKS:
                startup_report.report("views", name)


def _wrap(application: object) -> object:
    return _wrapped(application, "uwsgi", entry_wrappers.FROM_C)


def _wrap_named(application: object) -> object:
    return _wrapped(application, "command line", entry_wrappers.NAMED)


def _wrapped(application: object, name: str, point: entry_wrappers.EntryPoint) -> object:
    from . import recorder

    try:
        recorder.record()
    except Exception as error:
        startup_report.report_failure("record", error)
        return application
    prepare()
    return entry_wrappers.wrap_once(application, name, point)


def _on_standard_library(name: str) -> None:
    try:
        if name == _SOCKETS:
            from . import accepting

            accepting.install(name)
            return
        if name in _QUEUES:
            from . import queues

            queues.install(name)
            return
        from . import socketserver_hook

        socketserver_hook.install(sys.modules[_SERVERS_AND_HANDLERS])
    except Exception as error:
        startup_report.report_failure(name, error)


def _on_arrival(name: str) -> None:
    _pending[COMPLETING.get(name, name)] = ""
    prepare()


def _prepare(name: str) -> None:
    from . import recorder

    # Map the record now, while descriptors and permissions allow it.
    recorder.record()
    hooks.install_for(name)
    if name in entry_wrappers.SERVERS:
        entry_wrappers.install(name, prepare)
    if name in entry_wrappers.REPLACED:
        entry_wrappers.note_replaced(name)
