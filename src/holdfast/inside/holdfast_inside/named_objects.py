"""What a name in a running function stands for, found without running any of the application's code."""

from __future__ import annotations

import inspect
import types

MISSING = object()


def variable(frame: types.FrameType, name: object) -> object:
    """A local or global variable; MISSING if there is none."""
    for names in (frame.f_locals, frame.f_globals):
        if name in names:
            return names[str(name)]
    return MISSING


def attribute(thing: object, name: str) -> object:
    """An attribute of an object or its class; MISSING if there is none."""
    try:
        value = inspect.getattr_static(thing, name)
    except AttributeError:
        return MISSING
    if isinstance(value, types.MemberDescriptorType):
        try:
            return value.__get__(thing)
        except AttributeError:
            return MISSING
    return value
