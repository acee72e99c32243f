"""Holds this run's requests inside the handlers of aiohttp.web applications.

- `Application._handle` is what the server calls with a request; the thread is noted there.
- `UrlMappingMatchInfo.handler` names the handler, before middleware is put around it. The first look gets
  the handler with something around it that lays the gate and turns the held handler's end into a response,
  which then goes out through the middleware like any other.
"""

from __future__ import annotations

import contextvars
import functools
from typing import Any, Dict, Optional, Tuple

from aiohttp import web
from aiohttp.web_urldispatcher import UrlMappingMatchInfo

from . import code_patch, gate, layout, request


class Asked:
    """A claim on its way to a handler."""

    __slots__ = ("claim", "looked")

    def __init__(self, claim: request.Claim) -> None:
        self.claim = claim
        self.looked = False


_asked: contextvars.ContextVar[Optional[Asked]] = contextvars.ContextVar("holdfast aiohttp", default=None)
# One for each handler, since aiohttp keeps what it builds of handler and middleware.
_surrounded: Dict[object, gate.Function] = {}


def install() -> None:
    """Surrounds the functions; calling it again changes nothing."""
    gate.surround(web.Application._handle, _noting_entry)  # noqa: SLF001 - see above
    gate.surround(vars(UrlMappingMatchInfo)["handler"].fget, _naming_handler)


def _noting_entry(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def _handle(self: web.Application, asking: web.Request) -> object:
        claim = request.target_claim(asking.headers.get(layout.HEADER_FIELD), asking.raw_path)
        if claim is None:
            return await original(self, asking)
        token = _asked.set(Asked(claim))
        try:
            return await original(self, asking)
        finally:
            _asked.reset(token)

    return _handle


def _naming_handler(original: gate.Function) -> gate.Function:
    def handler(self: UrlMappingMatchInfo) -> object:
        found = original(self)
        asked = _asked.get()
        if asked is None or asked.looked:
            return found
        asked.looked = True
        if self.http_exception is not None:
            # Made anew for each request.
            return _around(found)
        return _surrounded.setdefault(found, _around(found))

    return handler


def _around(handler: Any) -> gate.Function:  # noqa: ANN401 - a function, or a class of views
    # Of a class only the name: its methods are none of a function's.
    copied = () if isinstance(handler, type) else functools.WRAPPER_UPDATES

    @functools.wraps(handler, updated=copied)
    async def around(asking: web.Request) -> object:
        asked = _asked.get()
        if asked is None:
            return await handler(asking)
        held = _prepared(asked.claim, asking, handler)
        token = gate.current.set(held)
        try:
            if held.gate is not None:
                return await handler(asking)
            return await held.run_async(functools.partial(handler, asking) if held.via == "view" else None)
        except gate.Released:
            return _response()
        finally:
            gate.current.reset(token)

    return around


def _prepared(claim: request.Claim, asking: web.Request, handler: object) -> gate.Held:
    error = asking.match_info.http_exception
    found, name = (None, None) if error is not None else _method(handler, asking.method.lower())
    if found is None:
        missing = error is not None and error.status == web.HTTPNotFound.status_code
        place = "aiohttp entry (no view{} at {})".format("" if missing else f" for {asking.method}", asking.path)
        return gate.Held(claim, None, place, gate.async_kind(), "entry", ANSWER)
    function = code_patch.unwrapped(found)
    kind = gate.kind_of(function or found)
    laid = gate.gate_in(function)
    place = gate.place("aiohttp", function or found, kind, name)
    return gate.Held(claim, laid, place, kind, answer=ANSWER)


def _method(handler: object, http_method: str) -> Tuple[object, Optional[str]]:
    """What answers, and its name if that is a method of a class."""
    if not isinstance(handler, type):
        return handler, None
    method = getattr(handler, http_method, None)
    return method, f"{handler.__name__}.{http_method}"


def _response() -> web.Response:
    return web.Response(body=layout.BODY, headers=dict(layout.ANSWER_HEADERS))


ANSWER = gate.Answer(gate.Released, _response)
