"""ASGI servers with the recorder inside and the built-in application of each framework."""

from __future__ import annotations

import contextlib
import functools

import pytest
from inside_server import HYPERCORN, UVICORN, reply, serving, wait_until

from holdfast.infer.process_model import model_of

OFFERED = 45
# AnyIO's limiter for threads (anyio/_backends/_asyncio.py, current_default_thread_limiter: CapacityLimiter(40)).
ANYIO_THREADS = 40
HELD_IN = {
    "asgi": ("asgi entry", "asgi entry"),
    "fastapi": ("fastapi view index()", "fastapi async view index()"),
    "litestar": ("litestar view index()", "litestar async view index()"),
    "quart": ("quart view index()", "quart async view index()"),
    "starlette": ("starlette view index()", "starlette async view index()"),
}


@pytest.fixture(scope="module")
def built_in(tmp_path_factory):
    """Gives the server of a framework and a view; each is started once, and its requests 0 to 44 are for one test."""
    with contextlib.ExitStack() as servers:

        @functools.cache
        def server_of(framework, view):
            pytest.importorskip("uvicorn")
            if framework != "asgi":
                pytest.importorskip(framework)
            options = {"framework": framework, "view": view, "interface": "asgi"}
            return servers.enter_context(serving(tmp_path_factory.mktemp("server"), command=UVICORN, **options))

        yield server_of


@pytest.mark.parametrize("framework", ["fastapi", "starlette"])
def test_a_def_view_has_the_forty_threads_of_anyio(built_in, framework):
    server = built_in(framework, "sync")
    for id in range(OFFERED):
        server.send(id)
    wait_until(lambda: server.recording.in_service(0, OFFERED) >= ANYIO_THREADS, "full threads", server.log)
    held = server.recording.entries(0, OFFERED)
    # Those that wait enter one for each that leaves.
    server.release(held[0].id)
    wait_until(lambda: server.recording.entered(0, OFFERED) > ANYIO_THREADS, "the next one", server.log)
    entries = server.recording.entries(0, OFFERED)
    in_service = server.recording.in_service(0, OFFERED)
    server.release(*range(OFFERED))

    assert len(held) == in_service == ANYIO_THREADS
    assert server.recording.held_in(held[0].id) == (HELD_IN[framework][0], "sync", "view")
    assert len({entry.tid for entry in held}) == ANYIO_THREADS
    assert all(entry.entry_loop and not entry.loop and entry.tid != entry.entry_tid for entry in held)
    assert max(entry.thread_seq for entry in entries) == 2
    assert model_of(entries, held)[0].kind == "event-loop+thread-pool"


@pytest.mark.parametrize("framework", HELD_IN)
def test_an_async_view_has_no_bound(built_in, framework):
    server = built_in(framework, "async")
    server.hold(*range(OFFERED))
    in_service = server.recording.in_service(0, OFFERED)
    entries = server.recording.entries(0, OFFERED)
    server.release(*range(OFFERED))

    assert in_service == OFFERED
    assert server.recording.held_in(0)[:2] == (HELD_IN[framework][1], "async")
    assert {(entry.tid, entry.entry_tid) for entry in entries} == {(server.process.pid,) * 2}
    assert all(entry.loop and entry.entry_loop for entry in entries)
    assert model_of(entries, entries)[0].kind == "event-loop"


@pytest.mark.parametrize("framework", HELD_IN)
def test_an_async_view_that_blocks_is_alone(built_in, framework):
    server = built_in(framework, "async-blocking")
    clients = [server.send(id) for id in range(OFFERED)]
    wait_until(lambda: server.recording.in_service(0, OFFERED) > 0, "a held request", server.log)
    first = server.recording.newly_entered(0, OFFERED)
    server.release(*first)
    wait_until(lambda: server.recording.entered(0, OFFERED) > len(first), "the next one", server.log)
    second = server.recording.newly_entered(0, OFFERED)
    in_service = server.recording.in_service(0, OFFERED)
    server.release(*range(OFFERED))
    answers = {reply(client).body for client in clients}
    entries = server.recording.entries(0, OFFERED)

    assert len(first) == len(second) == in_service == 1
    assert answers == {b"held\n"}
    assert server.recording.held_in(first[0])[:2] == (HELD_IN[framework][1], "async-blocking")
    assert model_of(entries, [entry for entry in entries if entry.id in second])[0].kind == "event-loop"


@pytest.mark.parametrize("framework", ["litestar", "quart"])
def test_a_def_view_runs_on_the_threads_of_the_loops_executor(built_in, framework):
    server = built_in(framework, "sync")
    server.hold(0, 1)
    held = server.recording.entries(0, 2)
    server.release(0, 1)

    assert server.recording.held_in(0) == (HELD_IN[framework][0], "sync", "view")
    assert all(entry.entry_loop and not entry.loop and entry.tid != entry.entry_tid for entry in held)
    assert len({entry.tid for entry in held}) == 2
    assert len({entry.entry_tid for entry in held}) == 1


