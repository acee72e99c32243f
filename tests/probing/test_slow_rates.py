"""A rate that lets in one request after another, more slowly than a probe is: it is told, in a reasonable time."""

from __future__ import annotations

import msgspec
import pytest

# A token bucket without room for a second token: the next request waits until there is one.
BUCKET = """
import asyncio
import time

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def index(request):
    return PlainTextResponse("done")

class Bucket:
    def __init__(self, app):
        self.app, self.next_at, self.lock = app, time.monotonic(), asyncio.Lock()

    async def __call__(self, scope, receive, send):
        async with self.lock:
            await asyncio.sleep(max(0.0, self.next_at - time.monotonic()))
            self.next_at = time.monotonic() + EVERY_S
        await self.app(scope, receive, send)

app = Starlette(routes=[Route("/", index)])
app.add_middleware(Bucket)
"""


@pytest.mark.servers
@pytest.mark.parametrize(("every_s", "told"), [("0.5", "about 2 a second"), ("3", "about 0.33 a second")])
def test_it_is_no_long_way_of_each_request(holdfast, tmp_path, every_s, told):
    (tmp_path / "app.py").write_text(BUCKET.replace("EVERY_S", every_s))

    ended = holdfast.run("probe", "app:app", "--server", "uvicorn", "--json", "-", cwd=tmp_path)

    verdict = msgspec.json.decode(ended.out)
    assert verdict["ceiling"]["bounded"] is False, ended.err
    assert told in verdict["warnings"][0]
    # The steps of what seems to grow are waited for 20 s, and one may be under way then. Two requests come first.
    assert verdict["timing"]["probe_s"] < 20 + 6 * float(every_s) + 15
