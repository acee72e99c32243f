"""One measurement in a process of its own, for a program that continues with its own work.

Facts
-----
* A measurement changes what belongs to a whole process: the handlers of signals, the limit of descriptors, who adopts
  orphans (PR_SET_CHILD_SUBREAPER), the timer of patterns. It takes every new child of its process for the server's,
  and ends it.
* It forks. In a process with threads that may deadlock, and Python warns of it since 3.12.
* It paces requests. A thread that computes holds it up for 5 ms at a time (sys.getswitchinterval()).

Decisions
---------
* A program that calls holdfast gets a process of holdfast's own, as a command line is one. It takes 0.1 s to start.
* It has a session of its own, so that Ctrl-C at a terminal reaches the program alone, which ends it: whatever leaves
  `result_of` early, also an exception of another signal's handler.
* The kernel sends it SIGHUP when the thread that started it ends (PR_SET_PDEATHSIG, prctl(2)): a program that is
  killed leaves no server running.
* What is asked and what came of it are pickled: both sides are this version of holdfast, and the pipes are theirs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from holdfast.errors import EnvironmentFailure, HoldfastError, InconclusiveError, InternalError
from holdfast.interrupts import Terminated, listening

# The directory of this very holdfast comes first; `-P` keeps the current directory out of it. What the
# program has added to its path comes last, so that it hides nothing.
_START = """
import sys
own, path = sys.argv[1], sys.argv[2].split("\\n")
sys.path.insert(0, own)
import holdfast
del sys.path[0]
sys.path += [each for each in path if each not in sys.path]
from holdfast.api.elsewhere import serve
serve(int(sys.argv[3]))
"""
_PR_SET_PDEATHSIG = 1
_GRACE_S = 15.0
"""A server takes at most 5 s to be killed; a guardian ends what we cannot."""
_LOOK_S = 0.01
_PIECE = 1 << 16

NO_VARIABLES: Mapping[str, str] = {}
_Result = TypeVar("_Result")


def result_of(
    task: Callable[..., _Result],
    /,
    *arguments: object,
    time_limit_s: float | None = None,
    variables: Mapping[str, str] = NO_VARIABLES,
    **named: object,
) -> _Result:
    """What a function gives that is called in another process.

    Args:
        task: a function of a module of ours, which is given these arguments and, as `interrupts`, what listens to
            signals there.
        time_limit_s: ends it after this time; None lets it take as long as it takes.
        variables: of the other process, over those of this one.

    Raises:
        HoldfastError: the function has raised it; or the other process was ended, or failed in some other way.
    """
    deadline_s = None if time_limit_s is None else time.monotonic() + time_limit_s
    process = _started(variables)
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout:
        try:
            answer = _answer(process, pickle.dumps((task, arguments, named)), deadline_s)
        finally:
            _end(process)
    if answer is None:
        raise InconclusiveError(
            f"There is no result after {time_limit_s:g} s, the time limit.",
            "What was started has been ended.",
            "Allow more time, or offer less.",
        )
    if not answer:
        raise _lost(process.returncode)
    # From our own process, through a pipe that no other process has.
    result, error = pickle.loads(answer)  # noqa: S301
    if error is not None:
        assert isinstance(error, HoldfastError)
        raise error
    found: _Result = result
    return found


def _started(variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    own = Path(__file__).parents[2]
    path = "\n".join(each for each in sys.path if each)
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _START, str(own), path, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, **variables},
        )
    except OSError as error:
        raise EnvironmentFailure(
            "holdfast could not start a process of its own.",
            f"{sys.executable}: {error}",
            "Check how many processes and open files you may have (ulimit -a).",
        ) from error


def _answer(process: subprocess.Popen[bytes], question: bytes, deadline_s: float | None) -> bytes | None:
    """What the process writes until its end; None where it has not ended in time."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(question)
    answer = b""
    poll = select.poll()
    poll.register(process.stdout, select.POLLIN)
    while True:
        if not poll.poll(None if deadline_s is None else max(0.0, deadline_s - time.monotonic()) * 1000):
            return None
        piece = os.read(process.stdout.fileno(), _PIECE)
        if not piece:
            process.wait()
            return answer
        answer += piece


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process if it still runs, whatever comes in between, and waits for its end."""
    interrupted: BaseException | None = None
    deadline = None
    while process.poll() is None:
        try:
            if deadline is None:
                deadline = time.monotonic() + _GRACE_S
                process.send_signal(signal.SIGHUP)
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(_LOOK_S)
        except BaseException as error:  # noqa: BLE001 - a second Ctrl-C must not leave it running
            interrupted = error
    if interrupted is not None:
        raise interrupted


def _lost(status: int) -> HoldfastError:
    if status < 0:
        return InconclusiveError(
            "holdfast's measuring process was ended before it had a result.",
            f"It was ended by {signal.Signals(-status).name}.",
            "If no person did that, the kernel may have: `dmesg` shows what its OOM killer has ended.",
        )
    return InternalError("holdfast's measuring process ended without a result.", f"Its exit code was {status}.")


def serve(parent: int) -> None:
    """Lives the life of the other process.

    Args:
        parent: the process that asked.
    """
    # A program that ignores it passes that on.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGHUP), 0, 0, 0)
    if os.getppid() != parent:
        return
    # What anything else prints, such as a broken adapter, is not to end up within the answer.
    answering = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    task, arguments, named = pickle.load(sys.stdin.buffer)  # noqa: S301 - see `result_of`
    with open(answering, "wb") as answer:
        try:
            answer.write(pickle.dumps(_called(partial(task, *arguments, **named))))
        except Terminated as farewell:
            signal.signal(farewell.number, signal.SIG_DFL)
            os.kill(os.getpid(), farewell.number)


def _called(task: Callable[..., object]) -> tuple[object, HoldfastError | None]:
    """What the function gives, and the error that it raises instead."""
    try:
        with listening() as interrupts:
            return task(interrupts=interrupts), None
    except HoldfastError as error:
        return None, error
    except Exception:  # noqa: BLE001 - the one who asked is to see what it was
        return None, InternalError(
            "This is an error in holdfast itself, so there is no answer.",
            traceback.format_exc().rstrip(),
            "Please report it with the lines above.",
        )
