"""Flask's development server: `app.run()`, threaded, serial or with processes.

Its listener has Werkzeug's fixed backlog of 128 (werkzeug/serving.py, LISTEN_QUEUE); there is
no setting for it.

It is threaded unless it is told otherwise or given `processes` (flask/app.py, run(); flask/cli.py, run_command());
the command `flask run` has no option for processes.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.servers.adapter import Adapter, Package, Setting, by_module
from holdfast.servers.werkzeug import settings_of_run_simple


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    switches = {"threaded": True, "no-threaded": False, "with-threads": True, "without-threads": False}
    return settings_of_run_simple(arguments, switches, ("--without-threads", "--with-threads"), threaded=True)


ADAPTER = Adapter(
    name="flask",
    packages=(Package("flask", "flask", "flask"),),
    frameworks={"wsgi": ("flask",)},
    launch=by_module("flask"),
    settings=_settings,
    reloaders=("--reload", "--use-reloader", "use_reloader"),
)
