"""A Flask application behind asgiref's bridge, which runs all of it on one thread."""

from asgiref.wsgi import WsgiToAsgi
from flask import Flask

flask_app = Flask(__name__)


@flask_app.get("/")
def index():
    return "here"


app = WsgiToAsgi(flask_app)
