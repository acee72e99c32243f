"""How many more handlers the descriptors of the server's processes allow, while the ramp climbs."""

from __future__ import annotations

import os
import subprocess
from types import SimpleNamespace
from typing import Any

from holdfast.probing.ramp_view import Room


def test_a_process_that_has_ended_does_not_make_the_climb_one_by_one() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as worker:
        experiment = SimpleNamespace(nproc=None, address_space=None)
        session: Any = SimpleNamespace(accepting=(os.getpid(), worker.pid), experiment=experiment)
        room = Room(session)
    kept = [os.open(os.devnull, os.O_RDONLY) for _ in range(4)]

    try:
        room.look(40)
    finally:
        for each in kept:
            os.close(each)

    assert room.fits != 0
    assert not room.is_roomy(40)
