"""Every way to a handler that a Sanic application has, with counters of what really ran."""

from __future__ import annotations

import functools
import os
from collections import Counter

from sanic import Blueprint, Sanic, response
from sanic.views import HTTPMethodView

app = Sanic("rich")
ran = Counter()


@app.on_request
async def only_invited(request):
    if "X-Stranger" in request.headers:
        return response.empty(401)
    ran["marking"] += 1
    return None


@app.on_response
async def marked(request, answer):
    answer.headers["X-Marked"] = "yes"


@app.exception(Exception)
async def swallowing(request, error):
    ran["swallowed"] += 1
    return response.json({"error": repr(error)}, getattr(error, "status_code", 500))


def login_required(handler):
    @functools.wraps(handler)
    async def checked(request, *args, **kwargs):
        ran["login_required"] += 1
        if request.headers.get("X-User") != "ann":
            return response.empty(403)
        return await handler(request, *args, **kwargs)

    return checked


@app.get("/plain")
async def plain(request):
    ran["body"] += 1
    return response.text("plain body\n")


@app.get("/sync")
def sync(request):
    ran["body"] += 1
    return response.text("sync body\n")


@app.get("/decorated/<number:int>")
@login_required
async def decorated(request, number, *, unit="pieces"):
    ran["body"] += 1
    return response.text(f"{number} {unit}\n")


class Items(HTTPMethodView):
    async def get(self, _request):
        ran["body"] += 1
        return response.text("items\n")


class Decorated(HTTPMethodView):
    decorators = [login_required]  # noqa: RUF012 - as Sanic's documentation writes it

    async def get(self, _request):
        ran["body"] += 1
        return response.text("decorated items\n")


app.add_route(Items.as_view(), "/items")
app.add_route(Decorated.as_view(), "/decorated-items")
inner = Blueprint("inner", url_prefix="/inner")


@inner.get("/basket")
async def basket(request):
    ran["body"] += 1
    return response.text("basket\n")


app.blueprint(inner)


@app.post("/posted")
async def posted(request):
    return response.text("posted\n")


@app.get("/hold-at")
async def hold_at(request):
    os.environ["HOLDFAST_PATH"] = request.args.get("path")
    return response.text("from now on\n")


@app.get("/ran")
async def report(request):
    return response.json(ran)
