"""Which code is the person's own, and whether an application is nothing else.

The person's own code is what lies neither in the standard library nor in an environment's packages. An application is
plain if everything that can be reached from it, where code keeps what it calls, is either of the standard library or in
the one file that defines it. Then no framework calls a view on its behalf: the application is the view. If that cannot
be shown, it is not claimed; a framework copied into the person's directory is a file of its own, and is not plain. Of
an application that a library brings (a page of metrics), its package takes the place of the file.
"""

from __future__ import annotations

import dis
import functools
import os
import sys
import sysconfig
import types
from typing import Any, Callable, FrozenSet, Iterable, Iterator, List, Optional, Set, Tuple

from . import interface

_MOST_OBJECTS = 5_000
_LONGEST_CHAIN = 20
_INSTALLED = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)
OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
"""Where holdfast's own code lies."""
_BUILT_IN_APPS = os.path.join(OURS, "apps") + os.sep
_STANDARD = tuple(
    os.path.realpath(path) + os.sep
    for path in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), os.path.dirname(os.__file__)}
    if path
)
_SCRIPTS = os.path.realpath(sysconfig.get_path("scripts")) + os.sep
_VALUES = (str, bytes, bytearray, int, float, complex, bool, type(None), type(Ellipsis), type(NotImplemented))


@functools.lru_cache(maxsize=None)
def is_own(path: str) -> bool:
    """Whether a code's file is the person's own Python source."""
    if not path.endswith(".py") or path.startswith("<"):
        return False
    full = os.path.realpath(path)
    if full.startswith(OURS):
        return full.startswith(_BUILT_IN_APPS)
    return not full.startswith((*_STANDARD, _SCRIPTS)) and not any(part in full for part in _INSTALLED)


@functools.lru_cache(maxsize=None)
def is_standard(path: str) -> bool:
    """Whether a code's file belongs to Python itself."""
    full = os.path.realpath(path)
    return path.startswith("<frozen") or (full.startswith(_STANDARD) and not any(part in full for part in _INSTALLED))


def _module_is_standard(name: Optional[str]) -> bool:
    if name is None or name.partition(".")[0] in sys.builtin_module_names:
        return True
    module = sys.modules.get(name)
    path = getattr(module, "__file__", None)
    if module is None:
        return False
    return is_standard(path) if path else getattr(module, "__spec__", None) is not None and not _has_path(module)


def _has_path(module: object) -> bool:
    return hasattr(module, "__path__")


def plain_function(application: object) -> Optional[types.FunctionType]:
    """The function that answers, if the application is plain; None if something else may call another function.

    Args:
        application: what a server calls: a function, a bound method, or an object with `__call__`.
    """
    application = getattr(application, "__dict__", {}).get(interface.DOUBLE, application)
    function = _called(application)
    home = None if function is None else _home(function.__code__.co_filename)
    if function is None or home is None:
        return None
    seen: Set[int] = set()
    waiting: List[object] = [application, function]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        parts = _parts(thing, home)
        if parts is None or len(seen) > _MOST_OBJECTS:
            return None
        waiting.extend(parts)
    return function


def framework_files(application: object) -> FrozenSet[str]:
    """The person's files that are taken for a framework's, copied there: they define the application's class.

    Unless the application is a global of such a file: then the person wrote both. Around an application of an
    installed framework there is middleware, which the person wrote.
    """
    found: Set[str] = set()
    for _ in range(_LONGEST_CHAIN):
        if isinstance(application, types.FunctionType):
            break
        for cls in type(application).__mro__:
            module = sys.modules.get(cls.__module__)
            path = getattr(module, "__file__", None)
            if path and is_own(path) and not any(each is application for each in vars(module).values()):
                found.add(path)
        # Middleware keeps the application that it calls.
        inner = getattr(application, "__dict__", {}).get("app")
        if inner is None:
            home = getattr(sys.modules.get(type(application).__module__), "__file__", None)
            return frozenset(found) if package_directory(home or "") is None else frozenset()
        application = inner
    return frozenset(found)


def package_name(application: object) -> str:
    """The installed package that has an application's code; "" where it is in none."""
    function = _called(application)
    directory = None if function is None else package_directory(function.__code__.co_filename)
    return "" if directory is None else os.path.basename(directory.rstrip(os.sep))


def package_directory(path: str) -> Optional[str]:
    """The directory of the installed package to which a file belongs, with a separator at its end; None for others."""
    for part in _INSTALLED:
        before, found, inside = path.rpartition(part)
        package, inner, _ = inside.partition(os.sep)
        if found and inner:
            return before + found + package + os.sep
    return None


