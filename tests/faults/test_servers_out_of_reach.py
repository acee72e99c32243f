"""Servers that another user runs, or that have cut every tie to what started them."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from support.commandline import PROGRAM, end_group
from support.waiting import until

from holdfast.probing.ports import free_port

ENVIRONMENT = 4
USER, OTHER = "1000", "33"

# As gunicorn's --daemon (gunicorn/util.py, daemonize), of which setproctitle has overwritten the environment.
DAEMON = """
import os, socket, sys, time
if sys.argv[1:] == ["daemon"]:
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
    time.sleep(120)
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.execve(sys.executable, [sys.executable, __file__, "daemon"], {"PORT": sys.argv[1]})
"""

as_root = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can become others")


def test_a_daemon_without_our_mark_does_not_outlive_a_holdfast_that_is_killed(holdfast, write):
    server = write("daemon.py", DAEMON)
    port = free_port()
    # It has nothing of holdfast in it, so holdfast looks for a way in for as long as this.
    running = holdfast.start("exec", "--", sys.executable, server, str(port), port=port)
    running.until_listening()
    session = os.getsid(_daemons(server)[0])
    until(lambda: _looked(running.pid), "a look at the daemon")

    running.signal(signal.SIGKILL)
    running.ended()
    try:
        until(lambda: not _daemons(server), "the end of the daemon")
        running.nothing_is_left(within_s=5)
        assert not _daemons(server)
    finally:
        if _daemons(server):
            end_group(session)


def _looked(pid: int) -> bool:
    """Whether holdfast has looked at its children since: it reads /proc again and again while a server starts."""
    before = _reads(pid)
    until(lambda: _reads(pid) > before + 100, "holdfast at work")
    return True


def _reads(pid: int) -> int:
    io = Path("/proc", str(pid), "io").read_text()  # proc(5): syscr counts read(2) and the like
    return int(io.partition("syscr: ")[2].split()[0])


def _daemons(server: Path) -> list[int]:
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(server).encode() in words and b"daemon" in words:
            found.append(int(name))
    return found


@as_root
def test_a_server_of_another_user_is_named_and_how_to_end_it(holdfast, write):
    # In the place of sudo, which asks for a password: the same right, of a program of root's with the set-user-id bit.
    become = holdfast.directory / "become"
    shutil.copy(shutil.which("setpriv"), become)
    become.chmod(0o4755)
    server = write("server.py", "import signal\nprint('started', flush=True)\nsignal.pause()\n")
    private = [path for path in holdfast.directory.parents if path.name.startswith(("pytest-", "popen-"))]
    for path in (holdfast.directory, holdfast.temporary, *private):
        path.chmod(path.stat().st_mode | 0o711)
    holdfast.directory.chmod(0o777)
    holdfast.temporary.chmod(0o777)
    # The interpreter may lie where only root can read.
    reads_all = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    user = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", *reads_all]

    running = holdfast.start(
        "exec",
        "--start-timeout",
        "1",
        "--",
        become,
        "--reuid",
        OTHER,
        "--regid",
        OTHER,
        "--clear-groups",
        sys.executable,
        server,
        program=[*user, *PROGRAM],
    )
    ended = running.ended()
    left = running.processes()
    try:
        assert ended.exit == ENVIRONMENT, ended.err
        assert ended.what.startswith("holdfast: The server could not be ended: it runs as ")
        assert f"sudo kill {left[0]}." in ended.err
        assert "did not listen on any port" in ended.err
        assert "Traceback" not in ended.err
        assert len(left) == 1  # no guardian of ours
    finally:
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    running.nothing_is_left(within_s=5)


def test_the_servers_log_is_its_users_alone(holdfast):
    running = holdfast.start(
        "exec", "--", *PROGRAM[:1], "-c", "print('secret', flush=True); import time; time.sleep(60)"
    )
    until(lambda: "secret" in running.log(), "the log")
    (directory,) = running.directories()

    mode = (directory / "server.log").stat().st_mode & 0o777
    running.signal(signal.SIGTERM)
    running.ended()

    assert mode == 0o600
