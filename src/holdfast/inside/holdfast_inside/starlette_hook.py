"""Holds this run's requests inside the endpoints of Starlette and FastAPI applications.

The hook surrounds some of their functions in place, because applications keep references to them:

- `Starlette.__call__`, `Router.__call__`: the server calls these with a request; the hook notes the thread.
- `Route.handle` has the endpoint that routing found, and of the user's code only middleware has run. Here the gate is
  put into the endpoint. FastAPI then solves the dependencies and sends a `def` endpoint to AnyIO's threads, with a
  copy of the context, as usual.
- `HTTPEndpoint.dispatch` finds the method of a class-based endpoint.
- FastAPI's `run_endpoint_function` and Starlette's `wrap_app_handling_exceptions` are the closest calls around an
  endpoint. Here the held endpoint's end becomes a response, which then passes FastAPI's serialisation (it leaves
  responses alone) and the middleware like any other. Versions without these functions answer one step further out,
  in `Route.handle`.
- An endpoint that is a library's function may call the person's own, on a thread or on the loop (FastHTML, GraphQL).
  The first request is watched inside of it (see `watch`), and later ones are held in what was found there; if nothing
  was, in the endpoint.
- `Router.not_found` and `Mount.handle` hold requests that lead to no endpoint.
- `StaticFiles`, mounted or alone, answers in its coroutine `get_response`.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import Any, Awaitable, Optional

import starlette.routing
from starlette.concurrency import run_in_threadpool
from starlette.endpoints import HTTPEndpoint
from starlette.responses import Response

from . import asgi, calling, code_patch, entries, find_views, gate, own_code, reply, request


def _response() -> Response:
    return Response(reply.BODY, headers=dict(reply.HEADERS))


_ENDING = gate.Ending(gate.Released, _response)


def install() -> None:
    """Surrounds the functions; a second call only adds FastAPI's, if it was imported since."""
    applications = sys.modules.get("starlette.applications")
    if applications is not None:
        gate.surround(applications.Starlette.__call__, asgi.noting_entry)
    gate.surround(starlette.routing.Router.__call__, asgi.noting_entry)
    gate.surround(starlette.routing.Router.not_found, _holding_without_endpoint)
    gate.surround(starlette.routing.Mount.handle, _holding_what_is_mounted)
    gate.surround(starlette.routing.Route.handle, _preparing_endpoint)
    gate.surround(HTTPEndpoint.dispatch, _preparing_method)
    gate.surround(getattr(starlette.routing, "wrap_app_handling_exceptions", None), _answering)
    files = sys.modules.get("starlette.staticfiles")
    if files is not None:
        gate.surround(files.StaticFiles.__call__, _preparing_files)
    fastapi = sys.modules.get("fastapi.routing")
    if fastapi is not None:
        gate.surround(fastapi.APIRoute.handle, _preparing_endpoint)
        gate.surround(fastapi.run_endpoint_function, _returning)


# Any, from here on: scopes, and functions whose parameters differ between versions.
def _preparing_endpoint(original: Any) -> gate.Function:  # noqa: ANN401
    async def handle(self: Any, scope: Any, receive: object, send: asgi.Send) -> object:  # noqa: ANN401
        claim = asgi.unheld_claim(scope)
        # FastAPI's routes call Starlette's; by then the request is prepared.
        if claim is None or gate.current.get() is not None:
            return await original(self, scope, receive, send)
        if self.methods and scope["method"] not in self.methods:
            return await asgi.hold(_without_view(claim, _framework(self), scope, scope["method"]), send)
        if isinstance(self.endpoint, type) and issubclass(self.endpoint, HTTPEndpoint):
            return await original(self, scope, receive, send)
        body = functools.partial(original, self, scope, receive, send)
        if _is_application(self):
            held_in = f"asgi entry of {_name(self.endpoint)}"
            entry = entries.mounted(self.endpoint, "asgi", held_in)
            return await asgi.arrive(entry, claim, (scope, receive, send), functools.partial(original, self))
        function = code_patch.innermost_function(self.endpoint)
        if function is not None and not own_code.is_own(function.__code__.co_filename):
            entry = entries.of_library(self.endpoint, function, _framework(self))
            arrived = entry.arrive(claim)
            if arrived != entries.HOLD:
                call = (scope, receive, send)
                return await asgi.follow(entry, arrived, claim, call, functools.partial(original, self))
        held = _held(claim, _framework(self), self.endpoint)
        return await asgi.run(held, _hold(held, body) if held.gate is None else body(), send)

    return handle


