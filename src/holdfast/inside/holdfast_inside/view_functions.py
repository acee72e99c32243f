"""The function of this process that is held for a view which was seen to answer."""

from __future__ import annotations

import contextlib
import gc
import inspect
import sys
import types
from typing import Iterable, Iterator, List, Optional, Set

from . import code_patch, finding

_LATER = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE


def runs_later(code: types.CodeType) -> bool:
    """Whether the body begins only after the call, as a generator's does."""
    return bool(code.co_flags & _LATER)


def may_await(code: types.CodeType) -> bool:
    """Whether it is a coroutine's, which may wait within its call."""
    return bool(code.co_flags & inspect.CO_COROUTINE)


def is_resumed(frame: types.FrameType) -> bool:
    """Whether a call that has just been seen is that of a coroutine, or a generator, that had begun before."""
    code, at = frame.f_code, frame.f_lasti
    if not code.co_flags & (inspect.CO_COROUTINE | inspect.CO_GENERATOR):
        return False
    # Since 3.11 the first instruction of each piece says how it begins: 0 is by a call.
    return at >= 0 if sys.version_info < (3, 11) else bool(at >= 0 and code.co_code[at + 1] & 3)


def to_hold(
    code: types.CodeType, returns: int, response: str, called: Set[types.CodeType], *, driven: bool = False
) -> Optional[finding.View]:
    """The function to hold for the one that answered; None if it cannot be held, or is gone.

    Args:
        code: of the one that answered.
        returns, response: what it returned, as `finding.View` has it.
        called: the codes of all functions of the same owner that were called.
        driven: it is a generator that Twisted runs as a coroutine.
    """
    answered = code
    for function in functions_of(_view(code)):
        inner = code_patch.innermost_function(function)
        # What a decorator made calls the function that was written, perhaps on a thread.
        if inner is not None and inner.__code__ in called:
            code, returns = inner.__code__, returns if inner.__code__ is answered else 0
    view = _view(code)._replace(returns=returns, response=response if returns == finding.A_RESPONSE else "")
    if (runs_later(code) and not driven) or not finding.fits(view):
        return None
    functions = functions_of(view)
    return view._replace(qualname=functions[0].__qualname__) if functions else None


def as_found(code: types.CodeType) -> Optional[finding.View]:
    """The function with this code, in which nothing is held; None if the record has no room for its names.

    What it returns is 1 for a coroutine.
    """
    view = _view(code)._replace(returns=int(bool(code.co_flags & inspect.CO_COROUTINE)))
    functions = functions_of(view)
    view = view._replace(qualname=functions[0].__qualname__) if functions else view
    return view if finding.fits(view) else None


def functions_of(view: finding.View) -> List[types.FunctionType]:
    """All functions of this process with the view's code."""

    def among(things: Iterable[object]) -> List[types.FunctionType]:
        return [
            each
            for each in things
            if type(each) is types.FunctionType
            and each.__code__.co_name == view.name
            and each.__code__.co_firstlineno == view.line
            and each.__code__.co_filename == view.file
            and each not in code_patch.copies
        ]

    # While a list refers to all objects, a new thread of uWSGI's cannot put its first request into the arguments that
    # it has ready (PyTuple_SetItem() wants the only reference; plugins/python/wsgi_subhandler.c). It closes the
    # connection, and those of all that wait. A function refers to its name.
    name = sys.intern(view.name)
    found = among(gc.get_referrers(name)) or among(gc.get_objects())
    if found or not gc.get_freeze_count():
        return found
    # The collector shows nothing of what a process has frozen before it forks, or to spare itself the work. What has
    # come since is frozen with it now, so no garbage may be left; and nothing may be collected meanwhile, nor listed if
    # it need not be: both write into each object, in memory that processes may share.
    gc.collect()
    with _uncollected():
        gc.unfreeze()
        try:
            return among(gc.get_referrers(name)) or among(gc.get_objects())
        finally:
            gc.freeze()


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _view(code: types.CodeType) -> finding.View:
    return finding.View(code.co_firstlineno, 0, code.co_filename, code.co_name, code.co_name)
