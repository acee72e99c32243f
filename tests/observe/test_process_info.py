"""What a process runs, in words: read from real processes, and from command lines as they are."""

from __future__ import annotations

import subprocess
import sys

import pytest

from holdfast.observe.process_info import Program, is_built_without_gil, is_python, name_of, read_program, switches


@pytest.mark.parametrize(
    ("arguments", "name", "letters"),
    [
        (["gunicorn", "app:app"], "gunicorn", ""),
        (["/venv/bin/gunicorn", "app:app"], "gunicorn", ""),
        (["gunicorn: master [app:app]"], "gunicorn", ""),
        (["/venv/bin/python", "/venv/bin/gunicorn", "app:app"], "gunicorn", ""),
        (["/venv/bin/python3.12", "-u", "app.py", "-m", "x"], "app.py", "u"),
        (["python", "-m", "flask", "run"], "flask", "m"),
        (["python", "-mflask", "run"], "flask", "m"),
        (["python", "-m", "shop.__main__"], "shop", "m"),
        (["python", "-IS", "-W", "error", "-Xutf8", "serve.py", "-E"], "serve.py", "ISWX"),
        (["python", "--check-hash-based-pycs", "serve.py"], "serve.py", ""),
        (["python", "-c", "import x"], None, "c"),
        (["pypy3", "app.py"], "app.py", ""),
        (["/usr/bin/python3.14t", "-m", "gunicorn"], "gunicorn", "m"),
        (["python3.15td", "app.py"], "app.py", ""),
        (["pythonic", "app.py"], "pythonic", ""),
        (["python"], None, ""),
        (["uwsgi"], "uwsgi", ""),
        ([""], None, ""),
        ([], None, ""),
    ],
)
def test_a_program_is_called_what_a_person_would_call_it(arguments, name, letters):
    assert name_of(arguments) == name
    assert switches(arguments) == letters


def test_a_living_process_says_what_it_runs():
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, env={"COLOUR": "blue=green"}) as process:
        process.stdout.readline()  # until then it may be what it was forked from
        seen = read_program(process.pid)
        process.communicate()

    assert seen is not None
    assert seen.arguments == tuple(command)
    assert seen.environment == {"COLOUR": "blue=green"}
    assert seen.file in seen.maps
    assert is_python(seen)


@pytest.mark.parametrize("name", ["python3.14t", "python3.15td", "python3.6m"])
def test_an_interpreter_is_one_however_it_was_built(name):
    assert is_python(Program(1, f"/usr/local/bin/{name}", (name, "app.py"), None, frozenset()))


@pytest.mark.parametrize(
    ("file", "mapped", "without"),
    [
        ("/usr/bin/python3.14t", (), True),
        ("/usr/bin/python3.14", ("/usr/lib/python3.14/lib-dynload/_socket.cpython-314t-x86_64-linux-gnu.so",), True),
        ("/usr/sbin/uwsgi", ("/usr/lib/libpython3.14t.so.1.0",), True),
        ("/usr/bin/python3.15t", ("/srv/lib/_granian.abi3t.so",), True),
        ("/usr/bin/python3.14", ("/usr/lib/python3.14/lib-dynload/_socket.cpython-314-x86_64-linux-gnu.so",), False),
        ("/usr/bin/python3.14d", ("/srv/python3.14t/lib/_granian.abi3.so",), False),
        ("/usr/sbin/uwsgi", ("/usr/lib/libpython3.14.so.1.0",), False),
    ],
)
def test_an_interpreter_that_was_built_without_the_gil_is_told_by_its_files(file, mapped, without):
    program = Program(1, file, (), None, frozenset(mapped))

    assert is_python(program)
    assert is_built_without_gil(program) is without


def test_a_program_that_is_no_interpreter_is_told_from_one():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(b"a line\n")
        process.stdin.flush()
        process.stdout.readline()
        seen = read_program(process.pid)
        process.communicate()

    assert seen is not None
    assert not is_python(seen)


def test_a_process_that_has_ended_runs_nothing():
    with subprocess.Popen(["true"]) as process:
        process.wait()

    assert read_program(process.pid) is None
