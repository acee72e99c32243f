"""A FastAPI view that is no coroutine: it runs in one of AnyIO's threads."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def index():
    return "here"
