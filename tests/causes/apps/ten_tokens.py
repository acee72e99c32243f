"""A FastAPI application that lets AnyIO run 10 functions in threads at once."""

from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app):
    anyio.to_thread.current_default_thread_limiter().total_tokens = 10
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/")
def index():
    return "here"
