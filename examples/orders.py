"""A server to send load to. Start it from this directory with `flask --app orders run --port 8000`.

`/` answers at once, `/slow` after 0.2 s. `/orders` accepts orders, `/orders/NUMBER` accepts and shows one, and
`/users/NAME` returns a user's name. `/login` gives a token and a cookie; `/basket` wants one of them. `/latest`
redirects to an order.
"""

from __future__ import annotations

import time

from flask import Flask, jsonify, redirect, request
from flask.typing import ResponseReturnValue

SLOW_S = 0.2

app = Flask(__name__)


@app.get("/")
def index() -> ResponseReturnValue:
    return jsonify(status="ok")


@app.get("/slow")
def slow() -> ResponseReturnValue:
    time.sleep(SLOW_S)
    return jsonify(status="ok")


@app.route("/orders", methods=["GET", "POST"])
@app.route("/orders/<int:number>", methods=["GET", "POST"])
def orders(number: int = 0) -> ResponseReturnValue:
    if request.method == "GET":
        return jsonify(status="ok", number=number)
    order = request.get_json(silent=True)
    if order is None:
        return jsonify(error="an order must be JSON"), 400
    return jsonify(status="ok", number=number, order=order), 201


@app.post("/login")
def login() -> ResponseReturnValue:
    name = request.form.get("name")
    if not name:
        return jsonify(error="the form has no name"), 400
    answer = jsonify(token=f"token-of-{name}")
    answer.set_cookie("session", f"session-of-{name}")
    return answer


@app.get("/basket")
def basket() -> ResponseReturnValue:
    token = request.headers.get("Authorization", "").partition("Bearer token-of-")[2]
    name = token or request.cookies.get("session", "").partition("session-of-")[2]
    if not name:
        return jsonify(error="log in first"), 401
    return jsonify(status="ok", basket=["jar", "lid"], name=name)


@app.get("/latest")
def latest() -> ResponseReturnValue:
    return redirect("/orders/7")


@app.get("/users/<name>")
def user(name: str) -> ResponseReturnValue:
    return jsonify(status="ok", name=name)
