"""A worker that another worker forks has places too, whenever it comes and however late it is for each connection."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

SERVER = Path(__file__).with_name("workers_that_fork.py")


@pytest.mark.servers
@pytest.mark.parametrize(("kind", "after", "offered"), [("slow", 0, 40), ("late", 30, 1000)])
def test_it_is_seen_to_run_as_many_or_said_to_run_perhaps_as_many(holdfast, kind, after, offered):
    verdict = probed(holdfast, kind, after, offered)

    ceiling = verdict["ceiling"]
    # Two ThreadPoolExecutor(2). On a busy machine it may come too late for those that are dealt to it too.
    assert ceiling["in_service"] == 4 if ceiling["bounded"] else ceiling["interval"][1] == 4
    assert verdict["model"]["processes"] == 2


@pytest.mark.servers
def test_one_that_comes_when_all_have_been_offered_makes_it_at_least(holdfast):
    verdict = probed(holdfast, "late", 40, 40)

    assert (verdict["ceiling"]["bounded"], verdict["ceiling"]["interval"]) == (False, [2, 4])
    assert (verdict["model"]["processes"], verdict["model"]["spread"]) == (2, [2, 0])
    assert "One of the 2 processes that accept here had run no handler" in verdict["warnings"][0]


# The pool comes while requests wait. Its processes are forked, so they have the loop's epoll set and the socket.
POOL = """
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

def index(request):
    return PlainTextResponse("done")

class Work:
    def __init__(self, app):
        self.app, self.came = app, 0

    async def __call__(self, scope, receive, send):
        self.came += scope["type"] == "http"
        if self.came == 6:
            self.pool = ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("fork"))
            for each in [self.pool.submit(time.sleep, 0.05) for _ in range(3)]:
                each.result()
        await self.app(scope, receive, send)

app = Starlette(routes=[Route("/", index)])
app.add_middleware(Work)
"""


@pytest.mark.servers
def test_a_pool_that_a_worker_forks_for_other_work_has_no_places(holdfast, tmp_path):
    (tmp_path / "app.py").write_text(POOL)
    port = holdfast.free_port()
    command = (sys.executable, "-m", "uvicorn", "--port", str(port), "app:app")

    ended = holdfast.run("exec", "--max-offered", "60", "--json", "-", "--", *command, cwd=tmp_path, port=port)

    assert ended.exit == 0, ended.err
    verdict = msgspec.json.decode(ended.out)
    # AnyIO's threads: 40 (anyio/_backends/_asyncio.py, current_default_thread_limiter).
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (40, True)
    assert (verdict["model"]["processes"], verdict["model"]["spread"]) == (1, [40])


def probed(holdfast, kind: str, after: int, offered: int):
    port = holdfast.free_port()
    command = (sys.executable, str(SERVER), str(port), kind, str(after))

    ended = holdfast.run("exec", "--max-offered", str(offered), "--json", "-", "--", *command, port=port)

    assert ended.exit == 0, ended.err
    return msgspec.json.decode(ended.out)
