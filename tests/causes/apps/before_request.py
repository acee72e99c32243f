"""A Flask application that lets 3 requests past its before_request at once."""

import threading

from flask import Flask

app = Flask(__name__)
turn = threading.BoundedSemaphore(3)


@app.before_request
def enter():
    turn.acquire()


@app.teardown_request
def leave(_error):
    turn.release()


@app.get("/")
def index():
    return "here"
