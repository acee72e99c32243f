"""Every way to a view that a Quart application has, with counters of what really ran."""

from __future__ import annotations

import functools
import os
from collections import Counter

from quart import Blueprint, Quart, abort, jsonify, request
from quart.views import MethodView, View

app = Quart(__name__)
ran = Counter()


@app.before_request
def only_invited():
    if request.headers.get("X-Stranger"):
        abort(401)
    ran["before_request"] += 1


@app.after_request
async def marked(response):
    response.headers["X-Marked"] = "yes"
    return response


def login_required(view):
    @functools.wraps(view)
    async def checked(*args, **kwargs):
        ran["login_required"] += 1
        if request.headers.get("X-User") != "ann":
            return "log in first\n", 403
        return await app.ensure_async(view)(*args, **kwargs)

    return checked


@app.route("/plain")
def plain():
    ran["body"] += 1
    return "plain body\n"


@app.route("/async")
async def asynchronous():
    ran["body"] += 1
    return "async body\n"


@app.route("/decorated/<int:number>")
@login_required
async def decorated(number, *, unit="pieces"):
    ran["body"] += 1
    return f"{number} {unit}\n"


@app.route("/in-thread")
@login_required
def in_thread():
    ran["body"] += 1
    return {"in": "thread"}


class Items(MethodView):
    def __init__(self, owner):
        self.owner = owner

    def get(self):
        ran["body"] += 1
        return f"items of {self.owner}\n"

    async def post(self):
        ran["body"] += 1
        return "posted\n"


class Heir(View):
    decorators = [login_required]  # noqa: RUF012 - as Quart's documentation writes it

    async def dispatch_request(self):
        ran["body"] += 1
        return "heir\n"


app.add_url_rule("/items", view_func=Items.as_view("items", "ann"))
app.add_url_rule("/heir", view_func=Heir.as_view("heir"))
app.add_url_rule("/builtin", endpoint="builtin", view_func=dict)

shop = Blueprint("shop", __name__, url_prefix="/shop")


@shop.route("/basket/")
async def basket():
    ran["body"] += 1
    return "basket\n"


app.register_blueprint(shop)


@app.route("/pieces")
async def pieces():
    ran["body"] += 1

    async def generated():
        yield "one\n"
        yield "two\n"

    return generated()


@app.route("/posted", methods=["POST"])
async def posted():
    ran["body"] += 1
    return "posted\n"


@app.route("/hold-at")
async def hold_at():
    os.environ["HOLDFAST_PATH"] = request.args["path"]
    return "from now on\n"


@app.route("/ran")
async def report():
    return jsonify(ran)
