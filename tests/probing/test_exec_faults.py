"""Commands that are mistyped, do not serve, serve elsewhere, or keep holdfast out: each says what to do."""

from __future__ import annotations

import os
import shutil
import socket
import sys

import pytest
from own_commands import ENVIRONMENT, INCONCLUSIVE, USAGE, Own, run_all
from test_exec_commands import FLASK, PLAIN

WSGIREF = (
    PLAIN
    + """
from wsgiref.simple_server import make_server

server = make_server("127.0.0.1", {port}, application)
"""
)
SERVE = WSGIREF + "server.serve_forever()\n"
# Two servers, of which only the second one is what a person means, or both are.
TWO = (
    WSGIREF
    + """
import socketserver, threading

class Line(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"220 not HTTP\\r\\n")

other = OTHER
threading.Thread(target=other.serve_forever, daemon=True).start()
server.serve_forever()
"""
)
LINES = 'socketserver.TCPServer(("127.0.0.1", {other}), Line)'
AGAIN = 'make_server("127.0.0.1", {other}, application)'
# HTTP by hand: nothing of Python's reads the request, and another thread sends the reply.
BY_HAND = """
import queue
import socketserver
import threading

asked = queue.Queue()


def answer():
    while True:
        page, done = asked.get()
        page.wfile.write(REPLY)
        done.set()


class Page(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass
        done = threading.Event()
        asked.put((self, done))
        done.wait()


REPLY = (b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\npage")
threading.Thread(target=answer, daemon=True).start()
socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer(("127.0.0.1", {port}), Page).serve_forever()
"""
UNIX = """
import socket, signal

listener = socket.socket(socket.AF_UNIX)
listener.bind("own.sock")
listener.listen()
while True:
    signal.pause()
"""
SILENT = "import signal\nprint('connecting to the database', flush=True)\nwhile True:\n    signal.pause()\n"
ASKS = "input('Password: ')\n"
ENDS = "import sys\nsys.exit('the licence has expired')\n"
NO_PYTHONPATH = "#!/bin/sh\nunset PYTHONPATH\nexec python serve.py\n"

# As a supervisor does whose program cannot start, and an emperor whose vassal dies.
AGAIN_AND_AGAIN = """
import subprocess, sys
while True:
    subprocess.run([sys.executable, "-c", "import sys; sys.exit('no such database')"])
"""
# As unshare(1) does, whose options differ from version to version; with a /dev/shm of its own.
PRIVATE = (
    "import ctypes, os\n"
    "libc = ctypes.CDLL(None, use_errno=True)\n"
    "assert libc.unshare(0x20000) == 0\n"
    "assert libc.mount(b'none', b'/', None, 0x44000, None) == 0\n"
    "assert libc.mount(b'none', b'/dev/shm', b'tmpfs', 0, None) == 0\n"
) + SERVE
# Of a time namespace only those are members that are forked after it was made (time_namespaces(7)).
AHEAD = (
    "import ctypes, os, sys\n"
    "assert ctypes.CDLL(None).unshare(0x80) == 0\n"
    "with open('/proc/self/timens_offsets', 'w') as offsets:\n"
    "    offsets.write('monotonic 1000 0')\n"
    "if child := os.fork():\n"
    "    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
) + SERVE

