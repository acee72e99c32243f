"""Flask's development server with the recorder inside, built-in application."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys

import pytest
from inside_server import SERVER_PYTHON, listens, reply, serving, started, wait_until

HELD = 20


def test_each_thread_of_the_threaded_server_is_fresh_and_all_share_the_globals(tmp_path):
    with serving(tmp_path) as server:
        server.hold(0, 1, 2)
        entries = server.recording.entries(0, 3)

    assert {entry.pid for entry in entries} == {server.process.pid}
    assert len({entry.tid for entry in entries}) == 3
    assert [entry.thread_seq for entry in entries] == [1, 1, 1]
    assert {entry.process_seq for entry in entries} == {1, 2, 3}
    assert {entry.globals_seq for entry in entries} == {1, 2, 3}
    assert all(entry.tid == entry.entry_tid and entry.entry_thread_seq == 1 for entry in entries)
    assert not any(entry.loop or entry.entry_loop for entry in entries)
    assert all(entry.entered_ns and not entry.left_ns and entry.entries == 1 for entry in entries)


def test_a_released_request_is_answered_and_the_others_stay(tmp_path):
    with serving(tmp_path) as server:
        clients = server.hold(0, 1, 2)
        server.release(1)
        answer = reply(clients[1])
        wait_until(lambda: server.recording.is_left(1), "end of the handler")
        entry = server.entry(1)

        assert answer.status == 200
        assert answer.body == b"held\n"
        assert server.recording.in_service(0, 3) == 2
        assert server.recording.entered(0, 3) == 3
        assert entry.left_ns > entry.entered_ns


def test_a_request_released_beforehand_is_recorded_and_answered_at_once(tmp_path):
    with serving(tmp_path) as server:
        server.release(0)

        assert server.get("/", id=0).body == b"held\n"
        assert server.recording.held_in(0) == ("flask view index()", "sync", "view")


def test_the_serial_server_enters_one_handler_after_the_other_on_one_thread(tmp_path):
    with serving(tmp_path, "--no-threaded") as server:
        server.release(0, 1, 2)
        clients = [server.send(id) for id in range(3)]
        for client in clients:
            reply(client)
        wait_until(lambda: server.recording.in_service(0, 3) == 0, "end of the handlers")
        entries = sorted(server.recording.entries(0, 3), key=lambda entry: entry.entered_ns)

    assert [entry.thread_seq for entry in entries] == [1, 2, 3]
    assert [entry.entry_thread_seq for entry in entries] == [1, 2, 3]
    assert [entry.process_seq for entry in entries] == [1, 2, 3]
    assert len({entry.tid for entry in entries}) == 1


def test_a_forked_child_counts_from_one_again(tmp_path):
    with serving(tmp_path, "processes=3") as server:
        server.hold(0, 1, 2)
        entries = server.recording.entries(0, 3)

    assert len({entry.pid for entry in entries}) == 3
    assert server.process.pid not in {entry.pid for entry in entries}
    assert {(entry.process_seq, entry.thread_seq, entry.globals_seq) for entry in entries} == {(1, 1, 1)}


@pytest.mark.parametrize("view", ["async", "async-blocking"])
def test_an_async_view_is_held_on_the_thread_and_loop_that_flask_gives_it(tmp_path, view):
    with serving(tmp_path, view=view) as server:
        clients = server.hold(0, 1)
        entry = server.entry(0)
        server.release(0)

        assert reply(clients[0]).body == b"held\n"
        assert server.recording.held_in(0) == ("flask async view index()", view, "view")
        assert entry.loop
        assert not entry.entry_loop
        assert entry.tid != entry.entry_tid


def test_a_request_that_the_server_runs_twice_says_so(tmp_path):
    with serving(tmp_path) as server:
        server.release(0)
        server.get("/", id=0)
        server.get("/", id=0)

        assert server.entry(0).entries == 2


def test_an_id_that_is_none_and_a_wrong_token_make_an_ordinary_request(tmp_path):
    with serving(tmp_path) as server:
        for id in ("64", "-1", "1e0", "", "0x1", "9" * 40, "1/1", "\u00b2"):
            assert server.get("/", id=id).body == b"hello\n", id
        for token in ("", "secret", "secret-of-this-run ", "SECRET-OF-THIS-RUN"):
            assert server.get("/", id=0, token=token).body == b"hello\n", token
        assert server.recording.entered(0, 64) == 0


def test_only_the_path_and_query_of_the_run_are_held(tmp_path):
    with serving(tmp_path, path="/caf%C3%A9?size=2") as server:
        for path in ("/", "/caf%C3%A9", "/caf%C3%A9?size=3"):
            assert server.get(path, id=0).body == b"hello\n"
        server.hold(1, path="/caf%C3%A9?size=2")

        assert server.recording.entered(0, 64) == 1


def test_an_unknown_option_is_refused_with_those_that_are_known(tmp_path):
    with serving(tmp_path, "--workers=3") as server:
        code = server.process.wait()

    assert code == 2
    assert server.troubles()["kind"] == "argument"
    assert "does not take --workers=3" in server.log.read_text()
    assert "--processes N" in server.log.read_text()


@pytest.mark.parametrize("argument", ["--processes=0", "--processes=many", "--processes", "--threaded=perhaps"])
def test_an_argument_of_flasks_server_that_has_no_valid_value_is_refused(tmp_path, argument):
    with serving(tmp_path, argument) as server:
        assert server.process.wait() == 2


def test_threads_and_processes_together_are_left_to_werkzeug_to_refuse(tmp_path):
    with serving(tmp_path, "--processes=2", "--threaded") as server:
        assert server.process.wait() == 1

    # Werkzeug's words; older ones write "multithreaded and multi process".
    assert "annot have a multi" in server.log.read_text()


SLEEPING = """
import time
from flask import Flask
app = Flask("sleeping")
@app.route("/")
def sleep():
    while True:
        time.sleep(0.02)
