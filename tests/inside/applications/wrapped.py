"""Flask hidden in a function, which is not a Flask application."""

from rich import app as inner
from werkzeug.middleware.dispatcher import DispatcherMiddleware

mounted = DispatcherMiddleware(inner, {"/outer": inner})


def application(environ, start_response):
    return mounted(environ, start_response)
