"""Where requests are held in a user's FastAPI and Starlette applications; everything else works as without holdfast."""

from __future__ import annotations

import json
import socket
from collections import Counter

import pytest
from inside_server import SERVER_PYTHON, UVICORN, listens, reply, serving, started, wait_until
from shared_application import ANN, Application

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("a2wsgi")

LOOP, THREAD = "loop", "thread"

# Path -> in words, kind, via, and where it runs.
WAYS_TO_A_VIEW = {
    "/plain": ("fastapi view plain()", "sync", "view", THREAD),
    "/async": ("fastapi async view asynchronous()", "async", "view", LOOP),
    "/items/7": ("fastapi view item()", "sync", "view", THREAD),
    "/cached": ("fastapi async view costly()", "async", "view", LOOP),
    "/elsewhere": ("fastapi view slow()", "sync", "view", THREAD),
    "/bound": ("fastapi view Registry.listing()", "sync", "view", THREAD),
    "/callable": ("fastapi async view Registry.__call__()", "async", "view", LOOP),
    "/partial": ("fastapi view Registry.listing()", "sync", "view", THREAD),
    "/pieces": ("fastapi view pieces()", "sync", "view", THREAD),
    "/later-pieces": ("fastapi async view later_pieces()", "async", "view", LOOP),
    "/shop/inner/basket": ("fastapi async view basket()", "async", "view", LOOP),
    "/second/inner/basket": ("fastapi async view basket()", "async", "view", LOOP),
    "/sub/plain": ("fastapi view plain()", "sync", "view", THREAD),
    "/starlette/view": ("starlette view starlette_view()", "sync", "view", THREAD),
    "/starlette/endpoint": ("starlette view Endpoint.get()", "sync", "view", THREAD),
    "/starlette/instance": ("starlette async view Raw.__call__()", "async", "view", LOOP),
    "/starlette/once": ("starlette async view Once()", "async", "view", LOOP),
    "/starlette/deeper/view": ("starlette view starlette_view()", "sync", "view", THREAD),
    "/flask/plain": ("flask view plain()", "sync", "view", THREAD),
    "/raw/anything": ("asgi entry of raw, mounted at /raw", "async", "unknown", LOOP),
    "/posted": ("fastapi entry (no view for GET at /posted)", "async", "entry", LOOP),
    "/missing": ("fastapi entry (no view at /missing)", "async", "entry", LOOP),
}
WITH_DEPENDENCIES = {"/items/7", "/cached", "/shop/inner/basket"}
WITH_DECORATOR = {"/items/7", "/cached"}


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("rich"), app="rich_fastapi.py", command=UVICORN) as server:
        yield Application(server)


@pytest.mark.parametrize("path", WAYS_TO_A_VIEW)
def test_a_fastapi_endpoint_is_held_in_place_of_its_innermost_function(rich, path):
    asked = []

    def ran():
        counts, times = all_that_ran(rich.server)
        asked.append(times)
        return counts

    held = rich.held_at(path, ran)

    held_in, kind, via, where = WAYS_TO_A_VIEW[path]
    assert [rich.server.recording.held_in(id) for id in held.ids] == [(held_in, kind, via)] * 2
    assert [(answer.status, answer.body) for answer in held.answers] == [(200, b"held\n")] * 2
    assert "x-marked: yes" in held.answers[0].headers
    assert held.meanwhile == held.ordinary
    # One ordinary request, two held ones and the reports themselves went the whole way; one body was run.
    assert held.ran["middleware"] == 3 + asked[-1]
    assert held.ran["body"] == held.ran_before["body"]
    for what in ("dependency", "session opened", "session closed"):
        assert held.ran[what] == 3 * (path in WITH_DEPENDENCIES)
    assert held.ran["decorator"] == 3 * (path in WITH_DECORATOR)
    for entry in map(rich.server.entry, held.ids):
        assert entry.entry_loop
        assert entry.entry_tid == rich.server.process.pid
        assert (entry.tid == rich.server.process.pid) == entry.loop == (where == LOOP)


def all_that_ran(server):
    """How often what has run, once every session that was opened is closed, and how often that was asked for.

    FastAPI closes what a dependency has opened when the answer has been sent (fastapi/routing.py, request_response()).
    """
    reports = []

    def closed():
        reports.append(Counter(json.loads(server.get("/ran").body)))
        return reports[-1]["session opened"] == reports[-1]["session closed"]

    wait_until(closed, "end of every session")
    return reports[-1], len(reports)


