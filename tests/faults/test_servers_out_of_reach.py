"""Servers that another user runs, or that have cut every tie to what started them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.commandline import PROGRAM, end_group
from support.waiting import until

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
    port = holdfast.free_port()
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


def started_as_another(holdfast, write, *program):
    """An ordinary user's `exec` of a server that becomes another user's, fails at once, and leaves a process behind."""
    # In the place of sudo, which asks for a password: the same right, of a program of root's with the set-user-id bit.
    become = holdfast.directory / "become"
    shutil.copy(shutil.which("setpriv"), become)
    become.chmod(0o4755)
    server = write("server.py", "import os, signal, sys\nif os.fork() == 0:\n    signal.pause()\nsys.exit(3)\n")
    private = [path for path in holdfast.directory.parents if path.name.startswith(("pytest-", "popen-"))]
    for path in (holdfast.directory, holdfast.temporary, *private):
        path.chmod(path.stat().st_mode | 0o711)
    holdfast.directory.chmod(0o777)
    holdfast.temporary.chmod(0o777)
    # The interpreter may lie where only root can read.
    reads_all = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    user = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", *reads_all]

    becomes = (become, "--reuid", OTHER, "--regid", OTHER, "--clear-groups", sys.executable, server)
    return holdfast.start("exec", "--", *becomes, program=[*program, *user, *PROGRAM])


@as_root
def test_a_server_of_another_user_is_named_and_how_to_end_it(holdfast, write):
    running = started_as_another(holdfast, write)
    ended = running.ended()
    left = running.processes()
    try:
        assert ended.exit == ENVIRONMENT, ended.err
        assert ended.what.startswith("holdfast: The server could not be ended: it runs as ")
        assert f"sudo kill {left[0]}." in ended.err
        assert "It exited with 3" in ended.err
        assert "Traceback" not in ended.err
        assert len(left) == 1  # no guardian of ours
    finally:
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    running.nothing_is_left(within_s=5)


@as_root
def test_a_server_of_another_user_is_named_where_proc_hides_it(holdfast, write):
    """proc(5), hidepid: an ordinary user sees only what is its own. A namespace of processes has a /proc of its own."""
    apart = ["unshare", "--pid", "--fork", "--mount", "--propagation", "private"]
    hiding = [*apart, "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', "-"]
    if subprocess.run([*hiding, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs namespaces of processes and mounts of its own")

    ended = started_as_another(holdfast, write, *hiding).ended()

    assert ended.exit == ENVIRONMENT, ended.err
    assert ended.what == "holdfast: The server could not be ended: it runs as another user, whom you may not signal."
    assert re.search(r"sudo kill \d+\.", ended.err)
    assert "It exited with 3" in ended.err


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
