"""A view whose body gives its work to the application's own pool of 3 threads, and waits for the result."""

import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

app = Flask(__name__)
pool = ThreadPoolExecutor(3)


@app.get("/")
def index():
    pool.submit(time.sleep, 0.2).result()
    return "here"
