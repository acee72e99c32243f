"""An application with a time limit of its own: what has run for a second is answered with 504, each begins slowly."""

from __future__ import annotations

import asyncio
import time

from fastapi import FastAPI, Request, Response

app = FastAPI()


@app.middleware("http")
async def within_a_second(request: Request, run) -> Response:
    time.sleep(0.05)
    try:
        return await asyncio.wait_for(run(request), 1.0)
    except TimeoutError:
        return Response(status_code=504)


@app.get("/")
async def index() -> str:
    return "hello"
