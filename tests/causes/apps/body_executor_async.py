"""A coroutine that gives its work to the application's own pool of 3 threads."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI

app = FastAPI()
pool = ThreadPoolExecutor(3)


@app.get("/")
async def index():
    await asyncio.get_running_loop().run_in_executor(pool, time.sleep, 0.2)
    return "here"
