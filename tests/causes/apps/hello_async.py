"""A Starlette application that bounds nothing."""

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def index(request):
    return PlainTextResponse("here")


app = Starlette(routes=[Route("/", index)])
