"""Whether an application is one of a known framework, or leads to one.

A known framework's hook holds the request in the view. What only leads to one, such as middleware or a router of
another framework, may answer some paths by itself.
"""

from __future__ import annotations

import functools
import types
from typing import Iterable, List, Set

from . import hooks

_MOST_OBJECTS = 10_000


def is_known(application: object) -> bool:
    """Whether an application is itself of a known framework, so that its hook sees every request."""
    packages = {name.partition(".")[0] for name in hooks.HOOKS}
    return any(cls.__module__.partition(".")[0] in packages for cls in type(application).__mro__) and leads_to_views(
        application
    )


def leads_to_views(application: object, without: str = "") -> bool:
    """Whether an application of a known framework can be reached from this object.

    Args:
        without: a package whose framework does not count.

    Looks where middleware keeps the application that it calls: attributes, closures, partials, bound methods, and
    globals that a function names. It misses applications kept anywhere else.
    """
    classes = tuple(each for each in hooks.view_holders() if each.__module__.partition(".")[0] != without)
    seen: Set[int] = set()
    waiting: List[object] = [application]
    while waiting and len(seen) < _MOST_OBJECTS:
        thing = waiting.pop(0)
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        # type(), not isinstance: a proxy would forward the question, and some raise.
        if issubclass(type(thing), classes):
            return True
        waiting.extend(_parts(thing))
    return False


def _parts(thing: object) -> Iterable[object]:
    if isinstance(thing, types.FunctionType):
        yield from _of_function(thing)
    elif isinstance(thing, types.MethodType):
        yield thing.__self__
        yield thing.__func__
    elif isinstance(thing, functools.partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, dict):
        yield from thing.values()
    elif isinstance(thing, (list, tuple)):
        yield from thing
    elif not isinstance(thing, (type, types.ModuleType)):
        yield from getattr(thing, "__dict__", {}).values()
        for cls in type(thing).__mro__:
            slots = cls.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                yield getattr(thing, name, None)


def _of_function(function: types.FunctionType) -> Iterable[object]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue  # not assigned yet
    for name in function.__code__.co_names:
        yield function.__globals__.get(name)
    yield getattr(function, "__wrapped__", None)
