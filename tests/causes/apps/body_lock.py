"""A view whose body holds a lock while it works, so one request of a process works at a time."""

import threading
import time

from flask import Flask

app = Flask(__name__)
turn = threading.Lock()


@app.get("/")
def index():
    with turn:
        time.sleep(0.05)
    return "here"
