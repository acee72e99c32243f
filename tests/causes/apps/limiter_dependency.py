"""A FastAPI dependency behind one of AnyIO's limiters of 4."""

from typing import Annotated

import anyio
from fastapi import Depends, FastAPI

app = FastAPI()
limiter = anyio.CapacityLimiter(4)


async def one_of_four():
    async with limiter:
        yield


@app.get("/")
async def index(_turn: Annotated[None, Depends(one_of_four)]):
    return "here"
