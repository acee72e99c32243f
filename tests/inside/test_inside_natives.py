"""Where requests are held in applications whose framework is their server: aiohttp, Tornado, Sanic."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest
from inside_server import SERVER_PYTHON, UVICORN, reply, serving
from shared_application import ANN, Application


def own_server(name):
    return (SERVER_PYTHON, "-m", f"holdfast_inside.{name}_server", "--host", "127.0.0.1", "--port", "{port}")


AIOHTTP, TORNADO, SANIC = own_server("aiohttp"), own_server("tornado"), own_server("sanic")
# One process: with its manager, Sanic needs half a minute to end if it is told so while its workers start.
ALONE = (*SANIC, "--single-process")
# How the application is named, what starts it, and its interface where that is not the server's own.
SERVED = {
    "aiohttp": ("aiohttp_rich.py", AIOHTTP, ""),
    "tornado": ("tornado_rich.py:make_app()", TORNADO, ""),
    "sanic": ("sanic_rich.py", ALONE, ""),
    "sanic-asgi": ("sanic_rich.py", UVICORN, "asgi"),
}
WAYS_TO_A_HANDLER = {
    "aiohttp": {
        "/plain": ("aiohttp async view plain()", "async", "view"),
        "/decorated/7": ("aiohttp async view decorated()", "async", "view"),
        "/items": ("aiohttp async view Items.get()", "async", "view"),
        "/bound": ("aiohttp async view Registry.listing()", "async", "view"),
        "/partial": ("aiohttp async view plain()", "async", "view"),
        "/inner/basket/": ("aiohttp async view plain()", "async", "view"),
    },
    "tornado": {
        "/later": ("tornado async view Later.get()", "async", "view"),
        "/generator": ("tornado async view Generator.get()", "async", "view"),
    },
    "sanic": {
        "/plain": ("sanic async view plain()", "async", "view"),
        "/decorated/7": ("sanic async view decorated()", "async", "view"),
        "/items": ("sanic async view Items.get()", "async", "view"),
        "/decorated-items": ("sanic async view Decorated.get()", "async", "view"),
        "/inner/basket": ("sanic async view basket()", "async", "view"),
    },
}
WAYS_TO_A_HANDLER["sanic-asgi"] = WAYS_TO_A_HANDLER["sanic"]
THROUGH_DECORATOR = {
    "aiohttp": {"/decorated/7"},
    "tornado": {"/later", "/generator"},
    "sanic": {"/decorated/7", "/decorated-items"},
}
THROUGH_DECORATOR["sanic-asgi"] = THROUGH_DECORATOR["sanic"]
BLOCKING = {
    "aiohttp": {"/blocking": "aiohttp view blocking()"},
    "tornado": {
        "/plain": "tornado view Plain.get()",
        "/decorated/7": "tornado view Decorated.get()",
        "/heir": "tornado view Heir.get()",
    },
    "sanic": {"/sync": "sanic view sync()"},
}


def each(table):
    return [(served, path) for served, paths in table.items() for path in paths]


@pytest.fixture(scope="module")
def applications(tmp_path_factory):
    """Started when first asked for, ended together."""
    with contextlib.ExitStack() as running:
        known = {}

        def application(name):
            if name not in known:
                app, command, interface = SERVED[name]
                directory = tmp_path_factory.mktemp(name)
                server = serving(directory, command=command, app=app, interface=interface)
                known[name] = Application(running.enter_context(server))
            return known[name]

        yield application


@pytest.mark.parametrize(("served", "path"), each(WAYS_TO_A_HANDLER))
def test_a_view_of_tornado_aiohttp_or_sanic_is_held_in_place_of_its_innermost_function(applications, served, path):
    application = applications(served)
    held = application.held_at(path)
    ran, entries = held.ran, [application.server.entry(id) for id in held.ids]

    assert [application.server.recording.held_in(id) for id in held.ids] == [WAYS_TO_A_HANDLER[served][path]] * 2
    assert [(answer.status, answer.body) for answer in held.answers] == [(200, b"held\n")] * 2
    assert any(header.lower() == "x-marked: yes" for header in held.answers[0].headers)
    assert held.meanwhile == held.ordinary
    assert (held.ordinary.status, ran["body"], ran["swallowed"]) == (200, 1, 0)
    assert ran["marking"] >= 3
    assert ran["login_required"] == 3 * (path in THROUGH_DECORATOR[served])
    assert all(entry.loop and entry.entry_loop and entry.tid == entry.entry_tid for entry in entries)


@pytest.mark.parametrize(("served", "path"), each(BLOCKING))
def test_a_handler_that_is_no_coroutine_blocks_the_loop(applications, served, path):
    application = applications(served)
    server = application.server
    first, second = application.at(path, 2)

    (client,) = server.hold(first, path=path, headers=ANN)
    other = server.send(second, path, ANN)
    server.release(first, second)
    replies = [reply(client), reply(other)]
    entries = [server.entry(first), server.entry(second)]

    assert [each.body for each in replies] == [b"held\n"] * 2
    assert server.recording.held_in(first) == (BLOCKING[served][path], "sync", "view")
    assert entries[0].left_ns <= entries[1].entered_ns
    assert all(entry.loop and entry.tid == entry.entry_tid for entry in entries)


@pytest.mark.parametrize("served", SERVED)
@pytest.mark.parametrize(
    ("path", "status", "place"),
    [("/missing", 404, "entry (no view at /missing)"), ("/posted", 405, "entry (no view for GET at /posted)")],
)
def test_a_path_without_a_handler_is_held_at_the_entry(applications, served, path, status, place):
    application = applications(served)
    ids = application.at(path, 2)

    ordinary = application.server.get(path)
    clients = application.server.hold(*ids, path=path)
    application.server.release(*ids)

    assert ordinary.status == status
    assert [(answer.status, answer.body) for answer in map(reply, clients)] == [(200, b"held\n")] * 2
    held_in = f"{served.partition('-')[0]} {place}"
    assert application.server.recording.held_in(ids[0]) == (held_in, "async", "entry")


def test_a_redirect_of_the_application_is_not_held(applications):
    application = applications("aiohttp")
    (id,) = application.at("/inner/basket", 1)

    assert application.server.get("/inner/basket", id=id).status == 308
    assert not application.server.recording.is_entered(id)


@pytest.mark.parametrize(
    ("served", "path"),
    [("aiohttp", "/decorated/7"), ("tornado", "/decorated/7"), ("sanic", "/decorated/7"), ("sanic-asgi", "/plain")],
)
def test_an_answer_given_before_the_handler_stays_the_answer(applications, served, path):
    application = applications(served)
    (id,) = application.at(path, 1)

    assert application.server.get(path, ("X-Stranger: yes",), id=id).status == 401
    if path == "/decorated/7":
        assert application.server.get(path, id=id).status == 403
    assert not application.server.recording.is_entered(id)


def test_an_application_that_is_made_in_the_loop_is_held_in_its_handlers(tmp_path):
    with serving(tmp_path, command=AIOHTTP, app="aiohttp_rich.py:create_later", path="/plain") as server:
        server.hold(0, path="/plain")

        assert server.recording.held_in(0) == ("aiohttp async view plain()", "async", "view")


@pytest.mark.parametrize(
    ("command", "view", "held_in"),
    [
        (AIOHTTP, "async", "aiohttp async view index()"),
        (AIOHTTP, "async-blocking", "aiohttp async view index()"),
        (TORNADO, "sync", "tornado view Index.get()"),
        (TORNADO, "async", "tornado async view AsyncIndex.get()"),
        (ALONE, "sync", "sanic view index()"),
        (ALONE, "async", "sanic async view index()"),
    ],
)
def test_the_built_in_application_has_the_view_that_was_asked_for(tmp_path, command, view, held_in):
    with serving(tmp_path, command=command, view=view) as server:
        assert server.get("/any/path").body == b"hello\n"

        server.hold(0)

        assert server.recording.held_in(0) == (held_in, view, "view")


# tornado/process.py, fork_processes: the children are forks and the parent serves nothing.
# sanic/worker/manager.py: the workers are processes of their own, by default spawned, and load the application anew.
@pytest.mark.parametrize(("command", "option"), [(TORNADO, "--processes=2"), (SANIC, "--workers=2")])
def test_each_of_several_processes_counts_for_itself(tmp_path, command, option):
    with serving(tmp_path, option, command=command, view="sync") as server:
        # A handler that blocks keeps its process from everything else, so the second request goes to the other one.
        try:
            server.hold(0)
            server.hold(1)
            entries = server.recording.entries(0, 2)
        finally:
            # Told to end, the first would leave its children behind, the second its helpers.
            for pid in family(server.process.pid):
                with contextlib.suppress(ProcessLookupError):  # some end by themselves when the eldest is gone
                    os.kill(pid, signal.SIGKILL)

    assert len({entry.pid for entry in entries}) == 2
    assert server.process.pid not in {entry.pid for entry in entries}
    assert {(entry.process_seq, entry.thread_seq, entry.globals_seq) for entry in entries} == {(1, 1, 1)}


def family(pid: int) -> list[int]:
    """This process and all that descend from it, the eldest first."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]
