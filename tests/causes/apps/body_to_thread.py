"""A coroutine that gives its work to the loop's default executor."""

import asyncio
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def index():
    await asyncio.to_thread(time.sleep, 0.2)
    return "here"
