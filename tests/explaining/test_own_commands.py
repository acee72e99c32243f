"""`holdfast explain -- COMMAND` names the setting that decides, wherever its value comes from."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import pytest

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
