"""Async views under Flask, which runs each request on its own thread and event loop.

`holdfast probe examples/async_hello.py --server flask --nofile 256` shows what that costs in descriptors.
"""

from __future__ import annotations

import asyncio
import time

from flask import Flask

app = Flask(__name__)


@app.get("/")
async def index() -> str:
    await asyncio.sleep(0)
    return "hello\n"


@app.get("/blocking")
async def blocking() -> str:
    time.sleep(1)  # noqa: ASYNC251 - this view is here to block its loop
    return "hello, after a second in which nothing else ran on this loop\n"
