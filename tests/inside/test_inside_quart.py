"""Where requests are held in a user's Quart application; everything else works as without holdfast."""

from __future__ import annotations

import socket

import pytest
from inside_server import HYPERCORN, SERVER_PYTHON, listens, reply, serving, started, wait_until
from shared_application import ANN, Application

pytest.importorskip("quart")
pytest.importorskip("hypercorn")

LOOP, THREAD = "loop", "thread"

WAYS_TO_A_VIEW = {
    "/plain": ("quart view plain()", "sync", "view", THREAD),
    "/async": ("quart async view asynchronous()", "async", "view", LOOP),
    "/decorated/7": ("quart async view decorated()", "async", "view", LOOP),
    "/in-thread": ("quart view in_thread()", "sync", "view", THREAD),
    "/items": ("quart view Items.get()", "sync", "view", THREAD),
    "/heir": ("quart async view Heir.dispatch_request()", "async", "view", LOOP),
    "/builtin": ("quart view dict()", "sync", "view", THREAD),
    "/shop/basket/": ("quart async view basket()", "async", "view", LOOP),
    "/pieces": ("quart async view pieces()", "async", "view", LOOP),
    "/posted": ("quart entry (no view for GET at /posted)", "async", "entry", LOOP),
    "/missing": ("quart entry (no view at /missing)", "async", "entry", LOOP),
}
DECORATED = {"/decorated/7", "/in-thread", "/heir"}


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("rich"), app="rich_quart.py", command=HYPERCORN) as server:
        yield Application(server)


@pytest.mark.parametrize("path", WAYS_TO_A_VIEW)
def test_a_quart_view_is_held_in_place_of_its_innermost_function(rich, path):
    held = rich.held_at(path)

    held_in, kind, via, where = WAYS_TO_A_VIEW[path]
    assert [rich.server.recording.held_in(id) for id in held.ids] == [(held_in, kind, via)] * 2
    assert [(answer.status, answer.body) for answer in held.answers] == [(200, b"held\n")] * 2
    assert "x-marked: yes" in held.answers[0].headers
    assert held.meanwhile == held.ordinary
    # One ordinary request, two held ones and the report itself went the whole way; one body was run.
    assert held.ran["before_request"] == 3 + 1
    assert held.ran["body"] == held.ran_before["body"]
    assert held.ran["login_required"] == 3 * (path in DECORATED)
    for entry in map(rich.server.entry, held.ids):
        assert entry.entry_loop
        assert (entry.tid == entry.entry_tid) == entry.loop == (where == LOOP)


def test_an_answer_given_before_the_view_stays_the_answer(tmp_path):
    with serving(tmp_path, app="rich_quart:app", path="/decorated/7", command=HYPERCORN) as server:
        assert server.get("/decorated/7", id=0).status == 403
        assert server.get("/decorated/7", ("X-Stranger: yes",), id=0).status == 401
        assert server.recording.entered(0, 64) == 0


def test_a_redirect_of_the_application_is_not_held(tmp_path):
    with serving(tmp_path, app="rich_quart:app", path="/shop/basket", command=HYPERCORN) as server:
        assert server.get("/shop/basket", id=0).status in (301, 308)
        assert server.recording.entered(0, 64) == 0


def test_an_async_view_is_held_by_blocking_where_that_is_asked_for(tmp_path):
    app, path = "rich_quart:app", "/decorated/7"
    with serving(tmp_path, app=app, path=path, view="async-blocking", command=HYPERCORN) as server:
        server.hold(0, path=path, headers=ANN)

        assert server.recording.held_in(0) == ("quart async view decorated()", "async-blocking", "view")


def test_ordinary_requests_get_the_very_replies_that_they_get_without_the_recorder(tmp_path):
    (tmp_path / "alone").mkdir()
    command = (SERVER_PYTHON, "-m", "hypercorn", "--bind", "127.0.0.1:{port}", "rich_quart:app")
    with (
        serving(tmp_path, app="rich_quart:app", path="/plain", command=HYPERCORN) as server,
        started(command, tmp_path / "alone", {}) as (_, port, log),
    ):
        wait_until(lambda: listens(port), "listening server", log)
        server.hold(0, path="/plain")
        for path in [*WAYS_TO_A_VIEW, "/shop/basket"]:
            for headers in ((), ANN, ("X-Stranger: yes",)):
                ours = server.get(path, headers)

                with socket.create_connection(("127.0.0.1", port)) as client:
                    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
                    client.sendall("\r\n".join(lines).encode())
                    assert ours == reply(client), path
