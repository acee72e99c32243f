"""A Flask application that lets another number of requests through each time it is started."""

import threading
from pathlib import Path

from flask import Flask

app = Flask(__name__)
STARTS = Path(__file__).with_suffix(".starts")
PLACES = (7, 3, 11, 5, 9, 2, 13, 4)

with STARTS.open("a") as starts:
    starts.write(".")
turn = threading.Semaphore(PLACES[(STARTS.stat().st_size - 1) % len(PLACES)])


@app.get("/")
def index():
    return "here"


inner = app.wsgi_app


def one_of_some(environ, start_response):
    with turn:
        return inner(environ, start_response)


app.wsgi_app = one_of_some
