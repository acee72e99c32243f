"""A Quart application with a view that is no coroutine: Quart runs it in the loop's default executor."""

from quart import Quart

app = Quart(__name__)


@app.get("/")
def index():
    return "here"