def _home(path: str) -> Optional[str]:
    return path if is_own(path) else package_directory(path)


def _is_at(path: Optional[str], home: str) -> bool:
    """Whether a file is at home: the one file, or in the package's directory."""
    if path is None:
        return False
    return path.startswith(home) if home.endswith(os.sep) else os.path.realpath(path) == os.path.realpath(home)


def _called(application: object) -> Optional[types.FunctionType]:
    if isinstance(application, types.MethodType):
        application = application.__func__
    elif isinstance(application, type):
        # Made anew for each request: by its constructor (WSGI), or called when it is there (ASGI 2).
        application = vars(application).get("__call__") or vars(application).get("__init__")
    elif not isinstance(application, types.FunctionType):
        application = getattr(type(application), "__call__", None)  # noqa: B004 - the function itself is wanted
    return application if isinstance(application, types.FunctionType) else None


def _parts(thing: object, home: str) -> Optional[Iterable[object]]:
    """What code can reach from this object; None if the object is of a framework, or may be."""
    if isinstance(thing, _VALUES):
        return ()
    for kind, parts in _KINDS:
        if isinstance(thing, kind):
            return parts(thing, home)
    return _of_instance(thing, home)


def _of_class(cls: type, home: str) -> Optional[Iterable[object]]:
    if _module_is_standard(cls.__module__):
        return ()
    path = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if not _is_at(path, home):
        return None
    return [*(each for name, each in vars(cls).items() if not _is_descriptor_of_slots(name, each)), *cls.__bases__]


def _is_descriptor_of_slots(name: str, value: object) -> bool:
    return name in {"__dict__", "__weakref__"} or isinstance(value, types.MemberDescriptorType)


def _of_instance(thing: object, home: str) -> Optional[Iterable[object]]:
    cls = type(thing)
    if _module_is_standard(cls.__module__):
        # What the standard library's objects keep is not looked at, except what a built-in method belongs to.
        bound = getattr(thing, "__self__", None) if isinstance(thing, types.BuiltinMethodType) else None
        return () if bound is None or isinstance(bound, types.ModuleType) else (bound,)
    if _of_class(cls, home) is None:
        return None
    return [cls, *getattr(thing, "__dict__", {}).values()]


def _of_module(module: types.ModuleType, home: str) -> Optional[Iterable[object]]:
    if is_standard_name(module.__name__):
        return ()
    in_package = home.endswith(os.sep) and _is_at(getattr(module, "__file__", None), home)
    return list(vars(module).values()) if in_package else None


def _of_function(function: types.FunctionType, home: str) -> Optional[Iterable[object]]:
    path = function.__code__.co_filename
    # What named tuples and dataclasses have is made of text, and looked into as what is written at home.
    if path != "<string>" and not _is_at(path, home):
        return () if is_standard(path) else None
    found: List[object] = [function.__defaults__, function.__kwdefaults__, function.__dict__]
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:
            continue  # not assigned yet
    names = _names(function.__code__)
    found.extend(function.__globals__[name] for name in names if name in function.__globals__)
    imported = set(_imported(function.__code__))
    return found if all(is_standard_name(name) for name in imported) else None


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _imported(code: types.CodeType) -> Iterator[str]:
    """The modules that a function imports itself, perhaps at the first request."""
    for each in dis.get_instructions(code):
        if each.opname == "IMPORT_NAME":
            yield each.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _imported(constant)


def is_command(path: str) -> bool:
    """Whether a file is one of the commands that an environment's packages bring."""
    return os.path.realpath(os.path.dirname(path)) + os.sep == _SCRIPTS


def is_standard_name(name: str) -> bool:
    """Whether a module is of the standard library, and cannot lead to others."""
    top = name.partition(".")[0]
    if top == "importlib":
        return False  # it may import anything
    return top in getattr(sys, "stdlib_module_names", ()) or (top in sys.modules and _module_is_standard(top))


_KINDS: Tuple[Tuple[Any, Callable[[Any, str], Optional[Iterable[object]]]], ...] = (
    (types.FunctionType, _of_function),
    (types.MethodType, lambda thing, _: (thing.__self__, thing.__func__)),
    (types.ModuleType, _of_module),
    (type, _of_class),
    (dict, lambda thing, _: list(thing.values())),
    ((list, tuple, set, frozenset), lambda thing, _: list(thing)),
    (functools.partial, lambda thing, _: (thing.func, thing.args, thing.keywords)),
    ((staticmethod, classmethod), lambda thing, _: (thing.__func__,)),
    (property, lambda thing, _: (thing.fget, thing.fset, thing.fdel)),
)
