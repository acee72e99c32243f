"""Flask's development server: `app.run()`, threaded, serial or with processes.

Its listener has Werkzeug's fixed backlog of 128 (werkzeug/serving.py, LISTEN_QUEUE); there is
no setting for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.servers.adapter import LOOPBACK, Adapter, Launch, Package, Setting, Start, option_number


def _launch(start: Start) -> Launch:
    command = (start.interpreter, "-m", "holdfast_inside.flask_server", "--host", LOOPBACK)
    return Launch((*command, "--port", str(start.port), *start.arguments), LOOPBACK, start.port)


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    processes = option_number(arguments, "--processes", "processes", default=1)
    return (Setting("processes", processes, Place.IN_SERVICE),)


ADAPTER = Adapter(
    name="flask",
    packages=(Package("flask", "flask", "flask"),),
    framework="flask",
    launch=_launch,
    settings=_settings,
)
