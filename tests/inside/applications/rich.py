"""Every way to a view that a Flask application has, with counters of what really ran."""

from __future__ import annotations

import functools
import os
from collections import Counter

from flask import Blueprint, Flask, Response, abort, jsonify, request
from flask.views import MethodView, View

app = Flask(__name__)
ran = Counter()


@app.before_request
def only_invited():
    if request.headers.get("X-Stranger"):
        abort(401)
    ran["before_request"] += 1


@app.after_request
def marked(response):
    response.headers["X-Marked"] = "yes"
    return response


def login_required(view):
    @functools.wraps(view)
    def checked(*args, **kwargs):
        ran["login_required"] += 1
        if request.headers.get("X-User") != "ann":
            return "log in first\n", 403
        return view(*args, **kwargs)

    return checked


def stubborn(view):
    """Repeats a view that raises, whatever it raises."""

    @functools.wraps(view)
    def repeated():
        while True:
            try:
                return view()
            except Exception:  # noqa: BLE001 - the fault that is shown
                ran["stubborn"] += 1

    return repeated


class Prefixed:
    prefix = "of the class"

    def text(self):
        return self.prefix


@app.route("/plain")
def plain():
    ran["body"] += 1
    return "plain body\n"


@app.route("/decorated/<int:number>")
@login_required
def decorated(number, *, unit="pieces"):
    ran["body"] += 1
    return f"{number} {unit}\n"


@app.route("/stubborn")
@stubborn
def persistent():
    ran["body"] += 1
    return "persistent body\n"


def make_closure(greeting):
    calls = 0

    def closure(name="world"):
        nonlocal calls
        calls += 1
        ran["body"] += 1
        return f"{greeting}, {name}\n"

    return closure


app.add_url_rule("/closure", view_func=make_closure("hello"))
app.add_url_rule("/closure/<name>", view_func=make_closure("good day"), endpoint="second")


class Items(MethodView):
    decorators = [login_required]  # noqa: RUF012 - as Flask's documentation writes it
    shelf = "shelf 1"

    def __init__(self, owner):
        self.owner = owner

    def get(self):
        ran["body"] += 1
        return f"items of {self.owner} on {self.shelf}\n"


class Heir(Prefixed, View):
    def text(self):
        return "heir " + super().text()

    def dispatch_request(self):
        ran["body"] += 1
        return self.text() + "\n"


class Registry:
    def listing(self):
        ran["body"] += 1
        return "listing\n"

    def __call__(self):
        ran["body"] += 1
        return "called\n"


app.add_url_rule("/items", view_func=Items.as_view("items", "ann"))
app.add_url_rule("/heir", view_func=Heir.as_view("heir"))
app.add_url_rule("/bound", endpoint="bound", view_func=Registry().listing)
app.add_url_rule("/callable", endpoint="callable", view_func=Registry())
app.add_url_rule("/partial", endpoint="partial", view_func=functools.partial(decorated, 3, unit="kilos"))
app.add_url_rule("/builtin", endpoint="builtin", view_func=dict)

shop = Blueprint("shop", __name__, url_prefix="/shop")


@shop.route("/basket/")
def basket():
    ran["body"] += 1
    return "basket\n"


app.register_blueprint(shop)


@app.route("/generator")
def generator():
    ran["body"] += 1
    yield "in "
    yield "parts\n"


def waited(view):
    @functools.wraps(view)
    async def awaiting(*args, **kwargs):
        ran["waited"] += 1
        return await view(*args, **kwargs)

    return awaiting


@app.route("/async")
@waited
async def asynchronous():
    ran["body"] += 1
    return "async body\n"


@app.route("/streamed")
def streamed():
    return Response(iter(["a\n", "b\n"]), headers={"X-Two": "values"}, status=202)


@app.route("/hold-at")
def hold_at():
    os.environ["HOLDFAST_PATH"] = request.args["path"]
    return "from now on\n"


@app.route("/ran")
def report():
    return jsonify(ran)
