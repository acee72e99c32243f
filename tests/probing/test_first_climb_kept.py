"""What is kept of a run whose second climb came to nothing: what was seen at the plateau of the first."""

from __future__ import annotations

from typing import Any

from holdfast.model.samples import Usage
from holdfast.model.timeline import Snapshot
from holdfast.probing.first_climb import Climbed, keep_the_first_climb
from holdfast.probing.measured import Measured

NOT_ASKED: Any = None


def usage(at_ns):
    return Usage(at_ns, processes=4, threads=4, descriptors=40, memory_bytes=1 << 20, cpu_s=0.1)


def test_no_look_at_what_several_processes_use_is_kept_of_the_second_climb():
    at_first = (usage(1), usage(2), usage(3))
    placed = Snapshot(began_ns=3, ended_ns=4, sockets=(), listeners=(), still=True)
    climbed = Climbed((), placed, plateau_ns=2, first_sent_ns=1, released_ns=5, usage=at_first)
    seen = Measured(NOT_ASKED, NOT_ASKED, started_ns=0)
    # At rest after exact load, and when the server had ended what it held.
    seen.usage_again = (usage(6), usage(8))

    keep_the_first_climb(seen, climbed)

    assert (seen.placed, tuple(seen.usage), seen.usage_again) == (placed, at_first, ())
