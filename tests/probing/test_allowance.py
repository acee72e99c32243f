"""A limit of which only the time counts in which the server was free to run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from slow_ways import BEFORE_REQUEST

from holdfast.interrupts import listening
from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.model.units import MS, NS_PER_S
from holdfast.observe.processes import read_descendants
from holdfast.probing import allowance, exact_load
from holdfast.probing.allowance import spent_ns
from holdfast.probing.experiment import run

FORKS = 9  # werkzeug's `processes`; with one less, exact load comes before the queue has been filled
SPINS = "import os\nos.sched_setaffinity(0, {%d})\nwhile True: pass"


@pytest.mark.parametrize(
    ("free_s", "spent_s"),
    [
        pytest.param(None, 8, id="all of it where that is not known"),
        pytest.param(8, 8, id="all of it on a quiet machine"),
        pytest.param(5, 5, id="the time with a core"),
        pytest.param(0, 2, id="a quarter of it at least, so that it ends"),
        pytest.param(9, 8, id="never more than there was"),
    ],
)
def test_of_eight_seconds_the_server_has_used_up(free_s, spent_s):
    free_ns = None if free_s is None else free_s * NS_PER_S

    assert spent_ns(8 * NS_PER_S, free_ns) == spent_s * NS_PER_S


@contextmanager
def hindered(roots: tuple[int, ...]) -> Iterator[None]:
    """Lets these processes and all that they start share one core with one that never rests."""
    core = min(os.sched_getaffinity(0))
    spinning = subprocess.Popen([sys.executable, "-c", SPINS % core])
    try:
        for pid in read_descendants(*roots):
            with suppress(ProcessLookupError):  # a fork that has ended meanwhile
                os.sched_setaffinity(pid, {core})
        yield
    finally:
        spinning.kill()
        spinning.wait()


def test_exact_load_waits_for_a_server_that_other_programs_keep_from_running(tmp_path: Path, monkeypatch):
    offer = exact_load.offer_exact_load
    worked_off = exact_load._worked_off

    def offered(session, *rest):
        def hindered_once(*given, **named):
            monkeypatch.setattr(exact_load, "_worked_off", worked_off)
            with hindered(session.server.roots()):
                return worked_off(*given, **named)

        monkeypatch.setattr(exact_load, "_worked_off", hindered_once)
        return offer(session, *rest)

    monkeypatch.setattr(exact_load, "offer_exact_load", offered)
    monkeypatch.setattr(exact_load, "why_not_offered", lambda _session, _held: "")  # however slow this machine is
    # Some eighty forks are left, which take half a second of a core, and so a second of this one.
    monkeypatch.setattr(exact_load, "_WORKED_OFF_S", 0.5)
    monkeypatch.setattr(allowance, "STARVED", 20)
    target = ProbeTarget("flask", framework="flask", arguments=("--processes", str(FORKS)))
    with listening() as interrupts:
        timeline = run(Experiment(target, view="sync", cwd=str(tmp_path)), interrupts)

    assert timeline.exact is not None
    assert timeline.exact.why_not == ""
    assert len(timeline.exact.repeats) > 0


@pytest.mark.parametrize(
    ("runs", "offered"),
    [pytest.param(1, False, id="it always had a core"), pytest.param(0.5, True, id="half of the time")],
)
def test_time_without_a_core_does_not_make_places_too_slow_for_exact_load(tmp_path: Path, monkeypatch, runs, offered):
    seen: list[int] = []

    def usual_gap_ns(held):
        seen.append(len(held))
        return 400 * MS // len(held)  # so that all of them take 0.4 s to fill; 0.25 s is the limit

    monkeypatch.setattr(exact_load, "_usual_gap_ns", usual_gap_ns)
    monkeypatch.setattr(exact_load, "share_with_a_core", lambda _uses: runs)
    target = ProbeTarget("waitress", framework="flask", arguments=("--threads", "3"))
    with listening() as interrupts:
        timeline = run(Experiment(target, max_offered=60, view="sync", cwd=str(tmp_path)), interrupts)

    assert timeline.exact is not None
    assert seen
    assert bool(timeline.exact.repeats) is offered
    assert timeline.exact.why_not == ("" if offered else "not tried where 3 places take about 0.4 s to fill")


def test_a_way_to_the_view_is_told_to_be_as_long_as_it_was(tmp_path: Path, monkeypatch):
    (tmp_path / "slow.py").write_text(BEFORE_REQUEST.format(way_s=1.1))
    monkeypatch.setattr(exact_load, "share_with_a_core", lambda _uses: 0.5)
    target = ProbeTarget("waitress", app="slow:app", arguments=("--threads", "3"))
    with listening() as interrupts:
        timeline = run(Experiment(target, max_offered=10, view="sync", cwd=str(tmp_path)), interrupts)

    assert timeline.exact is not None
    told = re.fullmatch("not tried where a request takes about (.*) s to its view", timeline.exact.why_not)
    assert told is not None
    # The application sleeps for 1.1 s, whatever it got of the cores.
    assert float(told[1]) >= 1.1