def _preparing_method(original: Any) -> gate.Function:  # noqa: ANN401
    async def dispatch(self: Any) -> object:  # noqa: ANN401
        claim = asgi.unheld_claim(self.scope)
        if claim is None:
            return await original(self)
        method = self.scope["method"].lower()
        names = [method] + ["get"] * (method == "head")
        found = next((each for each in names if hasattr(self, each)), None)
        if found is None:
            held = _without_view(claim, "starlette", self.scope, self.scope["method"])
            return await asgi.hold(held, self.send)
        held = _held(claim, "starlette", getattr(type(self), found), f"{type(self).__name__}.{found}")
        body = functools.partial(original, self)
        return await asgi.run(held, _hold(held, body) if held.gate is None else body(), self.send)

    return dispatch


def _preparing_files(original: Any) -> gate.Function:  # noqa: ANN401
    async def __call__(self: Any, scope: Any, receive: object, send: asgi.Send) -> object:  # noqa: N807, ANN401
        claim = asgi.unheld_claim(scope)
        if claim is None or gate.current.get() is not None:
            return await original(self, scope, receive, send)
        held = _held(claim, "starlette", self.get_response)
        body = functools.partial(original, self, scope, receive, send)
        return await asgi.run(held, _hold(held, body) if held.gate is None else body(), send)

    return __call__


def _held(claim: request.RequestClaim, framework: str, endpoint: object, name: Optional[str] = None) -> gate.Held:
    function = code_patch.innermost_function(endpoint)
    view = function or endpoint
    # Starlette takes a class as an ASGI application, FastAPI as a function like any other.
    is_application = isinstance(view, type) and framework == "starlette"
    kind = gate.async_kind() if is_application else gate.kind_of(view)
    held_in = gate.held_in_view(framework, view, kind, name)
    return gate.Held(claim, gate.put_in(function), held_in, kind, ending=_ENDING)


def _hold(held: gate.Held, body: calling.Body) -> Awaitable[object]:
    """Holds where an endpoint that cannot have a gate would run; `body` calls it, from the loop."""
    return run_in_threadpool(held.run) if held.kind == "sync" else held.run_async(body)


def _is_application(route: Any) -> bool:  # noqa: ANN401 - a route of Starlette's
    """Whether a route's endpoint is an ASGI application from elsewhere, which may lead to a view of its own."""
    endpoint = route.endpoint
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func
    if _framework(route) != "starlette" or inspect.isfunction(endpoint) or inspect.ismethod(endpoint):
        return False
    function = code_patch.innermost_function(endpoint)
    return function is not None and not own_code.is_own(function.__code__.co_filename)


def _name(application: object) -> str:
    return str(getattr(application, "__qualname__", type(application).__qualname__))


def _framework(routing: object) -> str:
    of_fastapi = any(cls.__module__.startswith("fastapi.") for cls in type(routing).__mro__)
    return "fastapi" if of_fastapi else "starlette"


def _answering(original: Any) -> gate.Function:  # noqa: ANN401
    def wrap_app_handling_exceptions(app: asgi.Application, connection: object) -> object:
        if gate.current.get() is None:
            return original(app, connection)

        async def answering(scope: object, receive: object, send: asgi.Send) -> None:
            try:
                await app(scope, receive, send)
            except gate.Released:
                await asgi.answer(send)

        return original(answering, connection)

    return wrap_app_handling_exceptions


def _returning(original: Any) -> gate.Function:  # noqa: ANN401
    async def run_endpoint_function(**arguments: object) -> object:
        try:
            return await original(**arguments)
        except gate.Released:
            return _response()

    return run_endpoint_function


def _holding_without_endpoint(original: Any) -> gate.Function:  # noqa: ANN401
    async def not_found(self: object, scope: Any, receive: object, send: asgi.Send) -> object:  # noqa: ANN401
        claim = asgi.unheld_claim(scope)
        if claim is None:
            return await original(self, scope, receive, send)
        return await asgi.hold(_without_view(claim, _framework(self), scope), send)

    return not_found


def _holding_what_is_mounted(original: Any) -> gate.Function:  # noqa: ANN401
    async def handle(self: Any, scope: Any, receive: object, send: asgi.Send) -> object:  # noqa: ANN401
        claim = asgi.unheld_claim(scope)
        if claim is None or find_views.leads_to_views(self.app):
            return await original(self, scope, receive, send)
        held_in = f"asgi entry of {_name(self.app)}, mounted at {self.path or '/'}"
        call = (scope, receive, send)
        return await asgi.arrive(
            entries.mounted(self.app, "asgi", held_in), claim, call, functools.partial(original, self)
        )

    return handle


def _without_view(claim: request.RequestClaim, framework: str, scope: Any, method: str = "") -> gate.Held:  # noqa: ANN401
    return gate.Held(claim, None, gate.held_without_view(framework, scope["path"], method), gate.async_kind(), "entry")