FAULTS = (
    Own("a program that is not there", ("guniborn", "app:app"), exit=ENVIRONMENT),
    Own("a command in quotation marks", ("gunicorn -w 4 app:app",), exit=USAGE),
    Own("a variable in front", ("DEBUG=1", "gunicorn", "app:app"), exit=USAGE),
    Own("a script without an interpreter", ("./app.py",), {"app.py": FLASK}, exit=ENVIRONMENT),
    Own("a script that is named without its directory", ("app.py",), {"app.py": FLASK}, exit=ENVIRONMENT),
    Own("a directory", ("./shop",), {"shop/app.py": FLASK}, exit=ENVIRONMENT),
    Own("one that ends at once", ("python", "ends.py"), {"ends.py": ENDS}, exit=ENVIRONMENT),
    Own("one that succeeds at once", ("python", "-c", "pass"), exit=ENVIRONMENT),
    Own("one that asks", ("python", "asks.py"), {"asks.py": ASKS}, exit=ENVIRONMENT),
    Own("one that never listens", ("python", "a.py"), {"a.py": SILENT}, options=("--start-timeout", "1"), exit=4),
    Own("another port", ("python", "a.py"), {"a.py": SERVE}, options=("--port", "9", "--start-timeout", "2"), exit=4),
    Own("a Unix socket from which nobody takes", ("python", "unix.py"), {"unix.py": UNIX}, exit=INCONCLUSIVE),
    Own("isolated Python", ("python", "-I", "serve.py"), {"serve.py": SERVE}, exit=INCONCLUSIVE),
    Own("Python without site", ("python", "-uS", "serve.py"), {"serve.py": SERVE}, exit=INCONCLUSIVE),
    Own(
        "a wrapper that clears the path",
        ("sh", "wrapper.sh"),
        {"wrapper.sh": NO_PYTHONPATH, "serve.py": SERVE},
        exit=INCONCLUSIVE,
    ),
    Own(
        "one that ends again and again",
        ("python", "a.py"),
        {"a.py": AGAIN_AND_AGAIN},
        options=("--start-timeout", "5"),
        exit=ENVIRONMENT,
    ),
    Own(
        "a wrapper that clears the environment",
        ("sh", "-c", 'exec env -i PATH="$PATH" python serve.py'),
        {"serve.py": SERVE},
        exit=INCONCLUSIVE,
    ),
    Own("nothing that is known", ("python", "hand.py"), {"hand.py": BY_HAND}, exit=INCONCLUSIVE),
    Own(
        "only a library of what is known",
        ("python", "hand.py"),
        {"hand.py": "import werkzeug.serving\n" + BY_HAND},
        exit=INCONCLUSIVE,
    ),
    Own("several ports", ("python", "two.py"), {"two.py": TWO.replace("OTHER", AGAIN)}, exit=USAGE),
    Own("a second port without HTTP", ("python", "two.py"), {"two.py": TWO.replace("OTHER", LINES)}),
)
WORDS = {
    "a program that is not there": ("There is no command guniborn.", "It is not on PATH.", "Did you mean gunicorn?"),
    "a script that is named without its directory": ("There is no command app.py.", "holdfast exec -- python app.py"),
    "a command in quotation marks": ("given as one word", "holdfast exec -- gunicorn -w 4 app:app"),
    "a variable in front": ("There is no command DEBUG=1.", "holdfast exec -- env DEBUG=1"),
    "a script without an interpreter": ("./app.py cannot be started.", "holdfast exec -- python ./app.py"),
    "a directory": ("./shop cannot be started.", "It is a directory."),
    "one that ends at once": ("The server ended at its start.", "| the licence has expired"),
    "one that succeeds at once": ("It exited with 0 and wrote nothing.", "give the command that they run"),
    "one that asks": ("EOFError", "its stdin is /dev/null"),
    "one that never listens": ("did not listen on any port within 1 s", "| connecting to the database"),
    "another port": ("did not listen on port 9 within 2 s", "--port"),
    "a Unix socket from which nobody takes": ("did not answer the first request", "from which no process took it"),
    "isolated Python": (
        "could not instrument it.",
        "-I, which ignores PYTHONPATH",
        "holdfast attach http://127.0.0.1:",
    ),
    "Python without site": ("could not instrument it.", "-S, which runs no sitecustomize", "holdfast attach"),
    "a wrapper that clears the path": ("replaced PYTHONPATH", "set it before", "holdfast attach"),
    "nothing that is known": ("no WSGI or ASGI interface of a server, that holdfast knows", "holdfast attach"),
    "only a library of what is known": ("nothing that holdfast knows calls its views", "werkzeug", "holdfast attach"),
    "one that ends again and again": (
        "The server did not come up within 5 s.",
        "A process of it ends and is started again, ",
        "no such database",
        "More time would not help.",
    ),
    "a wrapper that clears the environment": ("cleared the environment", "sudo -E", "holdfast attach"),
    "several ports": ("listens on several ports", "leads to wsgi entry", "Say with --port which one is meant."),
}


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, FAULTS)


@pytest.mark.parametrize("own", FAULTS, ids=lambda own: own.id)
def test_what_is_wrong_with_a_command_is_said_with_what_to_do(done, own):
    ended = done[own.id].ended

    assert ended.exit == own.exit, ended.err
    for part in WORDS.get(own.id, ()):
        assert part in ended.err
    assert bool(ended.out) == (own.exit == 0)


def test_of_several_ports_the_one_that_leads_to_the_application_is_probed(done):
    verdict = done["a second port without HTTP"].verdict()

    assert verdict["ceiling"]["in_service"] == 1
    assert verdict["target"]["held_in"] == "wsgi entry"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "as in: holdfast exec -- gunicorn -w 4 shop:app"),
        (("gunicorn", "-w", "2", "app:app"), "as in: holdfast exec -- gunicorn -w 2 app:app"),
        (("--max-offred", "5", "--", "gunicorn"), "No such option"),
    ],
)
def test_a_command_line_without_its_command_is_shown_how(holdfast, arguments, words):
    ended = holdfast.run("exec", *arguments)

    assert ended.exit == USAGE
    assert words in ended.err


