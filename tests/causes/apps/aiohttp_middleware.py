"""An aiohttp application whose middleware lets 5 requests through at once."""

import asyncio

from aiohttp import web

turn = asyncio.Semaphore(5)


@web.middleware
async def one_of_five(request, handler):
    async with turn:
        return await handler(request)


async def index(_request):
    return web.Response(text="here")


app = web.Application(middlewares=[one_of_five])
app.router.add_get("/", index)
