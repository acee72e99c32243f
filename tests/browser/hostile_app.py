"""An application that writes markup wherever something of it can end up in a report."""

from __future__ import annotations

import sys
import threading
from itertools import count

from flask import Flask, Response

SCRIPT = "</script><script>document.documentElement.dataset.hurt = 1</script>"
IMAGE = "<img src=x onerror='document.documentElement.dataset.hurt = 2'>"

app = Flask(__name__)
numbers = count()


@app.after_request
def marked(response: Response) -> Response:
    response.headers["Server"] = response.headers["X-Name"] = IMAGE
    return response


@app.before_request
def named() -> None:
    threading.current_thread().name = f"{SCRIPT}{IMAGE} {next(numbers)}"
    sys.stderr.write(f"{SCRIPT}{IMAGE} & \x1b[31m`x`\n")


def index() -> str:
    return SCRIPT


index.__name__ = index.__qualname__ = f"{SCRIPT}{IMAGE}"
app.add_url_rule("/", endpoint="index", view_func=index)