def test_what_is_no_python_program_is_said_to_have_no_views(holdfast):
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("nginx is not installed")
    site = "http { access_log off; server { listen 127.0.0.1:{port}; } }"
    conf = f"daemon off; error_log stderr; pid own.pid; events {{}} {site}"
    own = Own("nginx", (nginx, "-p", ".", "-e", "stderr", "-c", "own.conf"), {"own.conf": conf}, exit=INCONCLUSIVE)

    ended = run_all(holdfast, [own])["nginx"].ended

    assert ended.exit == INCONCLUSIVE, ended.err
    assert "is not a Python program and has no views" in ended.err
    assert "holdfast attach http://127.0.0.1:" in ended.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_server_that_does_not_see_our_files_is_said_to_be_in_another_namespace(holdfast):
    start = "import os, sys\nos.execv(sys.executable, [sys.executable, 'private.py'])\n"
    own = Own("private", ("python", "start.py"), {"start.py": start, "private.py": PRIVATE}, exit=INCONCLUSIVE)

    ended = run_all(holdfast, [own])["private"].ended

    assert ended.exit == INCONCLUSIVE, ended.err
    assert "does not see holdfast's files in /dev/shm: it runs in a mount namespace of its own" in ended.err
    assert "Run holdfast inside of that" in ended.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a network namespace")
def test_a_server_in_a_network_namespace_of_its_own_is_said_to_be_out_of_reach_at_once(holdfast):
    apart = "import ctypes\nassert ctypes.CDLL(None).unshare(0x40000000) == 0\n" + SERVE.replace("127.0.0.1", "")
    own = Own("apart", ("python", "apart.py"), {"apart.py": apart}, exit=ENVIRONMENT)

    done = run_all(holdfast, [own])["apart"]

    assert done.ended.exit == ENVIRONMENT, done.ended.out
    assert done.ended.what == f"holdfast: The server listens on port {done.port}, which cannot be reached from here."
    assert "in a network namespace of its own" in done.ended.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a time namespace")
@pytest.mark.skipif(not os.path.exists("/proc/self/ns/time"), reason="this kernel has no time namespaces")
def test_a_server_with_a_clock_of_its_own_is_told_from_one_that_is_slow_to_its_view(holdfast):
    own = Own("ahead", ("python", "ahead.py"), {"ahead.py": AHEAD}, exit=ENVIRONMENT)

    ended = run_all(holdfast, [own])["ahead"].ended

    assert ended.exit == ENVIRONMENT, ended.err
    assert "is in a time namespace of its own" in ended.err


def test_a_port_that_is_shared_with_another_server_gives_no_verdict(holdfast):
    shares = SERVE.replace("make_server(", "Shares.make(", 1).replace(
        "from wsgiref.simple_server import make_server",
        "import socket\n"
        "from wsgiref.simple_server import WSGIRequestHandler, WSGIServer\n"
        "class Shares(WSGIServer):\n"
        "    allow_reuse_port = True\n"
        "    def server_bind(self):\n"
        "        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n"
        "        super().server_bind()\n"
        "    @classmethod\n"
        "    def make(cls, host, port, app):\n"
        "        server = cls((host, port), WSGIRequestHandler)\n"
        "        server.set_app(app)\n"
        "        return server\n",
    )
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        (holdfast.directory / "shares.py").write_text(shares.replace("{port}", str(port)))

        running = holdfast.start("exec", "--", sys.executable, "shares.py")
        ended = running.ended()

    assert ended.exit == ENVIRONMENT, ended.err
    assert f"Another process listens on port {port} too." in ended.err


# It takes until it is allowed to, and says so.
ENDS_LATE = """
import os, signal, sys, time

def end(*_):
    while not os.path.exists("may-end"):
        time.sleep(0.01)
    sys.exit()

signal.signal(signal.SIGTERM, end)
"""


def test_that_a_command_could_not_be_instrumented_is_said_before_its_server_is_ended(holdfast, tmp_path):
    (tmp_path / "serve.py").write_text(ENDS_LATE + SERVE.replace("{port}", "0"))

    running = holdfast.start("exec", "--", sys.executable, "-I", "serve.py", cwd=tmp_path)
    assert running.process.stderr is not None
    first, second = running.process.stderr.readline(), running.process.stderr.readline()
    still_there = running.processes()
    (tmp_path / "may-end").touch()
    ended = running.ended()

    assert "could not instrument it." in first
    assert "-I, which ignores PYTHONPATH" in second
    assert still_there
    assert ended.exit == INCONCLUSIVE
    assert "could not instrument it." not in ended.err
    running.nothing_is_left()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"exec python app.py\n", ("(#!/bin/sh)", "name the interpreter: holdfast exec -- sh ./run")),
        (b"from app import app\n", ("env python3)", "name the interpreter: holdfast exec -- python ./run")),
        # elf(5): 64 bits, little-endian, of no machine.
        (b"\x7fELF\x02\x01\x01" + bytes(57), ("a program for another kind of machine",)),
        (b"", ("It is empty",)),
    ],
    ids=["sh", "python", "elf", "empty"],
)
def test_a_file_that_nothing_runs_is_said_to_be_what_it_is(holdfast, content, words):
    # execve(2), ENOEXEC: a shell would run a script itself, and no shell reads the command.
    script = holdfast.directory / "run"
    script.write_bytes(content)
    script.chmod(0o755)

    ended = holdfast.run("exec", "--", "./run", cwd=holdfast.directory)

    assert ended.exit == ENVIRONMENT
    said = " ".join(ended.err.split())
    assert all(each in said for each in words), said
