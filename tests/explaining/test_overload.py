"""`explain.overload` on one real server of each kind: one that queues, one that turns away, and a person's own view."""

from __future__ import annotations

import threading

import pytest
from overloaded import least_backlog_s, overloaded
from support.waiting import until

from holdfast.errors import UsageError
from holdfast.explaining.overload import OverloadOptions, builtin_service_s
from holdfast.infer.overload import judge_overload
from holdfast.interrupts import Interrupts
from holdfast.model.places import Outcome

SLEEPS = """
import time
from flask import Flask
app = Flask(__name__)
ran = open("ran", "a", buffering=1)

@app.get("/")
def index():
    time.sleep(0.06)
    print("ran", file=ran, flush=True)
    return "slept"

@app.get("/health")
def health():
    return "well"
"""


def test_a_sync_worker_works_its_whole_queue_off_for_clients_that_have_left():
    # gunicorn/workers/sync.py: accept() whatever waits, one after another; nothing looks whether the client is still
    # there before the application is called. The rest waits in the listener's accept queue (listen(2)).
    record = overloaded("gunicorn", 2, "-w", "2")
    (raw,), (level,) = record.levels, judge_overload(record).levels

    assert level.why_not == ""
    assert level.clients.came == raw.planned == 32
    assert level.clients.timed_out + level.clients.unconnected == level.in_vain.left > 0
    assert level.in_vain.dropped == 0
    assert level.in_vain.begun > 0
    assert 0 < level.in_vain.share < 1
    assert level.most_in_service == 2
    # Those that have left are among them: the kernel hands out their connections as well.
    assert level.deepest_queue >= level.most_waiting - 2
    assert level.recovery.idle_s >= least_backlog_s(record, raw)
    assert level.recovery.usual_s >= level.recovery.idle_s - record.service_s
    # A check waits in the same queue.
    assert level.health.longest_s is None or level.health.longest_s > record.service_s


def test_a_limit_of_connections_turns_clients_away_at_once_and_health_checks_as_well():
    # uvicorn/protocols/http/httptools_impl.py, on_headers_complete(): from `limit_concurrency` connections on, this one
    # included, the application is service_unavailable(), which answers 503.
    record = overloaded("uvicorn", 3, "--limit-concurrency", "4")
    (raw,), (level,) = record.levels, judge_overload(record).levels

    assert level.why_not == ""
    assert level.clients.rejected > 0
    assert {each.status for each in raw.attempts if each.outcome is Outcome.REJECTED} == {503}
    assert level.clients.timed_out == level.clients.unconnected == 0
    assert level.in_vain.left == 0
    assert level.most_in_service <= 3
    assert level.health.rejected > 0
    assert level.health.answered + level.health.rejected == level.health.asked


def test_the_bodies_of_a_persons_own_views_are_run_as_often_as_clients_came(tmp_path):
    (tmp_path / "shop.py").write_text(SLEEPS)
    options = OverloadOptions(health_path="/health", level_s=0.5, factors=(0.5, 2.0), limit_s=0.2)
    record = overloaded("gunicorn", 2, "-w", "2", app="shop:app", cwd=tmp_path, service_s=None, options=options)
    half, twice = record.levels

    assert 0.06 <= record.took_s < record.usual_s
    assert (half.rate_per_s, twice.rate_per_s) == pytest.approx((1 / record.took_s, 4 / record.took_s))
    ran = (tmp_path / "ran").read_text()
    bodies = sum(bool(each.entered_ns) for level in record.levels for each in (*level.attempts, *level.singles))
    # The first request of all is watched, and its body runs only where no hook knows the framework.
    assert ran.count("ran\n") == bodies + len(record.alone)
    left = [each for each in twice.attempts if each.outcome is Outcome.UNANSWERED]
    assert any(each.entered_ns > each.done_ns for each in left)


def test_ctrl_c_keeps_what_was_measured():
    interrupts = Interrupts()
    levels = []

    def press():
        until(lambda: len(levels) > 1, "the second level began")
        interrupts.on_interrupt(2, None)

    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        record = overloaded_with(interrupts, levels.append)
    finally:
        levels += ["", ""]
        pressing.join()
    first, second, third = judge_overload(record).levels

    assert record.interrupted
    assert len(record.levels[0].attempts) == record.levels[0].planned
    assert not any("cut short" in each for each in first.doubts)
    assert second.why_not or "cut short" in second.doubts[0]
    assert "stopped" in third.why_not


def overloaded_with(interrupts, tell):
    """Three short levels on a server that has a place for one."""
    from holdfast.explaining.overload import run_overload
    from holdfast.model.experiment import Experiment, ProbeTarget

    experiment = Experiment(ProbeTarget("waitress", arguments=("--threads", "1")))
    options = OverloadOptions(level_s=0.4, factors=(0.5, 1.0, 2.0))
    return run_overload(experiment, 1, 0.05, interrupts, tell, options)


def test_a_rate_that_one_process_cannot_offer_is_not_tried():
    options = OverloadOptions(level_s=0.2, factors=(2.0,))
    record = overloaded("waitress", 100, service_s=0.05, options=options)
    (level,) = judge_overload(record).levels

    assert "4,000 requests a second, more than the load" in level.why_not
    assert level.clients is None
    assert record.levels[0].attempts == ()


@pytest.mark.parametrize(("ceiling", "service_s"), [(0, 0.1), (2, 0.0), (2, -1.0), (2, float("nan"))])
def test_what_gives_no_rate_is_refused(ceiling, service_s):
    with pytest.raises(UsageError, match=r"is (0|-1|nan)"):
        overloaded("waitress", ceiling, service_s=service_s)


def test_the_service_time_of_the_built_in_application_follows_from_what_a_small_machine_can_offer():
    assert builtin_service_s(2) == 0.05
    assert builtin_service_s(40) == 0.2
    assert builtin_service_s(5000) == 1.0