@pytest.mark.parametrize("view", ["sync", "async"])
@pytest.mark.parametrize("framework", HELD_IN)
def test_the_answer_of_a_held_request_is_plain_and_must_not_be_cached(built_in, framework, view):
    server = built_in(framework, "async" if framework == "asgi" else view)
    id = 50 if view == "sync" else 51
    clients = server.hold(id)
    server.release(id)
    answer = reply(clients[0])

    assert (answer.status, answer.body) == (200, b"held\n")
    lines = {line.lower() for line in answer.headers}
    assert "cache-control: private, no-store" in lines
    assert [line for line in lines if line.startswith("content-type:")] == ["content-type: text/plain"]


@pytest.mark.parametrize("view", ["sync", "async"])
@pytest.mark.parametrize("framework", [name for name in HELD_IN if name != "asgi"])
def test_ordinary_requests_get_the_views_own_answer(built_in, framework, view):
    server = built_in(framework, view)
    server.hold(52)

    for options in ({"token": "wrong", "id": 53}, {"id": None}, {"id": 64}, {"id": "x"}):
        assert b"hello" in server.get("/", **options).body
    assert b"hello" in server.get("/elsewhere", id=54).body
    assert server.recording.entered(52, 64) == 1
    server.release(52)


@pytest.mark.parametrize("framework", ["asgi", "fastapi"])
def test_a_view_of_an_asgi_framework_is_held_under_another_server_too(tmp_path, framework):
    pytest.importorskip("hypercorn")
    if framework != "asgi":
        pytest.importorskip(framework)
    with serving(tmp_path, command=HYPERCORN, framework=framework, view="async", interface="asgi") as server:
        server.hold(0, 1, 2)

        assert server.recording.held_in(0)[0] == HELD_IN[framework][1]
        assert all(entry.loop and entry.entry_loop for entry in server.recording.entries(0, 3))


@pytest.mark.parametrize(("view", "on_loop"), [("sync", False), ("async", True)])
def test_a_loop_of_trio_is_a_loop(tmp_path, view, on_loop):
    for package in ("hypercorn", "fastapi", "trio"):
        pytest.importorskip(package)
    options = {"command": HYPERCORN, "framework": "fastapi", "view": view}
    with serving(tmp_path, "--worker-class", "trio", **options) as server:
        clients = server.hold(0, 1)
        held = server.recording.entries(0, 2)
        server.release(0, 1)

        assert {reply(client).body for client in clients} == {b"held\n"}
        assert all(entry.entry_loop for entry in held)
        assert all(entry.loop == (entry.tid == entry.entry_tid) == on_loop for entry in held)


def test_only_the_path_and_query_of_the_run_are_held(tmp_path):
    pytest.importorskip("uvicorn")
    with serving(tmp_path, command=UVICORN, framework="asgi", path="/caf%C3%A9?size=2") as server:
        for path in ("/", "/caf%C3%A9", "/caf%C3%A9?size=3", "/caf%E9?size=2"):
            assert server.get(path, id=0).body == b"hello\n"
        server.hold(1, path="/caf%C3%A9?size=2")
        server.hold(2, path="/caf%c3%a9?size=2")

        assert server.recording.entered(0, 64) == 2
        assert server.recording.held_in(1) == ("asgi entry", "async", "plain")


def test_a_path_that_is_no_utf_8_is_held(tmp_path):
    pytest.importorskip("uvicorn")
    with serving(tmp_path, command=UVICORN, framework="asgi", path="/caf%E9") as server:
        assert server.get("/caf%C3%A9", id=0).body == b"hello\n"
        server.hold(1, path="/caf%E9")

        assert server.recording.entered(0, 64) == 1


@pytest.mark.parametrize("path", ["/", "/inner"])
def test_a_root_path_may_be_part_of_the_path_or_not(tmp_path, path):
    pytest.importorskip("uvicorn")
    outer = "/outer" + path
    with serving(tmp_path, "--root-path", "/outer", command=UVICORN, framework="fastapi", path=outer) as server:
        server.hold(0, path=path)

        assert server.recording.held_in(0)[0] == "fastapi view index()"


BARE = """
started = []

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        started.append((await receive())["type"])
        scope["state"]["colour"] = "blue"
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    else:
        body = f"{scope['type']} {started} {scope['state']}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

class Double:
    def __init__(self, scope):
        self.scope = scope

    async def __call__(self, receive, send):
        await app(self.scope, receive, send)
"""


@pytest.mark.parametrize("attribute", ["app", "Double"])
def test_an_application_without_a_framework_is_held_at_its_entry(tmp_path, attribute):
    pytest.importorskip("uvicorn")
    (tmp_path / "bare_asgi.py").write_text(BARE)
    with serving(tmp_path, app=f"{tmp_path}/bare_asgi.py:{attribute}", command=UVICORN) as server:
        clients = server.hold(0)
        ordinary = server.get("/")
        server.release(0)

        assert server.recording.held_in(0) == ("asgi entry", "async", "plain")
        assert reply(clients[0]).body == b"held\n"
        assert ordinary.body == b"http ['lifespan.startup'] {'colour': 'blue'}"
