"""bjoern: a C server on libev that calls the application on its only thread.

`bjoern-binary` is the same server as a wheel; building `bjoern` needs a C compiler and libev's headers
(Debian: libev-dev). Either will do.

`listen_backlog` is the one number that its call takes (bjoern.py, run()); how many requests run is none of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.servers.adapter import Adapter, Package, Setting, as_given, by_module, spellings


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    return as_given(arguments, Setting("listen_backlog", 1024, Place.ACCEPT_QUEUE, spellings("listen_backlog")))


ADAPTER = Adapter(
    name="bjoern",
    packages=(Package("bjoern", "bjoern-binary", "bjoern-binary"), Package("bjoern", "bjoern", "bjoern")),
    launch=by_module("bjoern"),
    settings=_settings,
)
