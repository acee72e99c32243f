"""What is done in a process of the person's own command when a framework or a server has been imported.

Frameworks get their hooks, by which requests are held inside views. Servers get a way to hold a request at
the entry of an application in which no framework is known. Nothing of this may be noticed by the process: what
fails is told to holdfast and tried again when more has been imported, since a module may arrive while the
package around it is still incomplete.
"""

from __future__ import annotations

from typing import Dict

from . import entry_wrappers, hooks, post_import, startup_report

# Module -> the framework's module whose hook reaches further once this one is there too.
COMPLETING: Dict[str, str] = {
    "django.core.handlers.asgi": "django.core.handlers.base",
    "django.core.handlers.wsgi": "django.core.handlers.base",
    "starlette.applications": "starlette.routing",
}

_waiting: Dict[str, str] = {}
"""What has arrived and could not be prepared yet -> what went wrong, in words."""


def watch() -> None:
    """Begins to wait for them."""
    post_import.watch({*hooks.HOOKS, *hooks.BRIDGES, *entry_wrappers.SERVERS, *COMPLETING}, _arrived)


def prepare() -> None:
    """Prepares everything that has arrived and is not prepared yet."""
    for name in list(_waiting):
        try:
            _prepare(name)
        except Exception as error:
            said = repr(error)
            if _waiting.get(name) != said:
                _waiting[name] = said
                startup_report.failed(name, error)
        else:
            _waiting.pop(name, None)
            startup_report.say("ready", name)


def _arrived(name: str) -> None:
    _waiting[COMPLETING.get(name, name)] = ""
    prepare()


def _prepare(name: str) -> None:
    from . import recorder

    # Now, while there are descriptors and permissions for it.
    recorder.record()
    hooks.install_for(name)
    if name in entry_wrappers.SERVERS:
        entry_wrappers.install(name, prepare)
