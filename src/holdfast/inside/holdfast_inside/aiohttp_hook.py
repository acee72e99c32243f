"""Holds this run's requests inside the handlers of aiohttp.web applications.

- The server calls `Application._handle` with each request: the hook notes the thread there.
- `UrlMappingMatchInfo.handler` names the handler before middleware wraps it. The first read of it gets a
  wrapper that puts the gate into the handler and turns the held handler's end into a response, which then
  passes through the middleware like any other.
- A library's handler that hands requests on to another framework's application is let through. Another one's is
  watched first: it may leave it to another thread to answer.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import sys
from typing import Any, Dict, Optional, Tuple

from aiohttp import web
from aiohttp.web_urldispatcher import UrlMappingMatchInfo

from . import code_patch, entries, find_views, gate, installed_app, layout, own_code, reply, request

_pending: contextvars.ContextVar[Optional[request.PendingClaim]] = contextvars.ContextVar(
    "holdfast aiohttp", default=None
)
# By the match of a request on its way: an application may call handlers in tasks that have another context.
_routed: Dict[int, request.PendingClaim] = {}
# One wrapper for each handler: aiohttp caches what it builds from handler and middleware.
_wrappers: Dict[object, gate.Function] = {}


def install() -> None:
    """Surrounds the functions; calling it again changes nothing."""
    gate.surround(web.Application._handle, _noting_entry)  # noqa: SLF001 - see above
    gate.surround(vars(UrlMappingMatchInfo)["handler"].fget, _naming_handler)


def _noting_entry(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def _handle(self: web.Application, http_request: web.Request) -> object:
        claim = request.target_claim(http_request.headers.get(layout.HEADER_FIELD), http_request.raw_path)
        if claim is None:
            return await original(self, http_request)
        with request.on_its_way(claim, _pending):
            try:
                return await original(self, http_request)
            finally:
                _routed.pop(id(http_request._match_info), None)  # noqa: SLF001 - the property does not take None

    return _handle


def _naming_handler(original: gate.Function) -> gate.Function:
    def handler(self: UrlMappingMatchInfo) -> object:
        found = original(self)
        pending = _pending.get()
        if pending is None or pending.routed:
            return found
        pending.routed = True
        _routed[id(self)] = pending
        if self.http_exception is not None:
            # aiohttp makes this handler for one request only.
            return _wrapper(found)
        return _wrappers.setdefault(found, _wrapper(found))

    return handler


def _wrapper(handler: Any) -> gate.Function:  # noqa: ANN401 - a function, or a class of views
    # Copy only the name from a class: a function must not get its attributes.
    copied = () if isinstance(handler, type) else functools.WRAPPER_UPDATES

    @functools.wraps(handler, updated=copied)
    async def wrapper(http_request: web.Request) -> object:
        pending = _routed.get(id(http_request.match_info))
        if pending is None:
            return await handler(http_request)
        if _hands_on(handler):
            with request.handed_over(pending.claim):
                return await handler(http_request)
        entry = _of_library(handler)
        arrived = entries.HOLD if entry is None else entry.arrive(pending.claim)
        if entry is not None and arrived in {entries.WATCH, entries.PASS}:
            watches = arrived == entries.WATCH
            # What is around this frame does not count.
            with entry.watching(pending.claim, sys._getframe()) if watches else contextlib.nullcontext():  # noqa: SLF001 - one's own
                return await handler(http_request)
        held = _prepare(pending.claim, http_request, handler)
        if entry is not None and arrived == entries.LEAD:
            held = entry.held_in_view(pending.claim)
            held.ending = _ENDING
        elif entry is not None and not entry.is_followed():
            held.via = "unknown"
        token = gate.current.set(held)
        try:
            if held.gate is not None:
                return await handler(http_request)
            return await held.run_async(functools.partial(handler, http_request) if held.via == "view" else None)
        except gate.Released:
            return _response()
        finally:
            gate.current.reset(token)

    return wrapper


def _hands_on(handler: object) -> bool:
    """Whether it is a library's, and hands requests on to an application of another framework (aiohttp_wsgi)."""
    function = code_patch.innermost_function(handler)
    own = function is None or own_code.is_own(function.__code__.co_filename)
    return not own and find_views.leads_to_views(handler, without="aiohttp")


def _of_library(handler: object) -> Optional[entries.Entry]:
    """The entry of a handler that is a library's, which may leave it to another thread to answer; None of others.

    An application that is installed is held in its own handlers.
    """
    function = None if isinstance(handler, type) else code_patch.innermost_function(handler)
    package = "aiohttp" if function is None else installed_app.package_of(function.__code__.co_filename)
    if function is None or package == "aiohttp" or _is_application(package):
        return None
    return entries.of_handler(function, "aiohttp")


@functools.lru_cache(maxsize=None)
def _is_application(package: str) -> bool:
    return package in installed_app.packages()


def _prepare(claim: request.RequestClaim, http_request: web.Request, handler: object) -> gate.Held:
    """Puts the gate into the handler and says where the request will be held."""
    error = http_request.match_info.http_exception
    found, name = (None, None) if error is not None else _method(handler, http_request.method.lower())
    if found is None:
        missing = error is not None and error.status == web.HTTPNotFound.status_code
        held_in = gate.held_without_view("aiohttp", http_request.path, "" if missing else http_request.method)
        return gate.Held(claim, None, held_in, gate.async_kind(), "entry", _ENDING)
    function = code_patch.innermost_function(found)
    kind = gate.kind_of(function or found)
    held_in = gate.held_in_view("aiohttp", function or found, kind, name)
    return gate.Held(claim, gate.put_in(function), held_in, kind, ending=_ENDING)


def _method(handler: object, http_method: str) -> Tuple[object, Optional[str]]:
    """The function that answers, and its name if it is a method of a class."""
    if not isinstance(handler, type):
        return handler, None
    method = getattr(handler, http_method, None)
    return method, f"{handler.__name__}.{http_method}"


def _response() -> web.Response:
    return web.Response(body=reply.BODY, headers=dict(reply.HEADERS))


_ENDING = gate.Ending(gate.Released, _response)
