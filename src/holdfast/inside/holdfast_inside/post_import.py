"""Runs something when a module has been imported, as tracing tools do it.

A finder in front of all others asks them for the module's spec and lets the spec's own loader tell when it has
executed the module. The loader stays the one that it is, so whoever asks it for source or data gets them.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, FrozenSet, Iterable, Optional, Sequence

Arrived = Callable[[str], None]


class Finder:
    """Stands first in `sys.meta_path`; for names that are not watched it costs one look into a set."""

    def __init__(self, names: Iterable[str], arrived: Arrived) -> None:
        """Changes nothing yet.

        Args:
            names: of modules, dotted.
            arrived: is called with the name of each once it is executed; it must not raise.
        """
        self._names: FrozenSet[str] = frozenset(names)
        self._arrived = arrived

    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]] = None, target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        """What the other finders find, if it is watched; None lets the import go its ordinary way."""
        if fullname not in self._names:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = None if find is None else find(fullname, path, target)
            if spec is not None:
                _tell_when_executed(spec.loader, fullname, self._arrived)
                return spec  # type: ignore[no-any-return]
        return None


def _tell_when_executed(loader: Any, name: str, arrived: Arrived) -> None:  # noqa: ANN401 - loaders share no class
    execute = getattr(loader, "exec_module", None)
    if execute is None or isinstance(loader, type):
        return

    def exec_module(module: ModuleType) -> None:
        if module.__name__ != name:
            # One loader for a whole archive, and the module that it was asked for was not executed then.
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
    """Has `arrived` called for each of these modules, at once for those that are there already."""
    wanted = tuple(names)
    sys.meta_path.insert(0, Finder(wanted, arrived))
    for name in wanted:
        if name in sys.modules:
            arrived(name)
