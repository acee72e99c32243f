"""A Flask application that lets another number of requests through each time it is started."""

import os
import threading

from flask import Flask

app = Flask(__name__)
turn = threading.Semaphore(2 + os.getpid() % 13)


@app.get("/")
def index():
    return "here"


inner = app.wsgi_app


def one_of_some(environ, start_response):
    with turn:
        return inner(environ, start_response)


app.wsgi_app = one_of_some
