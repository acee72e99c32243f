"""An application that lets nothing through once many had to wait: what follows says nothing of its server."""

from __future__ import annotations

from importlib.util import find_spec

import msgspec
import pytest

PLACES = 13  # so many that they are not offered exactly before the queue is filled: that would be before it locks up
OFFERED = 120

LOCKS_UP = f"""
import asyncio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

free = asyncio.Semaphore({PLACES})
waiting = most = 0

class Limiting:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        global waiting, most
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        waiting += 1
        most = max(most, waiting)
        await free.acquire()
        waiting -= 1
        await self.app(scope, receive, send)
        if most <= {PLACES}:
            free.release()

async def index(request):
    return PlainTextResponse("done")

app = Starlette(routes=[Route("/", index)], middleware=[Middleware(Limiting)])
"""


@pytest.mark.skipif(find_spec("uvicorn") is None or find_spec("starlette") is None, reason="uvicorn, starlette missing")
def test_what_a_locked_up_application_lets_in_is_not_told_as_what_its_server_does(holdfast):
    (holdfast.directory / "shop.py").write_text(LOCKS_UP)
    ended = holdfast.run("probe", "shop.py", "--server", "uvicorn", "--max-offered", str(OFFERED), "--json", "-")

    verdict = msgspec.json.decode(ended.out)
    assert ended.exit == 0, ended.err
    assert verdict["ceiling"]["in_service"] == PLACES
    assert verdict["places"]["before_view"] == OFFERED - PLACES
    assert (verdict["ceiling"]["at_exact_load"], verdict["abandoned"]["run_anyway"]) == (None, None)
    assert "kept some of these from their view" in verdict["unknown"]["ceiling.at_exact_load"]
    assert "handed to the application" in verdict["unknown"]["abandoned.run_anyway"]
