"""Flask's development server: `app.run()`, threaded, serial or with processes.

Its listener has Werkzeug's fixed backlog of 128 (werkzeug/serving.py, LISTEN_QUEUE); there is
no setting for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.servers.adapter import Adapter, Package, Setting, by_module
from holdfast.servers.address import option_number


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    processes = option_number(arguments, "--processes", "processes", default=1)
    return (Setting("processes", processes, Place.IN_SERVICE), Setting("LISTEN_QUEUE", 128, Place.ACCEPT_QUEUE))


ADAPTER = Adapter(
    name="flask",
    packages=(Package("flask", "flask", "flask"),),
    frameworks={"wsgi": ("flask",)},
    launch=by_module("flask"),
    settings=_settings,
    reloaders=("--reload", "--use-reloader", "use_reloader"),
)
