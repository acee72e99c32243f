"""A view whose body lets 4 requests of a process work at once."""

import threading
import time

from flask import Flask

app = Flask(__name__)
turn = threading.Semaphore(4)


@app.get("/")
def index():
    with turn:
        time.sleep(0.2)
    return "here"
