"""What is stopped so that others take requests runs again, whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from holdfast.probing.dealing import stopped


def nothing(_pids):
    """There is no guardian."""


@pytest.fixture
def sleeper():
    with subprocess.Popen([sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"], stdout=-1) as one:
        one.stdout.readline()
        try:
            yield one
        finally:
            one.kill()


def test_a_process_is_stopped_only_as_long_as_it_is_asked_for(sleeper):
    with stopped(nothing) as stop:
        stop.only([sleeper.pid])
        os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED)
        stop.only([])
        assert os.waitid(os.P_PID, sleeper.pid, os.WCONTINUED) is not None


def test_what_was_let_run_meanwhile_is_stopped_again_with_the_next_request(sleeper):
    with stopped(nothing) as stop:
        stop.only([sleeper.pid])
        os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED)
        os.kill(sleeper.pid, signal.SIGCONT)  # as a guardian does that has had no word for long
        os.waitid(os.P_PID, sleeper.pid, os.WCONTINUED)
        stop.only([sleeper.pid])
        # Without that signal it ends by itself.
        assert os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT).si_code == os.CLD_STOPPED


def _interrupted_with(pid):
    with stopped(nothing) as stop:
        stop.only([pid])
        os.waitid(os.P_PID, pid, os.WSTOPPED)
        raise KeyboardInterrupt


def test_it_runs_again_where_the_person_asks_for_the_end_meanwhile(sleeper):
    with pytest.raises(KeyboardInterrupt):
        _interrupted_with(sleeper.pid)

    assert os.waitid(os.P_PID, sleeper.pid, os.WCONTINUED) is not None


STOPS = """
import os
import signal
import sys

from holdfast.probing.dealing import stopped

def nothing(_pids):
    pass

signal.signal(signal.SIGTSTP, signal.SIG_DFL)  # whatever the tests were started with
with stopped(nothing) as stop:
    stop.only([int(sys.argv[1])])
    print(flush=True)
    sys.stdin.read()
"""


def test_it_runs_while_ctrl_z_stops_what_has_stopped_it(sleeper):
    # The signal stops a process group only if its parent's is another one of the same session (setpgid(2)).
    arguments = [sys.executable, "-c", STOPS, str(sleeper.pid)]
    with subprocess.Popen(arguments, stdin=-1, stdout=-1, process_group=0) as one:
        try:
            one.stdout.readline()
            os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED)

            one.send_signal(signal.SIGTSTP)
            os.waitid(os.P_PID, one.pid, os.WSTOPPED)
            assert os.waitid(os.P_PID, sleeper.pid, os.WCONTINUED | os.WNOHANG) is not None
            one.send_signal(signal.SIGCONT)
            assert os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED) is not None
            one.stdin.close()
            assert os.waitid(os.P_PID, sleeper.pid, os.WCONTINUED) is not None
        finally:
            one.kill()


GUARDED = """
import os
import sys
import threading

from holdfast.probing.dealing import stopped
from holdfast.servers.guardian import Guardian

guardian = Guardian(lambda told: None)

def deal():
    with stopped(guardian.stops) as stop:
        stop.only([int(sys.argv[1])])
        print(flush=True)
        sys.stdin.readline()
        print(stop.were_let_run(), stop.pauses, flush=True)

thread = threading.Thread(target=deal)
thread.start()
thread.join()
guardian.dismiss()
"""


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGTSTP])
def test_its_guardian_lets_it_run_where_what_has_stopped_it_cannot(sleeper, number):
    # Off the main thread no handler may be set for Ctrl-Z, and for SIGSTOP none anywhere (signal(7)).
    arguments = [sys.executable, "-c", GUARDED, str(sleeper.pid)]
    with subprocess.Popen(arguments, stdin=-1, stdout=-1, process_group=0) as one:
        try:
            one.stdout.readline()
            os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED)

            one.send_signal(number)
            os.waitid(os.P_PID, one.pid, os.WSTOPPED)
            assert os.waitid(os.P_PID, sleeper.pid, os.WCONTINUED) is not None
            one.send_signal(signal.SIGCONT)
            one.stdin.write(b"\n")
            one.stdin.flush()
            assert one.stdout.readline() == b"True 1\n"
        finally:
            one.send_signal(signal.SIGCONT)
            one.kill()
