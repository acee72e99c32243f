"""The smallest application worth probing: `holdfast probe examples/hello.py --server flask`."""

from __future__ import annotations

import time

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "hello\n"


@app.get("/slow")
def slow() -> str:
    time.sleep(1)
    return "hello, after a second\n"
