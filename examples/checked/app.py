"""A small shop: what is measured is how many of its requests run at once."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "welcome\n"


@app.get("/orders/<int:number>")
def order(number: int) -> dict[str, object]:
    return {"number": number, "items": ["rocket skates"]}
