"""A Flask application under gevent whose WSGI middleware lets 3 requests of a process through at once."""

from flask import Flask
from gevent.lock import BoundedSemaphore

app = Flask(__name__)
turn = BoundedSemaphore(3)


@app.get("/")
def index():
    return "here"


inner = app.wsgi_app


def one_of_three(environ, start_response):
    with turn:
        return inner(environ, start_response)


app.wsgi_app = one_of_three
