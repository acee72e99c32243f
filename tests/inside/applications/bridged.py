"""Flask for ASGI servers and FastAPI for WSGI servers, by everything that makes the one of the other."""

from __future__ import annotations

import warnings

import a2wsgi
from asgiref.wsgi import WsgiToAsgi
from fastapi import FastAPI
from rich import app as flask_app

with warnings.catch_warnings():
    # It is deprecated for a2wsgi's.
    warnings.simplefilter("ignore")
    from starlette.middleware.wsgi import WSGIMiddleware

fast = FastAPI(openapi_url=None)
fast.add_api_route("/plain", lambda: "plain")

by_a2wsgi = a2wsgi.WSGIMiddleware(flask_app, workers=3)
by_starlette = WSGIMiddleware(flask_app)
by_asgiref = WsgiToAsgi(flask_app)


async def by_hand(scope, receive, send):
    await by_a2wsgi(scope, receive, send)


fast_by_a2wsgi = a2wsgi.ASGIMiddleware(fast)
