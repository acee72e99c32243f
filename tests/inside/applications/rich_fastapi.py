"""Every way to an endpoint that a FastAPI application has, with counters of what really ran."""

from __future__ import annotations

import asyncio
import functools
import os
from collections import Counter
from typing import Annotated

from a2wsgi import WSGIMiddleware
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, WebSocket
from pydantic import BaseModel
from rich import app as flask_app
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

app = FastAPI(openapi_url=None)
ran = Counter()
kept = {}


@app.middleware("http")
async def marked(request, call_next):
    ran["middleware"] += 1
    response = await call_next(request)
    response.headers["X-Marked"] = "yes"
    return response


def session():
    ran["session opened"] += 1
    try:
        yield "session"
    finally:
        ran["session closed"] += 1


async def user(x_user: Annotated[str, Header()], session: Annotated[str, Depends(session)]):
    ran["dependency"] += 1
    if x_user != "ann":
        raise HTTPException(403, "log in first")
    return f"{x_user} by {session}"


User = Annotated[str, Depends(user)]


class Item(BaseModel):
    name: str
    pieces: int


def doubled(view):
    """Uses what the view returns."""

    @functools.wraps(view)
    def checked(*args, **kwargs):
        ran["decorator"] += 1
        item = view(*args, **kwargs)
        return Item(name=item.name, pieces=2 * item.pieces)

    return checked


def cached(view):
    """Keeps what the view returns, and tries three times to get it."""

    @functools.wraps(view)
    async def keeping(*args, **kwargs):
        ran["decorator"] += 1
        for _ in range(3):
            try:
                kept[view] = await view(*args, **kwargs)
                break
            except Exception:  # noqa: BLE001 - the fault that is shown
                ran["tried again"] += 1
        return kept[view]

    return keeping


@app.get("/plain")
def plain():
    ran["body"] += 1
    return "plain body"


@app.get("/async")
async def asynchronous():
    ran["body"] += 1
    return "async body"


@app.get("/items/{number}", response_model=Item, status_code=202)
@doubled
def item(number: int, user: User):
    ran["body"] += 1
    return Item(name=user, pieces=number)


@app.get("/cached")
@cached
async def costly(user: User):
    ran["body"] += 1
    return user


def elsewhere(view):
    """Sends the view to a thread, without its context."""

    @functools.wraps(view)
    async def sending():
        return await asyncio.get_running_loop().run_in_executor(None, view)

    return sending


@app.get("/elsewhere")
@elsewhere
def slow():
    ran["body"] += 1
    return "slow body"


class Registry:
    def listing(self):
        ran["body"] += 1
        return "listing"

    async def __call__(self):
        ran["body"] += 1
        return "called"


app.add_api_route("/bound", Registry().listing)
app.add_api_route("/callable", Registry())
app.add_api_route("/partial", functools.partial(Registry.listing, Registry()))


@app.get("/pieces")
def pieces():
    ran["body"] += 1
    yield "one"
    yield "two"


@app.get("/later-pieces")
async def later_pieces():
    ran["body"] += 1
    yield "one"


inner = APIRouter(prefix="/inner")
shop = APIRouter(prefix="/shop", dependencies=[Depends(user)])


@inner.get("/basket")
async def basket():
    ran["body"] += 1
    return "basket"


shop.include_router(inner)
app.include_router(shop)
app.include_router(inner, prefix="/second")


class Endpoint(HTTPEndpoint):
    def get(self, _request):
        ran["body"] += 1
        return PlainTextResponse("endpoint")

    async def put(self, _request):
        ran["body"] += 1
        return PlainTextResponse("put")


def starlette_view(request):
    ran["body"] += 1
    return PlainTextResponse("starlette view")


async def raw(scope, receive, send):
    ran["body"] += 1
    await PlainTextResponse("raw")(scope, receive, send)


class Raw:
    async def __call__(self, scope, receive, send):
        await raw(scope, receive, send)


class Once:
    def __init__(self, scope, receive, send):
        self.way = raw(scope, receive, send)

    def __await__(self):
        return self.way.__await__()


compressed = [Middleware(GZipMiddleware, minimum_size=1)]
starlette = Starlette(
    routes=[
        Route("/view", starlette_view, middleware=compressed),
        Route("/endpoint", Endpoint),
        Route("/instance", Raw()),
        Route("/once", Once),
        Mount("/deeper", routes=[Route("/view", starlette_view)]),
    ]
)
other = FastAPI(openapi_url=None)
other.add_api_route("/plain", plain)
app.mount("/sub", other)
app.mount("/starlette", GZipMiddleware(starlette))
app.mount("/raw", raw)
app.mount("/flask", WSGIMiddleware(flask_app))


@app.post("/posted")
def posted():
    ran["body"] += 1


@app.get("/slash/")
def slash():
    ran["body"] += 1


@app.websocket("/socket")
async def socket(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


@app.get("/hold-at")
def hold_at(path: str):
    os.environ["HOLDFAST_PATH"] = path


@app.get("/ran")
def report():
    return ran


@app.get("/kept")
def stored():
    return len(kept)
