"""Whether an application of a known framework stands behind one that is mounted somewhere.

If so, its hook holds the request in its view; if not, the mounted application is the last that is known.
"""

from __future__ import annotations

import functools
import types
from typing import Iterable, List, Set

from . import hooks

_MOST_OBJECTS = 10_000


def leads_to_views(application: object) -> bool:
    """Whether an instance of a known framework's application can be reached from this object.

    Looks where middleware keeps what it calls: in attributes, closures, partials, bound methods, and the
    globals that a function names. What none of these shows is not found.
    """
    classes = hooks.view_holders()
    seen: Set[int] = set()
    waiting: List[object] = [application]
    while waiting and len(seen) < _MOST_OBJECTS:
        thing = waiting.pop(0)
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        # type(), not isinstance: proxies would be asked, and some answer with an error.
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
            continue  # not yet assigned
    for name in function.__code__.co_names:
        yield function.__globals__.get(name)
    yield getattr(function, "__wrapped__", None)
