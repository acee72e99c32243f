"""Werkzeug's `run_simple`, which serves one request at a time unless it is told otherwise.

Its listener's backlog is fixed (werkzeug/serving.py, LISTEN_QUEUE); there is no setting for it.
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
    name="werkzeug",
    packages=(Package("werkzeug", "werkzeug", "werkzeug"),),
    launch=by_module("werkzeug"),
    settings=_settings,
    reloaders=("--reload", "--use-reloader", "use_reloader"),
)
