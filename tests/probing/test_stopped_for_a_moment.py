"""What is stopped so that others take requests runs again, whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from holdfast.probing.dealing import stopped


@pytest.fixture
def sleeper():
    with subprocess.Popen([sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"], stdout=-1) as one:
        one.stdout.readline()
        try:
            yield one
        finally:
            one.kill()


def test_a_process_is_stopped_only_as_long_as_it_is_asked_for(sleeper):
    with stopped() as stop:
        stop.only([sleeper.pid])
        os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED)
        stop.only([])
        assert os.waitid(os.P_PID, sleeper.pid, os.WCONTINUED) is not None


def _interrupted_with(pid):
    with stopped() as stop:
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

signal.signal(signal.SIGTSTP, signal.SIG_DFL)  # whatever the tests were started with
with stopped() as stop:
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
