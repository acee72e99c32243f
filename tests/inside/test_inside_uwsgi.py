"""uWSGI with the recorder inside: threads, forked workers, an application that cannot be loaded."""

from __future__ import annotations

import pytest
from inside_server import UWSGI, reply, serving


def test_uwsgi_threads_are_reused(tmp_path):
    with serving(tmp_path, "--threads", "2", command=UWSGI) as server:
        clients = server.hold(0, 1)
        clients += [server.send(id) for id in (2, 3)]
        server.release(0, 1, 2, 3)
        for client in clients:
            assert reply(client).body == b"held\n"
        entries = server.recording.entries(0, 4)

    assert len({entry.pid for entry in entries}) == 1
    assert len({entry.tid for entry in entries}) == 2
    assert sorted(entry.process_seq for entry in entries) == [1, 2, 3, 4]
    assert sorted(entry.globals_seq for entry in entries) == [1, 2, 3, 4]
    assert max(entry.thread_seq for entry in entries) > 1
    assert {entry.thread_name[:12] for entry in entries} == {"uWSGIWorker1"}


@pytest.mark.parametrize("loading", ["--lazy-apps", "--need-app"], ids=["after the fork", "before the fork"])
def test_uwsgi_workers_count_for_themselves_wherever_the_application_was_loaded(tmp_path, loading):
    with serving(tmp_path, "--master", "--processes", "3", loading, command=UWSGI) as server:
        server.hold(0, 1, 2)
        entries = server.recording.entries(0, 3)

    assert len({entry.pid for entry in entries}) == 3
    assert {(entry.process_seq, entry.thread_seq, entry.globals_seq) for entry in entries} == {(1, 1, 1)}


def test_an_async_view_is_held_under_uwsgi(tmp_path):
    with serving(tmp_path, "--threads", "2", command=UWSGI, view="async") as server:
        clients = server.hold(0, 1)
        server.release(0, 1)

        assert [reply(client).body for client in clients] == [b"held\n"] * 2
        assert all(entry.loop and entry.tid != entry.entry_tid for entry in server.recording.entries(0, 2))


def test_the_trouble_is_told_although_uwsgi_goes_on_without_an_application(tmp_path):
    with serving(tmp_path, command=UWSGI, app="rich:nothing") as server:
        assert server.troubles()["what"] == "rich has no attribute nothing."
        assert server.process.poll() is None
