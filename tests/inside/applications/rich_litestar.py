"""Every way to a handler that a Litestar application has, with counters of what really ran."""

from __future__ import annotations

import functools
import os
from collections import Counter
from dataclasses import dataclass

from a2wsgi import WSGIMiddleware
from litestar import Controller, Litestar, Request, Router, asgi, get, post
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.dto import DataclassDTO
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.middleware import MiddlewareProtocol
from litestar.types import Receive, Scope, Send
from rich import app as flask_app

ran = Counter()


class Marked(MiddlewareProtocol):
    def __init__(self, app, **_kwargs):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            ran["middleware"] += 1

        async def marking(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-marked", b"yes")]
            await send(message)

        await self.app(scope, receive, marking)


def session():
    ran["session opened"] += 1
    try:
        yield "session"
    finally:
        ran["session closed"] += 1


def transaction():
    ran["transaction opened"] += 1
    try:
        yield "transaction"
    finally:
        ran["transaction closed"] += 1


def only_ann(request: Request, _handler: BaseRouteHandler) -> None:
    ran["guard"] += 1
    if request.headers.get("X-User") != "ann":
        raise NotAuthorizedException("log in first")


def doubled(view):
    """Uses what the view returns."""

    @functools.wraps(view)
    def checked(*args, **kwargs):
        ran["decorator"] += 1
        item = view(*args, **kwargs)
        return Item(item.name, 2 * item.pieces)

    return checked


@dataclass
class Item:
    name: str
    pieces: int


class ItemDTO(DataclassDTO[Item]):
    pass


@get("/threaded", sync_to_thread=True)
def threaded() -> str:
    ran["body"] += 1
    return "threaded body"


@get("/inline", sync_to_thread=False)
def inline() -> str:
    ran["body"] += 1
    return "inline body"


@get("/async")
async def asynchronous() -> str:
    ran["body"] += 1
    return "async body"


DEPENDENCIES = {
    "session": Provide(session),
    "transaction": Provide(transaction),
}


@get("/items/{number:int}", guards=[only_ann], dependencies=DEPENDENCIES, return_dto=ItemDTO, sync_to_thread=True)
@doubled
def item(number: int, session: str, transaction: str) -> Item:
    ran["body"] += 1
    return Item(f"{session} {transaction}", number)


@get("/cached", cache=True)
async def cached() -> str:
    ran["body"] += 1
    return "cached body"


class Shop(Controller):
    path = "/shop"
    guards = [only_ann]  # noqa: RUF012 - as Litestar's documentation writes it

    @get("/basket")
    async def basket(self) -> list[str]:
        ran["body"] += 1
        return ["basket"]

    @get("/till", sync_to_thread=True)
    def till(self) -> dict[str, int]:
        ran["body"] += 1
        return {"till": 1}


@asgi("/raw", is_mount=True, copy_scope=True)
async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    ran["body"] += 1
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"raw"})


in_threads = WSGIMiddleware(flask_app)


@asgi("/flask", is_mount=True, copy_scope=True)
async def flask(scope: Scope, receive: Receive, send: Send) -> None:
    await in_threads({**scope, "path": scope["path"].rstrip("/")}, receive, send)


@post("/posted")
async def posted() -> None:
    ran["body"] += 1


@get("/hold-at", sync_to_thread=False)
def hold_at(path: str) -> None:
    os.environ["HOLDFAST_PATH"] = path


@get("/ran", sync_to_thread=False)
def report() -> dict[str, int]:
    return ran


app = Litestar(
    [
        threaded,
        inline,
        asynchronous,
        item,
        cached,
        posted,
        hold_at,
        report,
        Router("/routed", route_handlers=[Shop]),
        raw,
        flask,
    ],
    middleware=[Marked],
    compression_config=CompressionConfig(backend="gzip", minimum_size=1),
    openapi_config=None,
)
