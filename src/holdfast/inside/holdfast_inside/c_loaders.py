"""Wraps applications that a server takes out of a module by itself: uWSGI, mod_wsgi, and servers that are not known.

No Python function that is known gets the application, so it is replaced in the module as soon as the module has been
executed, before the server looks for it.

- uWSGI imports `--module` and what is mounted through the import system: a finder waits for the names in its settings.
- Other servers are told `module:attribute` on the command line of one of the processes around (see `named`).
- A file (`--wsgi-file`, a script of mod_wsgi) is executed by `PyImport_ExecCodeModuleEx()`, past all finders. Just
  before, it calls `_fix_up_module` with the module's dictionary (CPython, Python/import.c). From there until the
  module's code returns, a trace function waits for that; it is called once for each function that runs meanwhile.
"""

from __future__ import annotations

import sys
import types
from typing import Any, Callable, Dict, Optional

from . import entry_wrappers, named, post_import, uwsgi_names

_OF_FILES = ("uwsgi_file_", "_mod_wsgi_")
"""How the names of modules begin that these servers execute from a file (uWSGI's plugins/python/pyloader.c; mod_wsgi's
src/server/mod_wsgi.c)."""

Wrap = Callable[[object], object]


def watch(wrap: Wrap, wrap_named: Wrap) -> None:
    """Lets applications be wrapped as soon as their module has been executed.

    Args:
        wrap: a WSGI application -> what the server is to find in its place; must not raise.
        wrap_named: the same for an application of any kind.
    """

    def arrived(name: str) -> None:
        module = sys.modules.get(name)
        if module is not None:
            for each in uwsgi_names.of_modules().get(name, ()):
                _replace(vars(module), each, wrap)

    def named_arrived(name: str) -> None:
        module = sys.modules.get(name)
        if module is None or any(each in sys.modules for each in (*entry_wrappers.NAME_AN_APPLICATION, "uwsgi")):
            return
        for each in applications[name]:
            named.replace(vars(module), each, wrap_named)

    applications = named.on_command_lines()
    post_import.watch(applications, named_arrived)
    sys.meta_path.insert(0, _Finder(arrived))
    external: Any = sys.modules.get("_frozen_importlib_external")
    fix_up = getattr(external, "_fix_up_module", None)
    if fix_up is None:
        return

    def fixing_up(namespace: Dict[str, Any], name: str, *rest: object) -> object:
        result = fix_up(namespace, name, *rest)
        if name.startswith(_OF_FILES):
            _when_executed(namespace, lambda: _replace(namespace, uwsgi_names.of_files(), wrap))
        return result

    external._fix_up_module = fixing_up  # noqa: SLF001 - see above


class _Finder:
    """Comes before all others, and waits for the modules that uWSGI's settings name."""

    def __init__(self, arrived: Callable[[str], None]) -> None:
        self._arrived = arrived
        self._asking = ""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:  # noqa: ANN401 - as the protocol
        # It is asked again while it asks the others.
        if "uwsgi" not in sys.modules or fullname == self._asking or fullname not in uwsgi_names.of_modules():
            return None
        self._asking = fullname
        try:
            return post_import.Finder((fullname,), self._arrived).find_spec(fullname, path, target)
        finally:
            self._asking = ""


def _replace(namespace: Dict[str, Any], name: str, wrap: Wrap) -> None:
    """Puts the wrapper in the place of an application, or of a factory the one that wraps what it makes."""
    factory = name.endswith("()")
    name = name[:-2] if factory else name
    found = namespace.get(name)
    if not callable(found):
        return
    if not factory:
        namespace[name] = wrap(found)
        return

    def create() -> object:
        return wrap(found())

    namespace[name] = create


def _when_executed(namespace: Dict[str, Any], executed: Callable[[], None]) -> None:
    """Calls `executed` when the module's code returns; does nothing where something traces already."""
    if sys.gettrace() is not None:
        return

    def trace(frame: types.FrameType, event: str, argument: object) -> Optional[Tracer]:
        del event, argument
        return ended if frame.f_globals is namespace and frame.f_code.co_name == "<module>" else None

    def ended(frame: types.FrameType, event: str, argument: object) -> Optional[Tracer]:
        del frame, argument
        if event != "return":
            return ended
        sys.settrace(None)
        executed()
        return None

    sys.settrace(trace)


Tracer = Callable[[types.FrameType, str, object], Any]
