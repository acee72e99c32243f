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
