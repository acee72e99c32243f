"""Our own side runs short: never the server's limit, and never a verdict."""

from __future__ import annotations

import os
import subprocess

import pytest
from support.commandline import PROGRAM

ANSWERED, INCONCLUSIVE, ENVIRONMENT = 0, 3, 4


def limited(*limits: str) -> list[str]:
    return ["prlimit", *limits, *PROGRAM]


@pytest.mark.parametrize("nofile", [64, 256])
def test_too_few_descriptors_of_ours_are_no_limit_of_the_server(holdfast, nofile):
    ended = holdfast.run("probe", "--json", "-", program=limited(f"--nofile={nofile}"))

    assert ended.exit == INCONCLUSIVE, ended.out
    assert ended.what.startswith("holdfast: The load side was the limit after ")
    assert "RLIMIT_NOFILE of holdfast's own process" in ended.err
    assert "--max-offered" in ended.err
    assert "ulimit -n" in ended.err
    assert not ended.out


def test_what_our_descriptors_suffice_for_is_answered(holdfast):
    arguments = ["--server", "uwsgi", "--max-offered", "20", "--", "--threads", "4"]

    assert holdfast.run("probe", *arguments, program=limited("--nofile=64")).exit == ANSWERED


def test_a_raised_limit_of_the_server_alone_is_its_own(holdfast):
    ended = holdfast.run("probe", "--nofile", "20", program=limited("--nofile=256"))

    assert ended.exit == ANSWERED, ended.err


@pytest.mark.parametrize("nofile", [8, 12])
def test_hardly_any_descriptors_end_in_words_too(holdfast, nofile):
    ended = holdfast.run("probe", program=limited(f"--nofile={nofile}"))

    assert ended.exit in {INCONCLUSIVE, ENVIRONMENT}
    assert "Traceback" not in ended.err, nofile
    assert "Raise the limit" in ended.err or "raise the limit" in ended.err


def test_no_process_to_be_had_ends_in_words_too(holdfast):
    program = ["setpriv", "--reuid", "61123", "--clear-groups", "--inh-caps", "+dac_override", "--ambient-caps"]
    program += ["+dac_override", "prlimit", "--nproc=1", *PROGRAM]
    if subprocess.run([*program, "--version"], capture_output=True, check=False).returncode:
        pytest.skip("only root can become a user who has no process yet")
    os.chmod(holdfast.temporary, 0o777)

    ended = holdfast.run("probe", "--python", PROGRAM[0], program=program)

    assert ended.exit == ENVIRONMENT
    assert "Traceback" not in ended.err
