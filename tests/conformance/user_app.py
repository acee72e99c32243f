"""A Flask application as people have them: in a file, as an attribute, made by a factory."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.route("/")
def front() -> str:
    return "front"


@app.route("/orders")
async def orders() -> str:
    return "orders"


def create_app(greeting: str) -> Flask:
    made = Flask("made")

    @made.route("/")
    def welcome() -> str:
        return greeting

    return made
