"""Makes the file `busy` when its fiftieth request has begun."""

from __future__ import annotations

import itertools
from pathlib import Path

from flask import Flask

app = Flask(__name__)
numbers = itertools.count(1)


@app.before_request
def tell() -> None:
    if next(numbers) == 50:
        Path("busy").touch()


@app.get("/")
def index() -> str:
    return "hello"
