"""Each request holds one lock for 50 ms: 20 a second, with however many handlers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

LOCK = threading.Lock()


def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    with LOCK:
        time.sleep(0.05)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
