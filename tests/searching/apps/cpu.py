"""Each request takes 20 ms of its thread's processor time: 50 a second on one core, less the server's own work.

How much the process has used for how many requests is written to `used.txt`, as two numbers in each line.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

NUMBERS = itertools.count(1)


def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    until = time.thread_time() + 0.02
    while time.thread_time() < until:
        pass
    number = next(NUMBERS)
    if number % 50 == 0:
        with open("used.txt", "a") as used:
            used.write(f"{time.process_time()} {number}\n")
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
