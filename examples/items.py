"""A FastAPI application with one view of each kind, each of which waits. Start it with `uvicorn items:app`.

`holdfast explain items.py --path /items --server uvicorn --overload --health /health` shows what becomes of a health
check that needs a thread.
"""

from __future__ import annotations

import asyncio
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/items")
def items() -> list[str]:
    time.sleep(0.5)
    return ["anvil", "rocket skates"]


@app.get("/awaiting")
async def awaiting() -> str:
    await asyncio.sleep(0.2)
    return "nothing else had to wait for this"


@app.get("/blocking")
async def blocking() -> str:
    time.sleep(0.2)  # noqa: ASYNC251 - this view is here to block its loop
    return "everything else had to wait for this"


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/healthz")
async def healthz() -> str:
    return "ok"
