"""Where requests are held in a user's Litestar application; everything else works as without holdfast."""

from __future__ import annotations

import socket

import pytest
from inside_server import SERVER_PYTHON, UVICORN, listens, reply, serving, started, wait_until
from shared_application import ANN, Application

pytest.importorskip("litestar")
pytest.importorskip("uvicorn")
pytest.importorskip("a2wsgi")

LOOP, THREAD = "loop", "thread"

WAYS_TO_A_VIEW = {
    "/threaded": ("litestar view threaded()", "sync", "view", THREAD),
    "/async": ("litestar async view asynchronous()", "async", "view", LOOP),
    "/items/7": ("litestar view item()", "sync", "view", THREAD),
    "/routed/shop/basket": ("litestar async view Shop.basket()", "async", "view", LOOP),
    "/routed/shop/till": ("litestar view Shop.till()", "sync", "view", THREAD),
    "/flask/plain": ("flask view plain()", "sync", "view", THREAD),
    "/raw/anything": ("asgi entry of raw, mounted at /raw", "async", "plain", LOOP),
    "/posted": ("litestar entry (no view for GET at /posted)", "async", "entry", LOOP),
    "/missing": ("litestar entry (no view at /missing)", "async", "entry", LOOP),
}
GUARDED = {"/items/7", "/routed/shop/basket", "/routed/shop/till"}
UNROUTED = {"/posted", "/missing"}


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("rich"), app="rich_litestar.py", command=UVICORN) as server:
        yield Application(server)


@pytest.mark.parametrize("path", WAYS_TO_A_VIEW)
def test_a_litestar_handler_is_held_in_place_of_its_innermost_function(rich, path):
    held = rich.held_at(path)

    held_in, kind, via, where = WAYS_TO_A_VIEW[path]
    assert [rich.server.recording.held_in(id) for id in held.ids] == [(held_in, kind, via)] * 2
    assert [(answer.status, answer.body) for answer in held.answers] == [(200, b"held\n")] * 2
    assert ("x-marked: yes" in held.answers[0].headers) == (path not in UNROUTED)
    assert held.meanwhile == held.ordinary
    # One ordinary request, two held ones and the report itself went the whole way; one body was run.
    assert held.ran["middleware"] == (3 if path not in UNROUTED else 0) + 1
    assert held.ran["body"] == held.ran_before["body"]
    assert held.ran["guard"] == 3 * (path in GUARDED)
    assert held.ran["decorator"] == 3 * (path == "/items/7")
    for what in ("session opened", "session closed", "transaction opened", "transaction closed"):
        assert held.ran[what] == 3 * (path == "/items/7")
    for entry in map(rich.server.entry, held.ids):
        assert entry.entry_loop
        assert (entry.tid == entry.entry_tid) == entry.loop == (where == LOOP)


def test_a_handler_that_is_not_sent_to_a_thread_blocks_the_loop(tmp_path):
    with serving(tmp_path, app="rich_litestar:app", path="/inline", command=UVICORN) as server:
        clients = server.hold(0, path="/inline")
        clients.append(server.send(1, "/inline"))
        server.release(0)
        assert reply(clients[0]).body == b"held\n"
        wait_until(lambda: server.recording.is_entered(1), "the next one", server.log)
        first, second = server.recording.entries(0, 2)

        assert server.recording.held_in(0) == ("litestar view inline()", "sync", "view")
        assert first.loop
        assert first.tid == first.entry_tid == second.tid
        assert second.entered_ns >= first.left_ns


def test_the_cache_of_responses_does_not_keep_the_answer_of_a_held_request(tmp_path):
    with serving(tmp_path, app="rich_litestar:app", path="/cached", command=UVICORN) as server:
        server.release(0)

        assert server.get("/cached", id=0).body == b"held\n"
        assert server.get("/cached").body == b"cached body"


def test_an_answer_given_before_the_view_stays_the_answer(tmp_path):
    with serving(tmp_path, app="rich_litestar:app", path="/items/7", command=UVICORN) as server:
        assert server.get("/items/7", id=0).status == 401
        assert server.recording.entered(0, 64) == 0


def test_ordinary_requests_get_the_very_replies_that_they_get_without_the_recorder(tmp_path):
    (tmp_path / "alone").mkdir()
    command = (SERVER_PYTHON, "-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "rich_litestar:app")
    with (
        serving(tmp_path, app="rich_litestar:app", path="/threaded", command=UVICORN) as server,
        started(command, tmp_path / "alone", {}) as (_, port, log),
    ):
        wait_until(lambda: listens(port), "listening server", log)
        server.hold(0, path="/threaded")
        for path in [*WAYS_TO_A_VIEW, "/inline", "/cached"]:
            for headers in ((), ANN):
                ours = server.get(path, headers)

                with socket.create_connection(("127.0.0.1", port)) as client:
                    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
                    client.sendall("\r\n".join(lines).encode())
                    assert ours == reply(client), path
