"""A server with 400 handlers of 200 ms, on the port that it is given: 2,000 requests a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from waitress import serve


def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    time.sleep(0.2)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


if __name__ == "__main__":
    serve(app, host="127.0.0.1", port=int(sys.argv[1]), threads=400, connection_limit=1000, backlog=1024)