def test_a_decorator_gets_nothing_to_keep_and_nothing_to_repeat(tmp_path):
    with serving(tmp_path, app="rich_fastapi:app", path="/cached", command=UVICORN) as server:
        server.release(0)

        assert server.get("/cached", ANN, id=0).body == b"held\n"
        assert server.get("/kept").body == b"0"
        assert "tried again" not in json.loads(server.get("/ran").body)
        assert server.entry(0).entries == 1


def test_an_answer_given_before_the_view_stays_the_answer(tmp_path):
    with serving(tmp_path, app="rich_fastapi:app", path="/items/7", command=UVICORN) as server:
        assert server.get("/items/7", ("X-User: eve",), id=0).status == 403
        assert server.get("/items/7", id=0).status == 422
        assert server.recording.entered(0, 64) == 0


def test_a_redirect_of_the_application_is_not_held(tmp_path):
    with serving(tmp_path, app="rich_fastapi:app", path="/slash", command=UVICORN) as server:
        assert server.get("/slash", id=0).status == 307
        assert server.recording.entered(0, 64) == 0


def test_a_websocket_passes_through_untouched(tmp_path):
    pytest.importorskip("websockets")
    upgrade = ("Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
    with serving(tmp_path, app="rich_fastapi:app", path="/socket", command=UVICORN) as server:
        lines = ["GET /socket HTTP/1.1", "Host: localhost", "Connection: Upgrade", *upgrade]
        with socket.create_connection(("127.0.0.1", server.port), 10) as client:
            client.sendall("\r\n".join([*lines, "X-Holdfast: secret-of-this-run/0", "", ""]).encode())
            received = client.recv(65536)
            while b"hello" not in received:
                received += client.recv(65536)

        assert received.startswith(b"HTTP/1.1 101 ")
        assert server.recording.entered(0, 64) == 0


def test_an_async_view_is_held_by_blocking_where_that_is_asked_for(tmp_path):
    app, path = "rich_fastapi:app", "/cached"
    with serving(tmp_path, app=app, path=path, view="async-blocking", command=UVICORN) as server:
        server.hold(0, path=path, headers=ANN)

        assert server.recording.held_in(0) == ("fastapi async view costly()", "async-blocking", "view")
        assert server.entry(0).loop


def test_a_sync_view_stays_what_it_is_whatever_is_asked_for(tmp_path):
    app, path = "rich_fastapi:app", "/plain"
    with serving(tmp_path, app=app, path=path, view="async-blocking", command=UVICORN) as server:
        server.hold(0, 1, path=path)

        assert server.recording.held_in(0) == ("fastapi view plain()", "sync", "view")


def test_ordinary_requests_get_the_very_replies_that_they_get_without_the_recorder(tmp_path):
    (tmp_path / "alone").mkdir()
    command = (SERVER_PYTHON, "-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "rich_fastapi:app")
    with (
        serving(tmp_path, app="rich_fastapi:app", path="/plain", command=UVICORN) as server,
        started(command, tmp_path / "alone", {}) as (_, port, log),
    ):
        wait_until(lambda: listens(port), "listening server", log)
        server.hold(0, path="/plain")
        for path in [*WAYS_TO_A_VIEW, "/slash"]:
            for headers in ((), ANN, ("X-User: eve",)):
                ours = server.get(path, headers)

                with socket.create_connection(("127.0.0.1", port)) as client:
                    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
                    client.sendall("\r\n".join(lines).encode())
                    assert ours == reply(client), path


def test_a_held_coroutine_that_is_cancelled_has_left(tmp_path):
    # A time limit that the user sets, as in middleware or a gateway.
    (tmp_path / "impatient.py").write_text(IMPATIENT)
    with serving(tmp_path, app=str(tmp_path / "impatient.py"), command=UVICORN) as server:
        assert server.get("/", id=0).status == 504
        assert server.recording.is_left(0)
        assert server.recording.held_in(0) == ("starlette async view index()", "async", "view")


IMPATIENT = """
import asyncio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def index(request):
    return PlainTextResponse("index")

inner = Starlette(routes=[Route("/", index)])

async def app(scope, receive, send):
    if scope["type"] != "http":
        return await inner(scope, receive, send)
    try:
        await asyncio.wait_for(inner(scope, receive, send), 0.05)
    except asyncio.TimeoutError:
        await PlainTextResponse("too late", 504)(scope, receive, send)
"""
