"""A server of one process that is killed when it begins its twentieth request."""

from __future__ import annotations

import itertools
import os
import signal

from flask import Flask

app = Flask(__name__)
numbers = itertools.count(1)


@app.before_request
def end_at_the_twentieth() -> None:
    if next(numbers) == 20:
        os.kill(os.getpid(), signal.SIGKILL)


@app.get("/")
def index() -> str:
    return "hello"