app.run("127.0.0.1", {port})
"""


def test_a_held_request_costs_what_a_sleeping_one_costs(tmp_path):
    (tmp_path / "held").mkdir()
    (tmp_path / "sleeping").mkdir()
    with serving(tmp_path / "held") as server:
        server.hold(*range(HELD))
        held = cost(server.process.pid)
    command = (SERVER_PYTHON, "-c", SLEEPING)
    with started(command, tmp_path / "sleeping", {}) as (process, port, log), contextlib.ExitStack() as clients:
        wait_until(lambda: listens(port), "listening server", log)
        for _ in range(HELD):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: cost(process.pid)[1] == HELD + 1, "sleeping handlers", log)
        sleeping = cost(process.pid)

    assert held == sleeping


def test_held_requests_let_themselves_go_when_the_one_who_holds_them_is_killed(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
        try:
            with serving(tmp_path, owner_pid=owner.pid) as server:
                clients = server.hold(0, 1)
                os.kill(owner.pid, signal.SIGKILL)
                owner.wait()

                assert [reply(client).body for client in clients] == [b"held\n", b"held\n"]
        finally:
            owner.kill()


def test_held_requests_let_themselves_go_when_the_record_is_removed(tmp_path):
    with serving(tmp_path) as server:
        clients = server.hold(0)
        (tmp_path / "record").unlink()

        assert reply(clients[0]).body == b"held\n"


def cost(pid):
    """Descriptors and threads of a process."""
    return len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))


WITHOUT_COLLECTOR = """
import gc
from flask import Flask

gc.disable()
app = Flask(__name__)

@app.get("/")
async def index():
    return "hello"
"""


def test_a_held_async_view_leaves_no_thread_when_it_has_ended(tmp_path):
    # As the view itself: asgiref's executor ends its thread when nothing refers to it any more.
    (tmp_path / "app.py").write_text(WITHOUT_COLLECTOR)
    with serving(tmp_path, app=str(tmp_path / "app.py")) as server:
        tasks = f"/proc/{server.process.pid}/task"
        server.hold(0, 1, 2)
        assert len(os.listdir(tasks)) == 1 + 3 * 2
        server.release(0, 1, 2)

        wait_until(lambda: len(os.listdir(tasks)) == 1, "end of all threads but the main one")
