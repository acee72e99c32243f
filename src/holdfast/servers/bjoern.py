"""bjoern: a C server on libev that calls the application on its only thread.

`bjoern-binary` is the same server as a wheel; building `bjoern` needs a C compiler and libev's headers
(Debian: libev-dev). Either will do.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.servers.adapter import Adapter, Package, Setting, by_module
from holdfast.servers.address import option_number


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    backlog = option_number(arguments, "--listen-backlog", "listen_backlog", default=1024)
    return (Setting("listen_backlog", backlog, Place.ACCEPT_QUEUE),)


ADAPTER = Adapter(
    name="bjoern",
    packages=(Package("bjoern", "bjoern-binary", "bjoern-binary"), Package("bjoern", "bjoern", "bjoern")),
    launch=by_module("bjoern"),
    settings=_settings,
)
