"""Every way to a handler that an aiohttp application has, with counters of what really ran."""

from __future__ import annotations

import functools
import os
import warnings
from collections import Counter

from aiohttp import web

ran = Counter()


@web.middleware
async def marking(request, handler):
    ran["marking"] += 1
    if "X-Stranger" in request.headers:
        raise web.HTTPUnauthorized
    response = await handler(request)
    response.headers["X-Marked"] = getattr(handler, "mark", "yes")
    return response


@web.middleware
async def swallowing(request, handler):
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 - as many applications do
        ran["swallowed"] += 1
        return web.json_response({"error": repr(error)}, status=500)


def login_required(handler):
    @functools.wraps(handler)
    async def checked(request):
        ran["login_required"] += 1
        if request.headers.get("X-User") != "ann":
            raise web.HTTPForbidden
        return await handler(request)

    return checked


async def plain(request):
    ran["body"] += 1
    return web.Response(text="plain body\n")


@login_required
async def decorated(request):
    ran["body"] += 1
    return web.Response(text=request.match_info["number"])


class Items(web.View):
    async def get(self):
        ran["body"] += 1
        return web.Response(text="items\n")


class Posted(web.View):
    async def post(self):
        return web.Response(text="posted\n")


class Registry:
    async def listing(self, _request):
        ran["body"] += 1
        return web.Response(text="listing\n")


def blocking(request):
    ran["body"] += 1
    return web.Response(text="blocking\n")


async def failing(request):
    raise web.HTTPNotFound(text="nothing here\n")


async def hold_at(request):
    os.environ["HOLDFAST_PATH"] = request.query["path"]
    return web.Response(text="from now on\n")


async def report(request):
    return web.json_response(ran)


def create_app():
    app = web.Application(middlewares=[swallowing, marking, web.normalize_path_middleware()])
    inner = web.Application()
    inner.router.add_get("/basket/", plain)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        app.router.add_get("/blocking", blocking)
    app.add_routes(
        [
            web.get("/plain", plain),
            web.get("/decorated/{number}", decorated),
            web.view("/items", Items),
            web.view("/posted", Posted),
            web.get("/bound", Registry().listing),
            web.get("/partial", functools.partial(plain)),
            web.get("/failing", failing),
            web.get("/hold-at", hold_at),
            web.get("/ran", report),
        ]
    )
    app.add_subapp("/inner/", inner)
    return app


async def create_later():
    return create_app()


app = create_app()
