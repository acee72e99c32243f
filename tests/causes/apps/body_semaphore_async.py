"""An async view whose body lets 5 requests work at once."""

import asyncio

from fastapi import FastAPI

app = FastAPI()
turn = asyncio.Semaphore(5)


@app.get("/")
async def index():
    async with turn:
        await asyncio.sleep(0.2)
    return "here"
