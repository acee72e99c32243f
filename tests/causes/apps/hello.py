"""A Flask application that bounds nothing."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "here"
