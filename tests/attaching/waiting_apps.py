"""Applications whose paths wait by themselves: /500 for 500 ms, /500/40 for 500 ms give or take 40."""

from __future__ import annotations

import asyncio
import random
import time


def wait_s(path: str) -> float:
    words = path.strip("/").split("/")
    wait_ms = float(words[0] or 0)
    spread_ms = float(words[1]) if len(words) > 1 else 0.0
    return (wait_ms + random.uniform(-spread_ms, spread_ms)) / 1000


def wsgi(environ, start_response):
    time.sleep(wait_s(environ["PATH_INFO"]))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def computing(environ, start_response):
    """Computes for as long as it would have waited."""
    until = time.thread_time() + wait_s(environ["PATH_INFO"])
    while time.thread_time() < until:
        pass
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


async def _answer(send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def waiting(scope, receive, send):
    """ASGI, as it should be."""
    if scope["type"] == "http":
        await asyncio.sleep(wait_s(scope["path"]))
        await _answer(send)


THREE = asyncio.Semaphore(3)


async def three_at_once(scope, receive, send):
    """ASGI; further requests wait for one of three places."""
    if scope["type"] == "http":
        async with THREE:
            await asyncio.sleep(wait_s(scope["path"]))
        await _answer(send)


async def blocking(scope, receive, send):
    """ASGI, blocking its loop."""
    if scope["type"] == "http":
        time.sleep(wait_s(scope["path"]))
        await _answer(send)


def flask_app():
    from flask import Flask

    app = Flask(__name__)
    app.add_url_rule("/<int:ms>", view_func=lambda ms: (time.sleep(ms / 1000), "ok")[1], endpoint="wait")
    return app


def fastapi_app():
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/{ms}")
    def view(ms: int):
        time.sleep(ms / 1000)
        return "ok"

    @app.get("/validated/{ms}")
    def validated(ms: int) -> str:
        time.sleep(ms / 1000)
        return "ok"

    @app.get("/blocking/{ms}")
    async def blocks(ms: int):
        time.sleep(ms / 1000)
        return "ok"

    return app
