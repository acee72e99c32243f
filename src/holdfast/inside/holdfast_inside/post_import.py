"""Calls a function when a module has been imported, as tracing tools do.

A finder in front of all others asks them for the module's spec and patches `exec_module` of that spec's loader. The
loader object stays the same, so it still serves source and data to anything that asks for them.
"""

from __future__ import annotations

import _thread
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, FrozenSet, Iterable, Optional, Sequence, Set, Tuple

Arrived = Callable[[str], None]


class Finder:
    """Comes first in `sys.meta_path`; costs one set lookup for a name that is not watched."""

    def __init__(self, names: Iterable[str], arrived: Arrived) -> None:
        """Creates a finder that is not installed yet; see `watch`.

        Args:
            names: dotted names of the modules to watch.
            arrived: called with a module's name once the module is executed; must not raise.
        """
        self._names: FrozenSet[str] = frozenset(names)
        self._arrived = arrived
        self._asking: Set[Tuple[int, str]] = set()

    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]] = None, target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        """The spec that the other finders give, for a watched name; None leaves the import to them."""
        asked = (_thread.get_ident(), fullname)
        # What other code has put around this finder (Mercurial's demandimport) asks it again.
        if fullname not in self._names or asked in self._asking:
            return None
        self._asking.add(asked)
        try:
            for finder in sys.meta_path:
                find = None if finder is self else getattr(finder, "find_spec", None)
                spec = None if find is None else find(fullname, path, target)
                if spec is not None:
                    _tell_when_executed(spec.loader, fullname, self._arrived)
                    return spec  # type: ignore[no-any-return]
            return None
        finally:
            self._asking.discard(asked)


def _tell_when_executed(loader: Any, name: str, arrived: Arrived) -> None:  # noqa: ANN401 - loaders share no class
    execute = getattr(loader, "exec_module", None)
    if execute is None or isinstance(loader, type):
        return

    def exec_module(module: ModuleType) -> None:
        if module.__name__ != name:
            # One loader serves a whole archive, and it now executes another module than the watched one.
            execute(module)
            return
        vars(loader).pop("exec_module", None)
        execute(module)
        arrived(name)

    try:
        loader.exec_module = exec_module
    except AttributeError:
        return  # a loader with slots


def watch(names: Iterable[str], arrived: Arrived) -> None:
    """Calls `arrived` for each of these modules once it is imported; at once if it already is."""
    wanted = tuple(names)
    sys.meta_path.insert(0, Finder(wanted, arrived))
    for name in wanted:
        if name in sys.modules:
            arrived(name)
