"""Holds this run's requests inside the methods of Tornado's request handlers.

The hook surrounds `RequestHandler._execute`: Tornado calls it with each request, and it runs `prepare()` and then
`get()` or another method, which has the gate.
"""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any, List, Optional, Tuple

from tornado import gen, web

from . import code_patch, gate, layout, reply, request

NOT_FOUND = 404
_AWAITED = inspect.iscoroutinefunction(web.RequestHandler._execute)  # noqa: SLF001 - see above
"""Whether Tornado awaits it; before 6.0 it is a generator, which `gen.coroutine` runs in pieces."""


_covered: List[object] = []


def install() -> None:
    """Surrounds the function; calling it again changes nothing."""
    execute: Any = web.RequestHandler._execute  # noqa: SLF001 - see above
    if _AWAITED:
        gate.surround(execute, _holding)
    elif not _covered:
        holding: Any = _holding(execute)

        def _execute(*args: object, **kwargs: object) -> object:
            return gen.convert_yielded(holding(*args, **kwargs))

        web.RequestHandler._execute = _execute  # type: ignore[assignment,method-assign] # noqa: SLF001
        _covered.append(_execute)


def _holding(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def _execute(self: web.RequestHandler, *args: object, **kwargs: object) -> object:
        hands_on = _may_hand_on(self)
        claim, held = _claim(self, by_server=None if hands_on else True), None
        if hands_on:
            _hold_after_prepare(self)
        elif claim is None:
            return await original(self, *args, **kwargs)
        else:
            held = _prepare(claim, self)
            if not _AWAITED:
                # What runs generators lets exceptions pass that are Tornado's own kind of end, and no others.
                held.ending = gate.Ending(functools.partial(_answered, self), _none)
        if claim is not None:
            # A container calls the application when this has returned, and on another thread.
            request.hand_over(claim)
        token = gate.current.set(held)
        try:
            return await original(self, *args, **kwargs)
        except gate.Released:
            _answer(self)
            return None
        finally:
            gate.current.reset(token)
            if claim is not None and claim.held:
                request.take_back(claim)

    return _execute


def _answer(handler: Any) -> None:  # noqa: ANN401 - sets attributes
    if not handler._finished:  # noqa: SLF001 - there is no other way
        handler.set_status(200)
        for name, value in reply.HEADERS:
            handler.set_header(name, value)
        # What a handler computes it from, as one of static files does, its body has not set.
        handler.set_etag_header = _none
        handler.finish(reply.BODY)


def _answered(handler: object) -> Exception:
    _answer(handler)
    return web.Finish()


def _none() -> None:
    return None


def _claim(handler: Any, *, by_server: Optional[bool] = True) -> Optional[request.RequestClaim]:  # noqa: ANN401 - as above
    value = handler.request.headers.get(layout.HEADER_FIELD)
    return request.target_claim(value, handler.request.uri or "", by_server=by_server)


def _may_hand_on(handler: Any) -> bool:  # noqa: ANN401 - gets attributes
    """Whether its own `prepare()` may answer, as that of a FallbackHandler, which passes requests to an application."""
    prepare = type(handler).prepare
    return prepare not in (web.RequestHandler.prepare, web.ErrorHandler.prepare) and not _has_method(handler)


def _hold_after_prepare(handler: Any) -> None:  # noqa: ANN401 - gets attributes
    """Holds a request at the entry that no `prepare()` has answered, and for which there is no method."""
    name = handler.request.method.lower()
    method = getattr(handler, name, None)

    async def at_entry(*args: object, **kwargs: object) -> object:
        claim = _claim(handler)
        if claim is None:
            return None if method is None else method(*args, **kwargs)
        return await _at_entry(claim, handler).run_async()

    setattr(handler, name, at_entry)


def _at_entry(claim: request.RequestClaim, handler: Any) -> gate.Held:  # noqa: ANN401 - gets attributes
    # The user's code has no view: either for the path, or for this method of it.
    missing = isinstance(handler, web.ErrorHandler) and handler.get_status() == NOT_FOUND
    held_in = gate.held_without_view("tornado", handler.request.path, "" if missing else handler.request.method)
    return gate.Held(claim, None, held_in, gate.async_kind(), "entry")


def _has_method(handler: Any) -> bool:  # noqa: ANN401 - gets attributes
    http_method = handler.request.method.lower()
    return getattr(type(handler), http_method, None) is not getattr(web.RequestHandler, http_method, None)


def _prepare(claim: request.RequestClaim, handler: Any) -> gate.Held:  # noqa: ANN401 - gets attributes
    http_method = handler.request.method.lower()
    method = getattr(type(handler), http_method, None)
    if not _has_method(handler):
        held = _at_entry(claim, handler)
        handler.prepare = held.run_async
        return held
    function, is_async = _body(method)
    kind = gate.async_kind() if is_async else gate.kind_of(function or method)
    held_in = gate.held_in_view("tornado", method, kind, f"{type(handler).__name__}.{http_method}")
    held = gate.Held(claim, gate.put_in(function), held_in, kind)
    if held.gate is None:
        hold, original = held.run if kind == "sync" else held.run_async, getattr(handler, http_method)

        def holding(*args: object, **kwargs: object) -> object:
            return hold(functools.partial(original, *args, **kwargs))

        setattr(handler, http_method, holding)
    return held


def _body(method: object) -> Tuple[Optional[types.FunctionType], bool]:
    """The innermost function that can have a gate, and whether it is a `gen.coroutine`.

    A `gen.coroutine` is a generator, which runs in pieces; the wrapper around it is called as a whole.
    """
    function = code_patch.innermost_function(method)
    if function is None or code_patch.can_be_gated(function) or not gen.is_coroutine_function(method):
        return function, False
    outer: Any = method
    while outer.__wrapped__ is not function:
        outer = outer.__wrapped__
    return outer, True
