"""The servers that are started as modules of ours: their options reach them, and handlers run as they run them."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import pytest
from inside_server import SERVER_PYTHON, reply, serving, wait_until


@dataclass(frozen=True, slots=True)
class Runs:
    """How many handlers a server runs at once with these options, and on how many threads.

    `source` is where the server's own code or documentation says so.
    """

    server: str
    options: str
    at_once: int
    threads: int
    source: str


CASES = (
    Runs("wsgiref", "", 1, 1, "http/server.py, HTTPServer: a socketserver.TCPServer without a mix-in"),
    Runs("django", "--nothreading", 1, 1, "django/core/servers/basehttp.py, run: no ThreadingMixIn"),
    Runs("gevent", "", 8, 1, "gevent/baseserver.py, BaseServer: spawn='default' is a greenlet for each connection"),
    Runs("gevent", "--pool 2", 2, 1, "gevent/baseserver.py, set_spawn: a number is the size of a Pool"),
    Runs("eventlet", "", 8, 1, "eventlet/wsgi.py, server: a GreenPool of max_size, by default 1024"),
    Runs("eventlet", "max_size=2", 2, 1, "eventlet/wsgi.py, server: a GreenPool of max_size"),
    Runs("werkzeug", "", 1, 1, "werkzeug/serving.py, make_server: BaseWSGIServer"),
    Runs("fastpysgi", "", 1, 1, "fastwsgi/server.c, read_cb: one loop, which calls the application"),
    Runs("bjoern", "", 1, 1, "bjoern/server.c: one loop, which calls the application"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.server} {case.options}".strip())
def test_as_many_handlers_run_at_once_as_the_server_says(tmp_path, case):
    if importlib.util.find_spec(case.server) is None:
        pytest.skip(f"{case.server} is not installed")
    command = (SERVER_PYTHON, "-m", f"holdfast_inside.{case.server}_server", "--host=127.0.0.1", "--port", "{port}")
    framework = "django" if case.server == "django" else "flask"
    with serving(tmp_path, *case.options.split(), command=command, framework=framework) as server:
        first, *others = server.hold(*range(case.at_once))
        at_once = server.recording.entries(0, case.at_once)
        waiting = server.send(case.at_once)
        server.release(*range(case.at_once + 1))
        replies = [reply(client) for client in (first, *others, waiting)]
        wait_until(lambda: server.recording.in_service(0, 64) == 0, "end of the handlers", server.log)
        last = server.entry(case.at_once)
        ordinary = server.get("/")
        left_ns = [server.entry(id).left_ns for id in range(case.at_once)]

    assert [answer.body for answer in replies] == [b"held\n"] * (case.at_once + 1)
    assert ordinary.body == b"hello\n"
    assert len({entry.tid for entry in at_once}) == case.threads
    assert not any(entry.loop or entry.entry_loop or entry.tid != entry.entry_tid for entry in at_once)
    # Where there is room for one more, it need not have waited for anybody.
    assert case.at_once == 8 or last.entered_ns >= min(left_ns)


def test_an_option_that_a_server_does_not_take_is_refused(tmp_path):
    command = (SERVER_PYTHON, "-m", "holdfast_inside.wsgiref_server", "--port", "{port}")
    with serving(tmp_path, "--threads=2", command=command) as server:
        assert server.process.wait() == 2
        assert server.troubles()["what"] == "wsgiref does not take --threads=2."
        assert server.troubles()["remedy"] == "It takes no options of its own."


def test_an_application_of_another_kind_is_refused(tmp_path):
    command = (SERVER_PYTHON, "-m", "holdfast_inside.aiohttp_server", "--port", "{port}")
    with serving(tmp_path, command=command, app="rich.py") as server:
        assert server.process.wait() == 1
        assert server.troubles()["what"] == "rich.py:app is not an application for the aiohttp server."
