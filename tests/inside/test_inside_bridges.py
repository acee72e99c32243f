"""Applications of one interface under servers of the other: held in their views, entered where the server calls."""

from __future__ import annotations

import pytest
from inside_server import FLASK, HYPERCORN, UVICORN, reply, serving

from holdfast.infer.process_model import model_of

pytest.importorskip("a2wsgi")
pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")


@pytest.mark.parametrize(
    ("app", "threads"),
    # asgiref runs all that is synchronous on one thread (asgiref/sync.py, SyncToAsync.thread_sensitive).
    [("by_a2wsgi", 3), ("by_starlette", 4), ("by_asgiref", 1), ("by_hand", 3)],
)
def test_flask_behind_asgi_is_held_in_its_view_on_the_bridges_threads(tmp_path, app, threads):
    with serving(tmp_path, "--lifespan", "off", app=f"bridged:{app}", path="/plain", command=UVICORN) as server:
        clients = server.hold(*range(threads), path="/plain")
        waiting = server.send(threads, "/plain")
        held = server.recording.entries(0, threads)
        # More than there are threads: one of them serves again.
        last = 2 * threads + 2
        server.release(*range(last))

        assert {reply(client).body for client in [*clients, waiting]} == {b"held\n"}
        assert server.recording.held_in(0) == ("flask view plain()", "sync", "view")
        assert {entry.entry_tid for entry in held} == {server.process.pid}
        assert all(entry.entry_loop and not entry.loop and entry.tid != entry.entry_tid for entry in held)
        assert len({entry.tid for entry in held}) == threads
        assert server.get("/plain").body == b"plain body\n"
        assert {server.get("/plain", id=id).body for id in range(threads + 1, last)} == {b"held\n"}
        assert model_of(server.recording.entries(0, last), held)[0].kind == "event-loop+thread-pool"


def test_a_path_that_is_not_the_runs_own_passes_through_a_bridge(tmp_path):
    with serving(tmp_path, app="bridged:by_a2wsgi", path="/plain", command=UVICORN) as server:
        assert server.get("/generator", id=0).body == b"in parts\n"
        assert server.get("/plain", id=0, token="wrong").body == b"plain body\n"
        assert server.recording.entered(0, 64) == 0


def test_a_request_that_is_sent_twice_is_held_twice(tmp_path):
    with serving(tmp_path, app="bridged:by_a2wsgi", path="/plain", command=UVICORN) as server:
        server.release(0)
        server.get("/plain", id=0)
        server.get("/plain", id=0)

        assert server.entry(0).entries == 2


@pytest.mark.parametrize(
    ("command", "arguments"), [(UVICORN, ("--interface", "wsgi")), (HYPERCORN, ())], ids=["uvicorn", "hypercorn"]
)
def test_flask_under_a_server_that_bridges_by_itself_is_held_in_its_view(tmp_path, command, arguments):
    pytest.importorskip(command[2])
    app = "rich:app"
    with serving(tmp_path, *arguments, app=app, interface="wsgi", path="/plain", command=command) as server:
        server.hold(0, 1, path="/plain")
        held = server.recording.entries(0, 2)

        assert server.recording.held_in(0) == ("flask view plain()", "sync", "view")
        assert all(entry.entry_loop and not entry.loop and entry.tid != entry.entry_tid for entry in held)


def test_fastapi_behind_wsgi_is_entered_on_the_servers_thread(tmp_path):
    app = "bridged:fast_by_a2wsgi"
    with serving(tmp_path, "--threaded", app=app, interface="wsgi", path="/plain", command=FLASK) as server:
        clients = server.hold(0, 1, path="/plain")
        held = server.recording.entries(0, 2)
        server.release(0, 1)

        assert {reply(client).body for client in clients} == {b"held\n"}
        assert server.recording.held_in(0) == ("fastapi view <lambda>()", "sync", "view")
        assert not any(entry.entry_loop for entry in held)
        assert len({entry.entry_tid for entry in held}) == 2
        assert server.get("/plain").body == b'"plain"'
