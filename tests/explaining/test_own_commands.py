"""`holdfast explain -- COMMAND` names the setting that decides, wherever its value comes from."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import pytest

from holdfast.errors import EXIT_INCONCLUSIVE

PLAIN = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"plain"]
"""
GUNICORN = "bind = '127.0.0.1:{}'\nthreads = 3\n"
UWSGI = "[uwsgi]\nhttp-socket = 127.0.0.1:{}\nmodule = app:app\nprocesses = 2\nthreads = 3\n"


@pytest.mark.servers
@pytest.mark.parametrize(
    ("command", "file", "text", "env", "setting", "value", "formula"),
    [
        (("gunicorn", "app:app"), "gunicorn.conf.py", GUNICORN, {}, "threads", 3, "workers x threads"),
        (
            ("gunicorn", "app:app"),
            "gunicorn.conf.py",
            GUNICORN,
            {"GUNICORN_CMD_ARGS": "--threads 4"},
            "threads",
            4,
            "workers x threads",
        ),
        (("uwsgi", "app.ini", "--threads", "5"), "app.ini", UWSGI, {}, "threads", 3, "processes x threads"),
    ],
    ids=["a file", "a variable over the file", "a file over the command line"],
)
def test_the_setting_that_decides_is_named_and_its_file_stays_as_it_is(
    holdfast, command, file, text, env, setting, value, formula
):
    # parameters: one for each part of a case
    port = holdfast.free_port()
    (holdfast.directory / "app.py").write_text(PLAIN)
    (holdfast.directory / file).write_text(text.format(port))
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    ended = holdfast.run("explain", "--json", "-", "--", *command, cwd=holdfast.directory, env={**path, **env})

    binding = msgspec.json.decode(ended.out)["verdict"]["binding"]
    assert (binding["setting"], binding["configured"]) == (setting, value)
    assert binding["formula"] == f"in_service = {formula}"
    assert (holdfast.directory / file).read_text() == text.format(port)


# Two connections at once are handed on, each as it is.
LETS_TWO_IN = """
import socket
import threading

places = threading.Semaphore(2)


def serve(client):
    with client, places, socket.create_connection(("127.0.0.1", SERVER)) as server:
        server.sendall(client.recv(65536))
        try:
            while data := server.recv(4096):
                client.sendall(data)
        except OSError:
            pass


with socket.create_server(("127.0.0.1", FRONT), backlog=64) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""

LIMITED = """#!/bin/sh
ulimit -n 64
exec gunicorn --bind 127.0.0.1:0 --threads 100 app:app
"""


@pytest.mark.servers
def test_a_front_whose_settings_are_not_changed_is_named_where_no_setting_decides(holdfast):
    front, server = str(holdfast.free_port()), str(holdfast.free_port())
    (holdfast.directory / "app.py").write_text(PLAIN)
    (holdfast.directory / "front.py").write_text(LETS_TWO_IN.replace("SERVER", server).replace("FRONT", front))
    start = f"gunicorn -b 127.0.0.1:{server} --threads 4 app:app &\nexec python front.py\n"
    (holdfast.directory / "start.sh").write_text(start)
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    options = ("--port", front, "--max-offered", "20", "--json", "-")

    ended = holdfast.run("explain", *options, "--", "sh", "start.sh", cwd=holdfast.directory, env=path)

    found = msgspec.json.decode(ended.out)
    (why,) = [each["why"] for each in found["undecided"] if each["place"] == "in_service"]
    assert found["verdict"]["ceiling"]["in_service"] == 2
    assert why.endswith("What front.py in front of it allows was not changed")


@pytest.mark.servers
def test_a_limit_that_the_start_script_sets_again_is_what_decides(holdfast):
    # setrlimit(2): `ulimit -n 64` sets the soft and the hard limit of all that the script starts, so no value that is
    # given from outside is in force. Nothing but the worker's descriptors bounds 100 threads at fewer than 64.
    (holdfast.directory / "app.py").write_text(PLAIN)
    script = holdfast.directory / "start.sh"
    script.write_text(LIMITED)
    script.chmod(0o755)
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    ended = holdfast.run("explain", "--json", "-", "--", "./start.sh", cwd=holdfast.directory, env=path)

    explanation = msgspec.json.decode(ended.out)
    binding = explanation["verdict"]["binding"]
    assert (binding["setting"], binding["configured"]) == ("nofile", 64)
    assert 40 < explanation["verdict"]["ceiling"]["in_service"] < 64
    assert "nofile" not in {each["setting"] for each in binding["ruled_out"]}
    assert [each["name"] for each in explanation["rivals"] if "sets it itself" in each["fixed"]] == ["nofile"]


@pytest.mark.servers
def test_a_command_that_does_not_show_its_server_is_said_to(holdfast):
    (holdfast.directory / "app.py").write_text(PLAIN)
    serve = "import app, waitress\nwaitress.serve(app.app, host='127.0.0.1', port=0, threads=2)\n"
    (holdfast.directory / "serve.py").write_text(serve)

    ended = holdfast.run("explain", "--", sys.executable, "serve.py", cwd=holdfast.directory)

    said = " ".join(ended.out.split())
    assert ended.exit == EXIT_INCONCLUSIVE
    assert "The command does not show which server it starts: " in said
    assert "explain that server's own command: holdfast explain -- COMMAND" in said
