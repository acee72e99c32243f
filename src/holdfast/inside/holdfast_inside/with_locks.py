"""Whether a function takes a lock by `with`: a call in C of which a profile function is told nothing.

Its code says under which name it enters what (`with self.lock:`), and its frame what has that name.
"""

from __future__ import annotations

import dis
import functools
import types
from typing import List, Optional, Tuple

from . import named_objects

_ENTERS = frozenset({"SETUP_WITH", "BEFORE_WITH"})
_BETWEEN = frozenset({"CACHE", "EXTENDED_ARG", "NOP"})

_Name = Optional[Tuple[str, ...]]
"""A variable, and the attributes that follow; None where it is neither that nor the result of a call."""


def takes_lock(frame: types.FrameType) -> bool:
    """Whether the function may take a lock by `with`; also where it cannot be told what has the name."""
    return any(_may_be_lock(frame, name) for name in _entered(frame.f_code))


@functools.lru_cache(maxsize=None)
def _entered(code: types.CodeType) -> Tuple[_Name, ...]:
    found: List[_Name] = []
    steps = [each for each in dis.get_instructions(code) if each.opname not in _BETWEEN]
    for at, step in enumerate(steps):
        # From Python 3.14 on (Python/codegen.c, codegen_with_inner): COPY, LOAD_SPECIAL (__exit__), ...
        special = step.opname == "LOAD_SPECIAL" and step.argrepr == "__exit__"
        before = at - 2 if special else at - 1
        if not (special or step.opname in _ENTERS) or before < 0 or "CALL" in steps[before].opname:
            continue
        found.append(_name(steps, before))
    return tuple(found)


def _name(steps: List[dis.Instruction], at: int) -> _Name:
    attributes: List[str] = []
    while at > 0 and steps[at].opname == "LOAD_ATTR":
        attributes.insert(0, steps[at].argval)
        at -= 1
    loaded = steps[at].argval
    if not steps[at].opname.startswith(("LOAD_FAST", "LOAD_NAME", "LOAD_GLOBAL", "LOAD_DEREF")):
        return None
    # One instruction may load two.
    return (loaded[-1] if isinstance(loaded, tuple) else loaded, *attributes)


def _may_be_lock(frame: types.FrameType, name: _Name) -> bool:
    if name is None:
        return True
    value = named_objects.variable(frame, name[0])
    for attribute in name[1:]:
        value = named_objects.attribute(value, attribute)
    if value is named_objects.MISSING or isinstance(value, property):
        return True
    # A condition has that of its lock, as an attribute of its own.
    return named_objects.attribute(value, "acquire") is not named_objects.MISSING
