"""Answers after a while, which is what a look from outside needs; each request begins slowly too."""

from __future__ import annotations

import time

from flask import Flask

app = Flask(__name__)


@app.before_request
def begin_slowly() -> None:
    time.sleep(0.3)


@app.get("/")
def index() -> str:
    return "hello"
