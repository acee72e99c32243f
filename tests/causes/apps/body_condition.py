"""A view whose body waits for a condition: 3 requests of a process may be at work."""

import threading
import time

from flask import Flask

app = Flask(__name__)
changed = threading.Condition()
at_work = []


@app.get("/")
def index():
    with changed:
        changed.wait_for(lambda: len(at_work) < 3)
        at_work.append(1)
    try:
        time.sleep(0.2)
    finally:
        with changed:
            at_work.pop()
            changed.notify()
    return "here"
