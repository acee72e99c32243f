"""Views whose bodies are run for real: one waits as a coroutine should, one stops its event loop, one is a `def`."""

from __future__ import annotations

import asyncio
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/awaiting")
async def awaiting() -> dict[str, bool]:
    await asyncio.sleep(0.05)
    return {"slept": True}


@app.get("/blocking")
async def blocking() -> dict[str, bool]:
    time.sleep(0.02)
    return {"slept": True}


@app.get("/def")
def in_a_thread() -> dict[str, bool]:
    time.sleep(0.05)
    return {"slept": True}


@app.get("/long")
async def long() -> dict[str, bool]:
    await asyncio.sleep(0.3)
    return {"slept": True}


@app.get("/quick")
async def quick() -> dict[str, bool]:
    return {"slept": False}
