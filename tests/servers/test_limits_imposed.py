"""Limits that are set on processes which run already."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest

from holdfast.errors import EnvironmentFailure
from holdfast.procfs import parse
from holdfast.procfs.read import read_as
from holdfast.servers.limits import asked_limits, impose_on

CAP_SYS_RESOURCE = 1 << 24
MIB = 1 << 20
RESTS = "print(flush=True); input()"
LIMITED = f"import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (200, 200)); {RESTS}"
OTHER_USER = 65532
AS_ANOTHER_USER = f"import os; os.setgroups([]); os.setgid({OTHER_USER}); os.setuid({OTHER_USER}); {RESTS}"


def is_exempt() -> bool:
    """Whether we may raise hard limits."""
    status = read_as(parse.process_status, "/proc/self/status")
    return status is None or bool(status.capabilities & CAP_SYS_RESOURCE)


@pytest.fixture
def resting(request: pytest.FixtureRequest) -> Iterator[int]:
    """The pid of a process that runs this program and waits."""
    command = [sys.executable, "-c", request.param]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            process.stdout.readline()
            yield process.pid
        finally:
            process.kill()


@pytest.mark.parametrize("resting", [LIMITED], indirect=True)
def test_limits_of_a_running_process_are_lowered_for_good(resting):
    impose_on([resting], asked_limits(nofile=100, nproc=300, address_space=700 * MIB))

    assert resource.prlimit(resting, resource.RLIMIT_NOFILE) == (100, 100)
    assert resource.prlimit(resting, resource.RLIMIT_NPROC) == (300, 300)
    assert resource.prlimit(resting, resource.RLIMIT_AS) == (700 * MIB, 700 * MIB)


@pytest.mark.parametrize("resting", [AS_ANOTHER_USER], indirect=True)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root has processes of other users")
def test_root_sets_limits_of_a_process_that_has_become_another_user(resting):
    before = os.getresuid(), os.getresgid()

    impose_on([resting], asked_limits(nofile=100))

    assert (os.getresuid(), os.getresgid()) == before
    with open(f"/proc/{resting}/limits", "rb") as file:
        assert parse.soft_limit(file.read(), b"Max open files") == 100


@pytest.mark.parametrize("resting", [LIMITED], indirect=True)
@pytest.mark.skipif(is_exempt(), reason="CAP_SYS_RESOURCE may raise every limit (getrlimit(2))")
def test_a_hard_limit_that_may_not_be_raised_is_told_with_how_to_allow_it(resting):
    with pytest.raises(EnvironmentFailure) as failure:
        impose_on([resting], asked_limits(nofile=4096))

    error = failure.value
    assert error.what == "The limit nofile of the running server could not be set to 4096."
    assert f"process {resting}" in error.why
    assert "is 200" in error.why
    for way in ("ulimit -Hn 4096", "LimitNOFILE=4096", "docker run --ulimit nofile=4096", "limits.conf"):
        assert way in error.remedy
    assert resource.prlimit(resting, resource.RLIMIT_NOFILE) == (200, 200)


@pytest.mark.parametrize("resting", [LIMITED], indirect=True)
def test_a_process_that_has_ended_is_passed_over(resting):
    ended = subprocess.Popen([sys.executable, "-S", "-c", "pass"])
    ended.wait()

    impose_on([ended.pid, resting], asked_limits(nofile=100))

    assert resource.prlimit(resting, resource.RLIMIT_NOFILE) == (100, 100)
