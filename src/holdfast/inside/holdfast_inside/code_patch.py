"""Puts a gate into a function in place, by replacing its `__code__`.

A view is reached through decorators, closures, classes and registries that all keep a reference to the function
object. Replacing the object in one of them would miss the others, or skip the decorators. So the object stays and
its `__code__` changes. The new code has the same parameters and free variables, because callers and `inspect` see
both, and passes its arguments to a gate. The gate is one of the code's constants, because the function's globals
belong to the application. Unless it holds, the gate calls a copy of the function with the original code.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import inspect
import types
import weakref
from typing import Any, Callable, List, Optional, Tuple

from . import own_code

_ANYTHING = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
_QUEUES = frozenset({"queue", "_queue"})
GATE = "holdfast gate"
_LONGEST_CHAIN = 100
copies: weakref.WeakSet[types.FunctionType] = weakref.WeakSet()
"""All functions that `copy_of` has made: they are behind a gate and must not get one."""
_gates: weakref.WeakSet[types.CodeType] = weakref.WeakSet()


def innermost_function(view: object) -> Optional[types.FunctionType]:
    """The function whose body a call of `view` finally runs; None if it is not a Python function.

    Looks through `functools.wraps` decorators, a person's own without it, partials, bound methods and objects with
    `__call__`.
    """
    for _ in range(_LONGEST_CHAIN):
        inner = getattr(view, "__dict__", {}).get("__wrapped__") or _passed_on_to(view)
        if inner is not None:
            view = inner
        elif isinstance(view, functools.partial):
            view = view.func
        elif isinstance(view, (types.MethodType, staticmethod, classmethod)):
            view = view.__func__
        elif isinstance(view, types.FunctionType):
            return view
        elif isinstance(getattr(type(view), "__call__", None), types.FunctionType):  # noqa: B004 - see below
            # callable() would only say that there is one; this needs the function itself.
            view = type(view).__call__
        else:
            return None
    return None


def _passed_on_to(view: object) -> Optional[types.FunctionType]:
    """The function to which a person's decorator passes on what it is called with; None if that cannot be told.

    It keeps that function in its closure, or as an attribute of the object that it makes. Of several it is not told
    which one is the view.
    """
    call: object = view
    kept, bound = list(getattr(view, "__dict__", {}).values()), 0
    if isinstance(view, types.FunctionType):
        kept = _in_closure(view)
    else:
        call, bound = getattr(type(view), "__call__", None), 1  # noqa: B004 - as below
    if not isinstance(call, types.FunctionType) or not own_code.is_own(call.__code__.co_filename):
        return None
    functions = [each for each in kept if isinstance(each, types.FunctionType)]
    found = [each for each in functions if _takes(each, call.__code__, bound) or _answers_with(view, each)]
    return found[0] if len(found) == 1 else None


def _in_closure(function: types.FunctionType) -> List[object]:
    found: List[object] = []
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # not assigned yet
            found.append(cell.cell_contents)
    return found


def _takes(function: types.FunctionType, caller: types.CodeType, bound: int) -> bool:
    """Whether a person's function takes what its caller is called with, of which `bound` is the caller's own."""
    if not own_code.is_own(function.__code__.co_filename) or not can_be_gated(function):
        return False
    if caller.co_flags & _ANYTHING == _ANYTHING:
        return True
    given, takes = caller.co_argcount - bound, function.__code__
    fits = given == takes.co_argcount or (given >= takes.co_argcount and bool(takes.co_flags & inspect.CO_VARARGS))
    return given > 0 and fits and not caller.co_flags & _ANYTHING


def _answers_with(view: object, function: types.FunctionType) -> bool:
    """Whether a view answers with a function that it keeps, where both are called with nothing.

    A view that is called with nothing may call another such function for a part of its work. One that was renamed after
    it, as `functools.wraps` would, answers in its place; so does one that a decorator has made of it, and one that has
    a queue too, by which threads get it.
    """
    if not isinstance(view, types.FunctionType) or not own_code.is_own(function.__code__.co_filename):
        return False
    codes = function.__code__, view.__code__
    if not can_be_gated(function) or any(each.co_argcount or each.co_flags & _ANYTHING for each in codes):
        return False
    if function.__name__ == view.__name__ != view.__code__.co_name or _is_decorated(view, function):
        return True
    used = [*_in_closure(view), *(view.__globals__.get(name) for name in view.__code__.co_names)]
    return any(type(each).__module__ in _QUEUES for each in used)


def _is_decorated(view: types.FunctionType, function: types.FunctionType) -> bool:
    """Whether what made the view is called with that function alone, and returns the view, as a decorator is."""
    maker = _maker(view)
    if maker is None or maker.co_flags & _ANYTHING or maker.co_kwonlyargcount:
        return False
    is_method = maker.co_argcount == 2 and maker.co_varnames[0] in {"self", "cls"}
    given = maker.co_varnames[maker.co_argcount - 1 :][:1] if is_method or maker.co_argcount == 1 else ()
    kept = dict(zip(view.__code__.co_freevars, view.__closure__ or ()))
    return bool(given) and given[0] in kept and kept[given[0]].cell_contents is function and _returns_made(maker, view)


def _maker(view: types.FunctionType) -> Optional[types.CodeType]:
    """The function in which this one was defined, by its qualified name; None if it is not found there."""
    *path, first = reversed(view.__qualname__.split(".<locals>.")[:-1] or [""])
    found: Any = view.__globals__
    for name in first.split("."):
        found = found.get(name) if found is view.__globals__ else getattr(found, "__dict__", {}).get(name)
    code: Any = getattr(innermost_function(found), "__code__", None)
    made: Any = None
    for name in [name for each in reversed(path) for name in each.split(".")] + [view.__code__.co_name]:
        codes = [each for each in getattr(code, "co_consts", ()) if isinstance(each, types.CodeType)]
        made, code = code, next((each for each in codes if each.co_name == name), None)
    return made if code is view.__code__ else None


def _returns_made(maker: types.CodeType, made: types.FunctionType) -> bool:
    """Whether a function returns the one that it has made, by its name."""
    before = ""
    for each in dis.get_instructions(maker):
        if each.opname == "RETURN_VALUE" and before == made.__code__.co_name:
            return True
        # Since 3.13 one instruction may store a name and load it.
        before = each.argrepr.rpartition(", ")[2] if "LOAD_" in each.opname else ""
    return False


def can_be_gated(function: types.FunctionType) -> bool:
    """Whether the body runs when the function is called or awaited; a generator's body runs later."""
    later = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE
    return not function.__code__.co_flags & later


