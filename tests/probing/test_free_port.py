"""A port that was chosen, and on which its server does not listen yet."""

from __future__ import annotations

import subprocess
import sys

_CHOOSES = "import random; from holdfast.probing.ports import free_port; random.seed(1); print(free_port(), flush=True)"


def test_two_processes_that_draw_the_same_number_get_two_ports() -> None:
    keeps = [sys.executable, "-c", f"{_CHOOSES}; input()"]
    with subprocess.Popen(keeps, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        kept = first.stdout.readline()
        beside = _chosen()
        first.communicate("\n")
    assert kept.strip().isdecimal()
    assert beside.strip().isdecimal()
    assert beside != kept


def _chosen() -> str:
    return subprocess.run([sys.executable, "-c", _CHOOSES], capture_output=True, text=True, check=True).stdout
