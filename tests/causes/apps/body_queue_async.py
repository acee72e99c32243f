"""A coroutine that takes one of 3 licences from an asyncio queue."""

import asyncio

from fastapi import FastAPI

app = FastAPI()
licences = asyncio.Queue()
for number in range(3):
    licences.put_nowait(number)


@app.get("/")
async def index():
    licence = await licences.get()
    try:
        await asyncio.sleep(0.2)
    finally:
        licences.put_nowait(licence)
    return "here"
