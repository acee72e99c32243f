"""Real servers under limits of the environment: those that they start under, set themselves, or get while they run.

Sources: CPython 3.11, socketserver.py (ThreadingMixIn.process_request: a thread for each connection, whose failure to
start closes the connection); getrlimit(2); gunicorn 27, config.py (WEB_CONCURRENCY sets `workers`) and gthread.py
(TConn.wait_for_data: a selector, which takes a descriptor, for each request that is read).
"""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path

import pytest

from holdfast.errors import EnvironmentFailure, HoldfastError
from holdfast.infer.judge import judge
from holdfast.infer.pressure import limits_met
from holdfast.interrupts import listening
from holdfast.model.experiment import Experiment, ProbeTarget, experiment_of
from holdfast.model.limits import Pressure
from holdfast.model.verdict import Verdict
from holdfast.probing.experiment import run
from holdfast.probing.ports import free_port
from holdfast.procfs import parse
from holdfast.procfs.read import read_as

MIB = 1 << 20
STACK = 8 * MIB
APP = """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "hello"
"""
SCRIPTS = Path(sys.executable).parent
GUNICORN = f"exec {SCRIPTS}/gunicorn -k gthread --threads 300 -b 127.0.0.1:{{}} app:app"


def may_raise_hard_limits() -> bool:
    status = read_as(parse.process_status, "/proc/self/status")
    return status is None or bool(status.capabilities & 1 << 24)


def verdict_of(experiment: Experiment) -> Verdict:
    with listening() as interrupts:
        return judge(run(experiment, interrupts))


def of_shell(directory: Path, script: str, **options: object) -> Verdict:
    """The verdict on gunicorn, started by a shell that does something before."""
    (directory / "app.py").write_text(APP)
    command = ("sh", "-c", f"{script}{GUNICORN.format(free_port())}")
    return verdict_of(experiment_of(command=command, cwd=str(directory), max_offered=200, **options))


def used(verdict: Verdict, name: str) -> Pressure:
    return next(each for each in verdict.pressure or () if each.name == name)


def flask(directory: Path, **options: object) -> Verdict:
    return verdict_of(Experiment(ProbeTarget("flask"), max_offered=400, cwd=str(directory), **options))  # type: ignore[arg-type]


# Where 56 threads of Python 3.14 had just ended together, glibc 2.43 kept so much of their stacks that only 24 could be
# started (measured, without holdfast); glibc 2.36 gave it back. The verdict says then that places do not come back.
LIBRARY, LIBRARY_VERSION = platform.libc_ver()
KEEPS_STACKS = LIBRARY == "glibc" and tuple(map(int, LIBRARY_VERSION.split("."))) >= (2, 43)


@pytest.mark.skipif(KEEPS_STACKS, reason="this C library keeps the address space of threads that have ended")
def test_an_address_space_that_takes_no_thread_more_closes_the_next_connection(tmp_path: Path) -> None:
    # Without arenas of their own threads take no more than a stack each (mallopt(3), M_ARENA_MAX).
    seen = flask(tmp_path, address_space=512 * MIB, environment=(("MALLOC_ARENA_MAX", "1"),))

    assert seen.limits.address_space == 512 * MIB
    assert seen.ceiling.bounded
    assert seen.overflow.client_sees == "closed"
    assert "address space" in limits_met(seen.pressure)
    space = used(seen, "address space")
    assert space.at_rest is not None
    # The stack, and a page that guards it.
    most = (512 * MIB - space.at_rest) // STACK
    assert most - 2 <= (seen.ceiling.in_service or 0) <= most


def test_a_server_that_its_memory_keeps_from_starting_is_told_with_that_limit(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure) as failure:
        flask(tmp_path, address_space=24 * MIB)

    assert failure.value.what == "The server ended at its start."
    # Python's words, the C library's (ENOMEM), or Python's where it has no memory for its exception either
    # (Python/ceval.c, at the label error; Objects/call.c, `_Py_CheckFunctionResult`), by where it runs out.
    unset = "error return without exception set|returned NULL without setting an exception"
    words = f"MemoryError|Cannot allocate memory|SystemError: .*(?:{unset})"
    assert re.search(words, failure.value.why)
    assert failure.value.remedy.endswith("or raise --address-space 24M.")


def test_a_limit_that_a_command_sets_itself_is_in_force_and_told(tmp_path: Path) -> None:
    seen = of_shell(tmp_path, "ulimit -n 64; ", nofile=128)

    assert seen.limits.nofile == 64
    assert (used(seen, "nofile").limit, used(seen, "nofile").hit) == (64, True)
    told = next(each for each in seen.warnings if each.startswith("nofile 128 was asked for"))
    assert "64 is in force" in told
    assert "(gunicorn)" in told


