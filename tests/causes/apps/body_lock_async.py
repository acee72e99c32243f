"""A coroutine that holds a lock while it works."""

import asyncio

from fastapi import FastAPI

app = FastAPI()
turn = asyncio.Lock()


@app.get("/")
async def index():
    async with turn:
        await asyncio.sleep(0.05)
    return "here"
