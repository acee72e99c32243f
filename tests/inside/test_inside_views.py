"""Where requests are held in a user's application; everything else works as without holdfast."""

from __future__ import annotations

import socket
import threading

import pytest
from inside_server import SERVER_PYTHON, listens, reply, serving, started, wait_until
from shared_application import ANN, Application

WAYS_TO_A_VIEW = {
    "/plain": ("flask view plain()", "sync", "view"),
    "/decorated/7": ("flask view decorated()", "sync", "view"),
    "/stubborn": ("flask view persistent()", "sync", "view"),
    "/closure": ("flask view closure()", "sync", "view"),
    "/closure/eve": ("flask view closure()", "sync", "view"),
    "/items": ("flask view Items.get()", "sync", "view"),
    "/heir": ("flask view Heir.dispatch_request()", "sync", "view"),
    "/bound": ("flask view Registry.listing()", "sync", "view"),
    "/callable": ("flask view Registry.__call__()", "sync", "view"),
    "/partial": ("flask view decorated()", "sync", "view"),
    "/builtin": ("flask view dict()", "sync", "view"),
    "/shop/basket/": ("flask view basket()", "sync", "view"),
    "/generator": ("flask view generator()", "sync", "view"),
    "/async": ("flask async view asynchronous()", "async", "view"),
    "/missing": ("flask entry (no view at /missing)", "sync", "entry"),
}
THROUGH_DECORATOR = {"/decorated/7": "login_required", "/items": "login_required", "/partial": "login_required"}
THROUGH_DECORATOR["/async"] = "waited"


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("rich"), app="rich.py") as server:
        yield Application(server)


@pytest.mark.parametrize("path", WAYS_TO_A_VIEW)
def test_a_flask_view_is_held_in_place_of_its_innermost_function(rich, path):
    held = rich.held_at(path)

    assert [rich.server.recording.held_in(id) for id in held.ids] == [WAYS_TO_A_VIEW[path]] * 2
    assert [(answer.status, answer.body) for answer in held.answers] == [(200, b"held\n")] * 2
    assert "X-Marked: yes" in held.answers[0].headers
    assert held.meanwhile == held.ordinary
    # One ordinary request, two held ones and the report itself went the whole way; one body was run.
    assert held.ran["before_request"] == 3 + 1
    assert held.ran["body"] == held.ran_before["body"]
    if path in THROUGH_DECORATOR:
        assert held.ran[THROUGH_DECORATOR[path]] == 3


def test_an_answer_given_before_the_view_stays_the_answer(tmp_path):
    with serving(tmp_path, app="rich:app", path="/decorated/7") as server:
        assert server.get("/decorated/7", id=0).status == 403
        assert server.get("/decorated/7", ("X-Stranger: yes",), id=0).status == 401
        assert server.recording.entered(0, 64) == 0


def test_a_redirect_of_the_application_is_not_held(tmp_path):
    with serving(tmp_path, app="rich:app", path="/shop/basket") as server:
        assert server.get("/shop/basket", id=0).status in (301, 308)
        assert server.recording.entered(0, 64) == 0


def test_a_view_that_was_not_held_yet_can_be_held_by_several_first_requests_at_once(tmp_path):
    with serving(tmp_path, app="rich:app", path="/plain") as server:
        ready = threading.Barrier(8)

        def send(id):
            ready.wait()
            server.send(id, "/plain")

        threads = [threading.Thread(target=send, args=(id,)) for id in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_until(lambda: server.recording.in_service(0, 8) == 8, "eight held requests", server.log)

        assert server.recording.entered(0, 64) == 8
        assert server.recording.held_in(0) == ("flask view plain()", "sync", "view")


def test_an_async_view_is_held_by_blocking_where_that_is_asked_for(tmp_path):
    with serving(tmp_path, app="rich:app", path="/async", view="async-blocking") as server:
        server.hold(0, path="/async")

        assert server.recording.held_in(0) == ("flask async view asynchronous()", "async-blocking", "view")
        assert server.entry(0).loop


def test_a_sync_view_stays_what_it_is_whatever_is_asked_for(tmp_path):
    with serving(tmp_path, app="rich:app", path="/plain", view="async") as server:
        server.hold(0, path="/plain")

        assert server.recording.held_in(0) == ("flask view plain()", "sync", "view")


ALONE = "import sys; sys.path.insert(0, '.'); import rich; rich.app.run('127.0.0.1', {port})"
ORDINARY = [*(path for path in WAYS_TO_A_VIEW if path != "/builtin"), "/shop/basket", "/streamed"]


def test_ordinary_requests_get_the_very_replies_that_they_get_without_the_recorder(tmp_path):
    (tmp_path / "alone").mkdir()
    command = (SERVER_PYTHON, "-c", ALONE)
    with (
        serving(tmp_path, app="rich:app", path="/plain") as server,
        started(command, tmp_path / "alone", {}) as (_, port, log),
    ):
        wait_until(lambda: listens(port), "listening server", log)
        server.hold(0, path="/plain")
        for path in ORDINARY:
            for headers in ((), ANN, ("X-Stranger: yes",)):
                ours = server.get(path, headers)

                with socket.create_connection(("127.0.0.1", port)) as client:
                    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
                    client.sendall("\r\n".join(lines).encode())
                    assert ours == reply(client), path


CANCELLING = """
import asyncio, rich
from holdfast_inside import flask_hook
flask_hook.install()

async def give_up():
    # Flask runs the view in a loop of its own thread; there every other task of it is cancelled.
    await asyncio.sleep(0.01)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()

class Cancelling(rich.Flask):
    def async_to_sync(self, view):
        async def both(**arguments):
            await asyncio.gather(view(**arguments), give_up())
        return super().async_to_sync(both)

app = Cancelling("cancelling")
app.add_url_rule("/", view_func=rich.asynchronous)
"""


def test_a_held_coroutine_that_is_cancelled_has_left(tmp_path):
    (tmp_path / "cancelling.py").write_text(CANCELLING)
    with serving(tmp_path, app=str(tmp_path / "cancelling.py")) as server:
        server.send(0)
        wait_until(lambda: server.recording.is_left(0), "end of the cancelled handler", server.log)

        assert server.recording.held_in(0) == ("flask async view asynchronous()", "async", "view")


def test_an_application_without_a_framework_is_held_at_its_entry(tmp_path):
    with serving(tmp_path, app="bare.py") as server:
        ordinary = server.get("/")
        server.send(0)
        wait_until(lambda: server.recording.is_entered(0), "held request", server.log)
        server.release(0)

        assert ordinary.body == b"bare\n"
        assert server.recording.held_in(0) == ("wsgi entry", "sync", "plain")


def test_flask_behind_middleware_is_held_in_its_view(tmp_path):
    with serving(tmp_path, "--threaded", app="wrapped.py", path="/outer/plain") as server:
        server.hold(0, path="/outer/plain", headers=ANN)

        assert server.recording.held_in(0) == ("flask view plain()", "sync", "view")


def test_a_dispatch_of_the_persons_own_is_held_too(tmp_path):
    with serving(tmp_path, app="subclassed.py", path="/missing") as server:
        server.hold(0, path="/missing")

        assert server.recording.held_in(0) == ("flask entry (no view at /missing)", "sync", "entry")
