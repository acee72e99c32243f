"""Other instrumentation puts its own sitecustomize in front of ours, and runs no other."""

from __future__ import annotations

import json
import os
import sys

# As opentelemetry-instrument does (opentelemetry/instrumentation/auto_instrumentation/__init__.py, run()): its
# directory goes to the front of PYTHONPATH, and the process turns into the command.
LAUNCHER = """
import os, sys
here = os.path.dirname(os.path.abspath(__file__))
os.environ["PYTHONPATH"] = os.pathsep.join([os.path.join(here, "other"), os.environ["PYTHONPATH"]])
os.execl(sys.argv[1], *sys.argv[1:])
"""
OTHER = "import os\nos.environ['OTHER_RAN'] = os.environ.get('OTHER_RAN', '') + 'x'\n"
APP = """
import os
from flask import Flask
app = Flask(__name__)
assert os.environ["OTHER_RAN"]

@app.get("/")
def index():
    return "hello"
"""
# As setproctitle does with a long title: /proc/PID/environ shows that memory (proc_pid_environ(5)).
TITLED = """
import ctypes

begin, end = map(int, open("/proc/self/stat").read().rpartition(")")[2].split()[47:49])
ctypes.memset(begin, 0, end - begin)
"""
GUNICORN = (os.path.join(os.path.dirname(sys.executable), "gunicorn"), "-b", "127.0.0.1:0", "other_app:app")


def test_what_instruments_the_command_too_is_let_in_beside_holdfast(holdfast, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "sitecustomize.py").write_text(OTHER)
    (tmp_path / "launcher.py").write_text(LAUNCHER)
    (tmp_path / "other_app.py").write_text(APP)

    ended = holdfast.run(
        "exec", "--max-offered", "5", "--json", "-", "--", sys.executable, "launcher.py", sys.executable, *GUNICORN
    )

    assert ended.exit == 0, ended.err
    verdict = json.loads(ended.out)
    assert verdict["ceiling"]["in_service"] == 1
    assert verdict["target"]["held_in"] == "flask view index()"


def test_where_a_shell_has_put_another_in_front_its_file_is_named(holdfast, tmp_path):
    other = tmp_path / "other" / "sitecustomize.py"
    other.parent.mkdir()
    other.write_text(OTHER)
    (tmp_path / "other_app.py").write_text(APP)
    script = f'PYTHONPATH={other.parent}:$PYTHONPATH exec "$@"'

    ended = holdfast.run("exec", "--max-offered", "5", "--", "sh", "-c", script, "-", *GUNICORN)

    assert ended.exit == 3
    assert f"{other} comes before holdfast's on the PYTHONPATH" in ended.err
    assert "older than 3.8" not in ended.err
    assert "PYTHONPATH=$PYTHONPATH:DIRECTORY" in ended.err


def test_of_an_environment_that_a_title_has_overwritten_it_is_not_said_that_it_was_cleared(holdfast, tmp_path):
    other = tmp_path / "other" / "sitecustomize.py"
    other.parent.mkdir()
    other.write_text(OTHER + TITLED)
    (tmp_path / "other_app.py").write_text(APP)
    script = f'PYTHONPATH={other.parent}:$PYTHONPATH exec "$@"'

    ended = holdfast.run("exec", "--max-offered", "5", "--", "sh", "-c", script, "-", *GUNICORN)

    assert ended.exit == 3
    assert "has put a title where its environment was" in ended.err
    assert "cleared the environment, in which" not in ended.err
