"""A view whose body takes one of 3 licences from a queue, and puts it back after its work."""

import queue
import time

from flask import Flask

app = Flask(__name__)
licences = queue.Queue()
for number in range(3):
    licences.put(number)


@app.get("/")
def index():
    licence = licences.get()
    try:
        time.sleep(0.2)
    finally:
        licences.put(licence)
    return "here"
