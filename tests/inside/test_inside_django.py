"""Where requests are held in Django projects under WSGI and ASGI; everything else works as without holdfast."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass

import pytest
from inside_server import SERVER_PYTHON, UVICORN, reply, serving, wait_until
from shared_application import Application

from holdfast.model.timeline import Entry

RUNSERVER = (SERVER_PYTHON, "-m", "holdfast_inside.django_server", "--host", "127.0.0.1", "--port", "{port}")
WSGI = {"app": "django_project/shop/wsgi.py", "command": RUNSERVER, "interface": "wsgi"}
ASGI = {"app": "django_project/shop/asgi.py", "command": UVICORN, "interface": "asgi"}

WAYS_TO_A_VIEW = {
    "/plain": ("django view plain()", "sync", "view"),
    "/decorated/7": ("django view decorated()", "sync", "view"),
    "/stubborn": ("django view persistent()", "sync", "view"),
    "/closure": ("django view closure()", "sync", "view"),
    "/closure/eve": ("django view closure()", "sync", "view"),
    "/items": ("django view Items.get()", "sync", "view"),
    "/heir": ("django view Heir.get()", "sync", "view"),
    "/bound": ("django view Registry.listing()", "sync", "view"),
    "/callable": ("django view Registry.__call__()", "sync", "view"),
    "/partial": ("django view decorated()", "sync", "view"),
    "/builtin": ("django view HttpResponse()", "sync", "view"),
    "/inner/basket/": ("django view plain()", "sync", "view"),
    "/async": ("django async view asynchronous()", "async", "view"),
    "/async-items": ("django async view Later.get()", "async", "view"),
}
REST = {
    "/class": "django view Items.get()",
    "/function": "django view listing()",
    "/set": "django view Shelf.list()",
}
THROUGH_DECORATOR = {
    "/decorated/7": "login_required",
    "/items": "login_required",
    "/heir": "login_required",
    "/partial": "login_required",
    "/async": "waited",
}


@dataclass(slots=True)
class Project(Application):
    """A project, and of what kind its entry is."""

    entry_kind: str = "sync"

    def held(self, path: str, count: int) -> list[Entry]:
        """Requests that were in their handlers at the same time, and are done."""
        ids = self.at(path, count)
        clients = self.server.hold(*ids, path=path)
        self.server.release(*ids)
        for client in clients:
            reply(client)
        return [self.server.entry(id) for id in ids]


@pytest.fixture(scope="module")
def wsgi(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("wsgi"), **WSGI) as server:
        yield Project(server)


@pytest.fixture(scope="module")
def asgi(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("asgi"), **ASGI) as server:
        yield Project(server, entry_kind="async")


@pytest.fixture(params=["wsgi", "asgi"])
def project(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("path", WAYS_TO_A_VIEW)
def test_a_django_view_is_held_in_place_of_its_innermost_function(project, path):
    held = project.held_at(path)
    ran = held.ran

    assert [project.server.recording.held_in(id) for id in held.ids] == [WAYS_TO_A_VIEW[path]] * 2
    assert [(answer.status, answer.body) for answer in held.answers] == [(200, b"held\n")] * 2
    assert any(header.lower() == "x-marked: yes" for header in held.answers[0].headers)
    assert held.meanwhile == held.ordinary
    # One ordinary request, two held ones and the report itself went the whole way; one body was run.
    assert ran["marking"] == 3 + 1
    assert ran["body"] == held.ran_before["body"]
    assert ran["process_exception"] == 0
    if path in THROUGH_DECORATOR:
        assert ran[THROUGH_DECORATOR[path]] == 3


@pytest.mark.parametrize(
    ("path", "status", "place"),
    [("/missing", 404, "entry (no view at /missing)"), ("/posted", 405, "entry (no view for GET at /posted)")],
)
def test_a_path_without_a_view_is_held_in_the_middle_of_the_middleware(project, path, status, place):
    server = project.server
    ids = project.at(path, 2)

    ordinary = server.get(path)
    clients = server.hold(*ids, path=path)
    server.release(*ids)

    assert [reply(client).body for client in clients] == [b"held\n"] * 2
    assert ordinary.status == status
    assert server.recording.held_in(ids[0]) == (f"django {place}", project.entry_kind, "entry")


def test_an_answer_given_before_the_view_stays_the_answer(project):
    (id,) = project.at("/decorated/7", 1)

    assert project.server.get("/decorated/7", id=id).status == 403
    assert project.server.get("/decorated/7", ("X-Stranger: yes",), id=id).status == 401
    assert not project.server.recording.is_entered(id)


def test_a_redirect_to_the_path_with_a_slash_is_not_held(project):
    (id,) = project.at("/inner/basket", 1)

    assert project.server.get("/inner/basket", id=id).status == 301
    assert not project.server.recording.is_entered(id)


def test_a_held_answer_is_not_kept_by_a_cache(project):
    (id,) = project.at("/cached", 1)
    (client,) = project.server.hold(id, path="/cached")
    project.server.release(id)

    assert reply(client).body == b"held\n"
    assert project.server.get("/cached").body == b"cached body\n"


# django/core/handlers/asgi.py, ASGIHandler.__call__: each request has a ThreadSensitiveContext of its own.
# asgiref/sync.py, SyncToAsync.__call__: within one, sync code runs on that context's own executor of one thread.
def test_each_sync_view_under_asgi_has_a_thread_of_its_own(asgi):
    together, later = asgi.held("/plain", 3), asgi.held("/plain", 1)

    assert all(entry.entry_loop and not entry.loop for entry in together + later)
    assert len({entry.entry_tid for entry in together + later}) == 1
    assert len({entry.tid for entry in together} | {together[0].entry_tid}) == 4
    assert [entry.thread_seq for entry in together + later] == [1, 1, 1, 1]


# django/core/handlers/base.py, _get_response_async: coroutines are awaited where they are.
def test_async_views_under_asgi_run_on_the_loop_that_got_the_request(asgi):
    entries = asgi.held("/async", 3)

    assert all(entry.loop and entry.entry_loop and entry.tid == entry.entry_tid for entry in entries)


# asgiref/sync.py, AsyncToSync.__call__: where no loop has started the thread, it makes one on a thread of its own.
def test_async_views_under_wsgi_each_have_a_loop_and_a_thread_of_their_own(wsgi):
    entries = wsgi.held("/async", 2)

    assert all(entry.loop and not entry.entry_loop for entry in entries)
    assert len({entry.tid for entry in entries} | {entry.entry_tid for entry in entries}) == 4


# asgiref/sync.py, AsyncToSync.__call__: from a thread that a loop has started, it goes back to that loop.
def test_behind_sync_middleware_under_asgi_async_views_still_run_on_the_loop(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_MIDDLEWARE", "shop.middleware.blocking")
    with serving(tmp_path, **ASGI) as server:
        project = Project(server, entry_kind="async")
        sync, asynchronous = project.held("/plain", 2), project.held("/async", 2)

        assert project.ran()["blocking"] == 7
    assert [(entry.loop, entry.tid == entry.entry_tid) for entry in sync] == [(False, False)] * 2
    assert [(entry.loop, entry.tid == entry.entry_tid) for entry in asynchronous] == [(True, True)] * 2


def test_an_async_view_that_blocks_blocks_the_loop_under_asgi(tmp_path):
    with serving(tmp_path, path="/async", view="async-blocking", **ASGI) as server:
        server.hold(0, path="/async")
        server.send(1, "/async")
        server.release(0)
        wait_until(lambda: server.recording.is_entered(1), "second request in its handler", server.log)
        first, second = server.recording.entries(0, 2)

    assert first.left_ns <= second.entered_ns


@pytest.mark.parametrize(
    ("interface", "command", "view", "expected"),
    [
        ("wsgi", RUNSERVER, "sync", ("django view index()", "sync", "view")),
        ("wsgi", RUNSERVER, "async", ("django async view index()", "async", "view")),
        ("asgi", UVICORN, "sync", ("django view index()", "sync", "view")),
        ("asgi", UVICORN, "async", ("django async view index()", "async", "view")),
        ("asgi", UVICORN, "async-blocking", ("django async view index()", "async-blocking", "view")),
    ],
)
def test_the_built_in_project_has_the_view_that_was_asked_for(tmp_path, interface, command, view, expected):
    with serving(tmp_path, command=command, framework="django", interface=interface, view=view) as server:
        ordinary = server.get("/any/path")
        server.hold(0)

        assert ordinary.body == b"hello\n"
        assert server.recording.held_in(0) == expected


@pytest.mark.parametrize("app", ["django_project/manage.py", "django_project/shop/wsgi.py:application"])
def test_a_project_is_found_by_its_manage_py_and_by_its_application(tmp_path, app):
    with serving(tmp_path, "--nothreading", command=RUNSERVER, interface="wsgi", app=app, path="/plain") as server:
        server.hold(0, path="/plain")

        assert server.recording.held_in(0) == ("django view plain()", "sync", "view")


def test_runserver_without_threads_runs_one_view_at_a_time(tmp_path):
    with serving(tmp_path, "--nothreading", command=RUNSERVER, framework="django") as server:
        server.release(0, 1)
        clients = [server.send(id) for id in range(2)]
        for client in clients:
            reply(client)
        entries = server.recording.entries(0, 2)

    assert {entry.tid for entry in entries} == {server.process.pid}
    assert sorted(entry.thread_seq for entry in entries) == [1, 2]


@pytest.mark.skipif(importlib.util.find_spec("rest_framework") is None, reason="djangorestframework is not installed")
def test_the_rest_frameworks_views_are_held_in_what_was_written(tmp_path):
    with serving(tmp_path, command=RUNSERVER, interface="wsgi", app="django_rest.py") as server:
        project = Project(server)
        for path in ("/class", "/function", "/set"):
            (entry,) = project.held(path, 1)

            assert server.recording.held_in(entry.id) == (REST[path], "sync", "view")
            assert json.loads(server.get(path).body)["ran"] == path[1:]