def is_gate(code: types.CodeType) -> bool:
    """Whether a code is one that `gated_code` has made."""
    return code in _gates


def copy_of(function: types.FunctionType) -> types.FunctionType:
    """A function with the same code, closure and defaults, unaffected by a gate put into the original later."""
    copy = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copies.add(copy)
    return copy


def gated_code(code: types.CodeType, gate: Callable[..., Any]) -> types.CodeType:
    """Code with the parameters and free variables of `code` that calls `gate` and returns its result.

    Args:
        code: of the function that gets the gate.
        gate: called with the function's arguments; must return an awaitable if `code` is a coroutine's, and a generator
            if it is a generator's.

    Raises:
        ValueError: the compiler produced different free variables, so the code would not fit the closure.
    """
    is_async = bool(code.co_flags & inspect.CO_COROUTINE)
    begin = "await " if is_async else "yield from " if code.co_flags & inspect.CO_GENERATOR else ""
    parameters, arguments = _signature(code)
    lines = [
        "def around({}):".format(", ".join(code.co_freevars)),
        "    {}def view({}):".format("async " if is_async else "", ", ".join(parameters)),
        f"        holdfast_gate = {GATE!r}",
        # Never runs; the mention alone makes them free variables of this code too.
        "        if 0: ({})".format("".join(name + ", " for name in code.co_freevars)),
        "        return ({}holdfast_gate({}))".format(begin, ", ".join(arguments)),
    ]
    module = compile("\n".join(lines), code.co_filename, "exec", dont_inherit=True)
    fresh = _nested(_nested(module, "around"), "view")
    if fresh.co_freevars != code.co_freevars:
        raise ValueError(f"free variables {code.co_freevars} became {fresh.co_freevars}")
    made = fresh.replace(
        co_name=code.co_name,
        co_firstlineno=code.co_firstlineno,
        co_consts=tuple(gate if constant == GATE else constant for constant in fresh.co_consts),
    )
    _gates.add(made)
    return made


def _nested(code: types.CodeType, name: str) -> types.CodeType:
    return next(
        constant for constant in code.co_consts if isinstance(constant, types.CodeType) and constant.co_name == name
    )


def _signature(code: types.CodeType) -> Tuple[List[str], List[str]]:
    names = list(code.co_varnames)
    positional = names[: code.co_argcount]
    keyword_only = names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    rest = iter(names[code.co_argcount + code.co_kwonlyargcount :])
    parameters = list(positional)
    arguments = list(positional)
    if code.co_posonlyargcount:
        parameters.insert(code.co_posonlyargcount, "/")
    if code.co_flags & inspect.CO_VARARGS:
        star = "*" + next(rest)
        parameters.append(star)
        arguments.append(star)
    elif keyword_only:
        parameters.append("*")
    parameters.extend(keyword_only)
    arguments.extend(f"{name}={name}" for name in keyword_only)
    if code.co_flags & inspect.CO_VARKEYWORDS:
        double = "**" + next(rest)
        parameters.append(double)
        arguments.append(double)
    return parameters, arguments
