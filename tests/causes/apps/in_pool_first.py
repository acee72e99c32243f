"""A FastAPI view whose thread waits for one of 3 connections before it: a dependency that is no coroutine."""

import threading
from typing import Annotated

from fastapi import Depends, FastAPI

app = FastAPI()
turn = threading.Semaphore(3)


def one_of_three():
    with turn:
        yield


@app.get("/")
def index(_turn: Annotated[None, Depends(one_of_three)]):
    return "here"
