"""Flask's development server: `app.run()`, threaded, serial or with processes.

Its listener has Werkzeug's fixed backlog of 128 (werkzeug/serving.py, LISTEN_QUEUE); there is
no setting for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.servers.adapter import (
    LOOPBACK,
    Adapter,
    Launch,
    Package,
    Setting,
    Start,
    address_in,
    option_number,
    option_value,
)


def _launch(start: Start) -> Launch:
    host = option_value(start.arguments, "--host") or LOOPBACK
    is_ipv6 = ":" in host and "/" not in host
    address, port = address_in(f"[{host}]:{start.port}" if is_ipv6 else f"{host}:{start.port}")
    # The person's own port would be another than the one that is watched; 0 is for a free one.
    port = option_number(start.arguments, "--port") or port
    command = (start.interpreter, "-m", "holdfast_inside.flask_server", "--host", LOOPBACK)
    return Launch((*command, *start.arguments, "--port", str(port)), address, port)


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
