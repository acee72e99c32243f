"""A Flask application behind a2wsgi, on 9 threads of its own."""

from a2wsgi import WSGIMiddleware
from flask import Flask

flask_app = Flask(__name__)


@flask_app.get("/")
def index():
    return "here"


app = WSGIMiddleware(flask_app, workers=9)
