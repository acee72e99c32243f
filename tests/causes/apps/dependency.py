"""A dependency of which 7 requests may be in at once, by FastAPI's own option."""

from typing import Annotated

from fastapi import Depends, FastAPI

app = FastAPI()


async def one_of_seven():
    yield


@app.get("/")
async def index(turn: Annotated[None, Depends(one_of_seven, max_concurrency=7)]):
    return "here"
