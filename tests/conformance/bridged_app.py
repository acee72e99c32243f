"""A Flask application for ASGI servers, by everything that makes the one of the other, and FastAPI for WSGI servers."""

from __future__ import annotations

import warnings
from typing import Any

import a2wsgi
from asgiref.wsgi import WsgiToAsgi
from fastapi import FastAPI
from flask import Flask

with warnings.catch_warnings():
    # It is deprecated for a2wsgi's.
    warnings.simplefilter("ignore")
    from starlette.middleware.wsgi import WSGIMiddleware

app = Flask(__name__)
fast = FastAPI(openapi_url=None)


@app.route("/")
def front() -> str:
    return "hello"


@fast.get("/")
async def home() -> str:
    return "hello"


# Each bridge has types of its own for the same two interfaces.
wsgi: Any = app
asgi: Any = fast
to_asgi: Any = WsgiToAsgi

by_a2wsgi = a2wsgi.WSGIMiddleware(wsgi, workers=3)
by_starlette = WSGIMiddleware(wsgi)
by_asgiref = to_asgi(wsgi)
from_asgi = a2wsgi.ASGIMiddleware(asgi)
