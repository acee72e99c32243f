"""An ASGI application whose middleware lets 6 requests through at once."""

import asyncio

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

turn = asyncio.Semaphore(6)


class OneOfSix:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        async with turn:
            await self.app(scope, receive, send)


async def index(request):
    return PlainTextResponse("here")


app = Starlette(routes=[Route("/", index)])
app.add_middleware(OneOfSix)
