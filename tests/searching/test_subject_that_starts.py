"""What a search and an overload are tried on is the server, not what answers while it starts."""

from __future__ import annotations

import sys

import pytest
from support import supervisor

from holdfast.errors import InconclusiveError
from holdfast.explaining.overload import OverloadOptions, run_overload
from holdfast.explaining.silent import Wanted, run_silent
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import CommandTarget, Experiment
from holdfast.probing.ports import free_port
from holdfast.searching.subject import started_subject

# gunicorn ends itself when a worker ends with 3 (gunicorn/arbiter.py, WORKER_BOOT_ERROR).
MORTAL = """
import os
from flask import Flask

application = Flask(__name__)

@application.before_request
def end():
    os._exit(3)
"""
APP = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]
"""
# A helper with a view listens first, the server once it has asked some times for what it needs.
HELPER = """
from flask import Flask
from waitress import serve
live = Flask(__name__)

@live.get("/")
def alive():
    return "alive"

serve(live, listen="127.0.0.1:{other}", threads=1)
"""
SERVER = (
    """
import time
for _ in range(5):
    time.sleep(1)
"""
    + APP
    + """
from waitress import serve
serve(application, listen="127.0.0.1:{port}", threads=3)
"""
)


@pytest.fixture
def helped(tmp_path):
    """The experiment of such a start script."""
    port, other = str(free_port()), str(free_port())
    for name, text in (("live.py", HELPER), ("serve.py", SERVER)):
        (tmp_path / name).write_text(text.replace("{port}", port).replace("{other}", other))
    (tmp_path / "start.sh").write_text(f"{sys.executable} live.py &\n{sys.executable} serve.py & wait\n")
    return Experiment(CommandTarget(("sh", "start.sh")), cwd=str(tmp_path), max_offered=50)


@pytest.mark.servers
def test_there_is_no_result_of_a_search_on_a_helper_that_listened_before_the_server(helped):
    with (
        pytest.raises(InconclusiveError, match="began to listen on port"),
        started_subject(helped, "shop", Interrupts(), lambda _line: None) as subject,
    ):
        assert subject.not_inside == ""


@pytest.mark.servers
def test_there_is_no_result_of_an_overload_of_a_helper_that_listened_before_the_server(helped):
    with pytest.raises(InconclusiveError, match="began to listen on port"):
        run_overload(helped, 1, 0.05, Interrupts(), options=OverloadOptions(factors=(0.5,), level_s=1.0))


@pytest.mark.servers
def test_there_is_no_result_of_silent_clients_of_a_helper_that_listened_before_the_server(helped):
    wanted = Wanted(("nothing",), most=2, patience_s=0.5, proves=False)

    with pytest.raises(InconclusiveError, match="began to listen on port"):
        run_silent(helped, Interrupts(), wanted=wanted)


@pytest.fixture(params=[1, 2])
def supervised(tmp_path, request):
    """The experiment of such a command with so many ports of its own, and the server's port."""
    (tmp_path / "app.py").write_text(APP)
    port, *owns = (free_port() for _ in range(1 + request.param))
    command = (sys.executable, supervisor.__file__, str(port), "2", *map(str, owns))
    return Experiment(CommandTarget(command), cwd=str(tmp_path), max_offered=50), port


@pytest.mark.servers
def test_a_search_loads_the_server_behind_a_supervisors_own_port(supervised):
    experiment, port = supervised

    with started_subject(experiment, "shop", Interrupts(), lambda _line: None) as subject:
        assert f"127.0.0.1:{port}" in subject.url
        assert subject.not_inside == ""


@pytest.mark.servers
def test_an_overload_is_one_of_the_server_behind_a_supervisors_own_port(supervised):
    experiment, port = supervised

    record = run_overload(experiment, 2, 0.05, Interrupts(), options=OverloadOptions(factors=(0.5,), level_s=1.0))

    assert record.server.port == port


@pytest.mark.servers
def test_an_overload_says_of_a_server_that_its_first_request_has_ended_that_it_has_ended(tmp_path):
    (tmp_path / "mortal.py").write_text(MORTAL)
    command = (sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{free_port()}", "mortal")

    with pytest.raises(InconclusiveError, match=r"The server ended after the first request\."):
        run_overload(Experiment(CommandTarget(command), cwd=str(tmp_path), max_offered=50), 2, 0.05, Interrupts())
