"""Holds this run's requests inside the handlers of Robyn applications.

Robyn's server is written in Rust. `spawn_process` (robyn/processpool.py) gives it each function with the number of its
parameters, and it calls one that has none without the request (src/executors/mod.rs, `get_function_output`). So there
each gets a wrapper that takes the request, and calls the function as the server would have.

What may answer before the handler (`before_request`, authentication) gets one that notes that the request has come.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from typing import Any, Callable, Optional

from . import code_patch, gate, layout, reply, request

_DEPENDENCIES = ("global_dependencies", "router_dependencies")
_WITH_THE_REQUEST = 2
"""A number of parameters with which the server passes the request, and all else by name."""

Call = Callable[..., Any]


def install() -> None:
    """Surrounds the function; calling it again changes nothing."""
    # The package has imported it by then.
    gate.surround(getattr(sys.modules["robyn.processpool"], "spawn_process", None), _wrapping)


def _wrapping(original: Any) -> gate.Function:  # noqa: ANN401 - as the server's
    signature = inspect.signature(original)

    def spawn_process(*args: object, **kwargs: object) -> object:
        given = signature.bind(*args, **kwargs)
        for name, wrap in (("routes", _held), ("global_middlewares", _noted), ("route_middlewares", _noted)):
            given.arguments[name] = [wrap(each) for each in given.arguments[name]]
        return original(*given.args, **given.kwargs)

    return spawn_process


def _held(route: Any) -> Any:  # noqa: ANN401 - a named tuple of the server's, here and below
    # A constant one is called at the start, and then answered without Python.
    return route if route.is_const else _around(route, _holding)


def _noted(middleware: Any) -> Any:  # noqa: ANN401
    before: Any = sys.modules["robyn.robyn"].MiddlewareType.BEFORE_REQUEST
    return _around(middleware, _noting) if middleware.middleware_type == before else middleware


def _around(entry: Any, wrapper: Callable[[Any, Call], Call]) -> Any:  # noqa: ANN401
    function = entry.function
    made = wrapper(function, _as_called(function))
    info = type(function)(made, function.is_async, _WITH_THE_REQUEST, function.args, function.kwargs)
    return entry._replace(function=info)


def _as_called(function: Any) -> Call:  # noqa: ANN401 - a FunctionInfo
    handler, parameters = function.handler, function.number_of_params

    def call(http_request: object, **kwargs: object) -> object:
        if parameters == 0:
            return handler()
        if parameters > 1:
            return handler(http_request, **kwargs)
        given = any(kwargs.get(name) is not None for name in _DEPENDENCIES)
        return handler(**kwargs) if given else handler(http_request)

    return call


def _holding(function: Any, call: Call) -> Call:  # noqa: ANN401 - a FunctionInfo
    async def awaited(http_request: object, **kwargs: object) -> object:
        held = _prepared(_claim(http_request), function.handler)
        body = functools.partial(call, http_request, **kwargs)
        token = gate.current.set(held)
        try:
            return await (body() if held is None or held.gate is not None else held.run_async(body))
        except gate.Released:
            return _response()
        finally:
            gate.current.reset(token)

    def called(http_request: object, **kwargs: object) -> object:
        held = _prepared(_claim(http_request), function.handler)
        body = functools.partial(call, http_request, **kwargs)
        token = gate.current.set(held)
        try:
            return body() if held is None or held.gate is not None else held.run(body)
        except gate.Released:
            return _response()
        finally:
            gate.current.reset(token)

    return awaited if function.is_async else called


def _noting(function: Any, call: Call) -> Call:  # noqa: ANN401 - a FunctionInfo
    def passed_on(claim: Optional[request.RequestClaim], result: object) -> object:
        # Any other result is the answer: the request comes to no handler.
        if claim is not None and type(result).__name__ != "Request":
            request.take_back(claim)
        return result

    def handed(http_request: object) -> Optional[request.RequestClaim]:
        claim = _claim(http_request)
        if claim is not None:
            request.hand_over(claim)
        return claim

    async def awaited(http_request: object, **kwargs: object) -> object:
        claim = handed(http_request)
        return passed_on(claim, await call(http_request, **kwargs))

    def called(http_request: object, **kwargs: object) -> object:
        claim = handed(http_request)
        return passed_on(claim, call(http_request, **kwargs))

    return awaited if function.is_async else called


def _claim(http_request: Any) -> Optional[request.RequestClaim]:  # noqa: ANN401 - the server's
    path, asked = http_request.url.path, (os.environ.get(layout.PATH_VARIABLE) or "/").partition("?")[2]
    # The server keeps the query in parts alone, each as it came.
    came = [(name, value) for name, values in http_request.query_params.to_dict().items() for value in values]
    if asked and sorted(came) == sorted(each.partition("=")[::2] for each in asked.split("&")):
        path = f"{path}?{asked}"
    return request.target_claim(http_request.headers.get(layout.HEADER_FIELD), path)


def _prepared(claim: Optional[request.RequestClaim], handler: object) -> Optional[gate.Held]:
    if claim is None:
        return None
    function = code_patch.innermost_function(handler)
    kind = gate.kind_of(function or handler)
    held_in = gate.held_in_view("robyn", function or handler, kind)
    return gate.Held(claim, gate.put_in(function), held_in, kind, ending=_ENDING)


def _response() -> object:
    made: Any = sys.modules["robyn.robyn"]
    return made.Response(status_code=200, headers=made.Headers(dict(reply.HEADERS)), description=reply.BODY)


_ENDING = gate.Ending(gate.Released, _response)