def test_descriptors_that_a_server_still_has_after_its_replies_are_waited_for(tmp_path: Path) -> None:
    # One for each request (socketserver.py, ThreadingMixIn); the threads that have replied give theirs back later.
    server = (sys.executable, str(Path(__file__).with_name("slow_to_close.py")), str(free_port()), "0.15", "1.7")

    seen = verdict_of(experiment_of(command=server, cwd=str(tmp_path), max_offered=100, nofile=32)).ceiling

    assert seen.bounded
    assert seen.at_exact_load == (seen.in_service, seen.in_service)


def test_places_that_kept_descriptors_take_are_none_that_stay_empty(tmp_path: Path) -> None:
    # The ramp's requests alone are so many; of 28 places, exact load finds 24 then, and 28 when it is offered again.
    server = (sys.executable, str(Path(__file__).with_name("keeps_descriptors.py")), str(free_port()), "20", "4")

    seen = verdict_of(experiment_of(command=server, cwd=str(tmp_path), max_offered=100, nofile=32)).ceiling

    assert seen.bounded
    assert seen.at_exact_load == (seen.in_service, seen.in_service)


def test_a_process_that_seldom_accepts_is_asked_until_it_has_no_place_left(tmp_path: Path) -> None:
    # Two processes of two places each; 48 requests are turned away before the second process takes another one.
    server = (sys.executable, str(Path(__file__).with_name("seldom_accepts.py")), str(free_port()), "50")

    seen = verdict_of(experiment_of(command=server, cwd=str(tmp_path), max_offered=600))

    assert (seen.ceiling.in_service, seen.ceiling.bounded) == (4, True)
    assert seen.overflow is not None
    assert seen.overflow.client_sees == "503"


@pytest.mark.servers
def test_a_soft_limit_that_a_command_sets_itself_is_varied_once_it_runs(tmp_path: Path) -> None:
    own = of_shell(tmp_path, "ulimit -Sn 64; ")
    raised = of_shell(tmp_path, "ulimit -Sn 64; ", nofile=96, limits_after_start=True)

    assert (own.limits.nofile, raised.limits.nofile) == (64, 96)
    # One descriptor for each request.
    assert (raised.ceiling.in_service or 0) - (own.ceiling.in_service or 0) == 96 - 64
    assert not any("was asked for" in each for each in raised.warnings)


@pytest.mark.skipif(may_raise_hard_limits(), reason="CAP_SYS_RESOURCE may raise every limit (getrlimit(2))")
@pytest.mark.servers
def test_a_hard_limit_that_a_command_sets_itself_is_told_with_how_to_raise_it(tmp_path: Path) -> None:
    with pytest.raises(HoldfastError) as failure:
        of_shell(tmp_path, "ulimit -n 64; ", nofile=128, limits_after_start=True)

    assert failure.value.what == "The limit nofile of the running server could not be set to 128."
    assert "LimitNOFILE=128" in failure.value.remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="other processes of this user count too")
@pytest.mark.servers
def test_a_worker_that_ends_for_want_of_threads_is_not_said_to_be_replaced_after_a_number_of_requests(
    tmp_path: Path,
) -> None:
    seen = of_shell(tmp_path, "", nproc=40)

    # The limit counts the main threads of both processes, and one of the master's that its control socket has.
    assert (seen.limits.nproc, used(seen, "nproc").used) == (40, 40)
    assert 36 <= (seen.ceiling.in_service or 0) <= 38
    assert any("met a limit (nproc)" in each for each in seen.warnings)


@pytest.mark.servers
def test_a_variable_of_the_experiment_reaches_either_kind_of_server(tmp_path: Path) -> None:
    variables = (("WEB_CONCURRENCY", "3"), ("PYTHONPATH", "/nowhere"), ("HOLDFAST_RECORD", "/nowhere"))
    own = of_shell(tmp_path, "test $PYTHONUNBUFFERED = 7 && ", environment=(*variables, ("PYTHONUNBUFFERED", "7")))
    known = verdict_of(Experiment(ProbeTarget("gunicorn"), max_offered=60, cwd=str(tmp_path), environment=variables))

    assert (own.model.processes, known.model.processes) == (3, 3)


@pytest.mark.parametrize("name", ["", "A=B", "A\0"])
def test_a_variable_that_cannot_be_set_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(HoldfastError, match="cannot be set as an environment variable"):
        flask(tmp_path, environment=((name, "1"),))
