"""A limit inside an application that grows by itself is counted when it has its size, and what was watched is told."""

from __future__ import annotations

from dataclasses import replace

import growing_applications as applications
import pytest
from own_commands import ANSWERED, Own, run_all

UVICORN = ("uvicorn", "--port", "{port}", "shop:app")
GUNICORN = ("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "12", "shop:app")
GEVENT = ("gunicorn", "-b", "127.0.0.1:{port}", "-k", "gevent", "shop:app")
OFFERED = 30
WATCHED = "where something wakes up by itself"


def own(name: str, source: str, command: tuple[str, ...] = UVICORN) -> Own:
    return Own(name, command, {"shop.py": source}, options=("--max-offered", str(OFFERED)))


GROWS = (own("task", applications.TASK), own("thread", applications.THREAD, GUNICORN))
ALSO_GROWS = (
    own("slow task", applications.SLOW_TASK),
    own("call_later on uvloop", applications.LATER),
    own("call_later on asyncio", applications.LATER, (*UVICORN, "--loop", "asyncio")),
    own("tokens of AnyIO", applications.TOKENS),
    replace(
        own("limiter of a library", applications.LIMITER),
        files={"shop.py": applications.LIMITER, "site-packages/limiter.py": applications.LIMITER_LIBRARY},
    ),
    own("request that waits for a time", applications.PATIENT),
    own("threading.Timer", applications.TIMER, GUNICORN),
    own("timers that release", applications.TIMERS, GUNICORN),
    own(
        "greenlet",
        applications.THREAD.replace("threading.Thread(target=grow, daemon=True).start()", "gevent.spawn(grow)").replace(
            "import threading", "import gevent, threading"
        ),
        GEVENT,
    ),
)


def check_grown(workshop, grows):
    for name, done in run_all(workshop, grows).items():
        verdict = done.verdict()
        assert done.ended.exit == ANSWERED
        ceiling, places = verdict["ceiling"], verdict["places"]
        # The application's own MOST.
        assert (name, ceiling["in_service"], ceiling["bounded"]) == (name, applications.MOST, True)
        assert places["before_view"] > 0


def test_a_limit_that_a_task_or_a_thread_of_the_application_raises_is_counted_when_it_has_its_size(workshop):
    check_grown(workshop, GROWS)


@pytest.mark.servers
def test_so_is_one_that_a_timer_a_greenlet_or_a_request_itself_raises(workshop):
    check_grown(workshop, ALSO_GROWS)


def test_a_limit_that_stays_is_a_bound_and_is_watched_for_longer_only_where_something_may_raise_it(workshop):
    fixed, consumer = own("fixed", applications.FIXED), own("consumer", applications.WITH_A_CONSUMER)
    beside, timer = own("beside", applications.WITH_SOMETHING_ELSE), own("timer", applications.WITH_A_TIMER)

    done = run_all(workshop, (fixed, consumer, beside, timer))

    for each in done.values():
        ceiling = each.verdict()["ceiling"]
        assert (ceiling["in_service"], ceiling["bounded"]) == (applications.FIRST, True)
    for name in ("fixed", "consumer"):
        assert WATCHED not in " ".join(done[name].verdict()["warnings"])
    for name in ("beside", "timer"):
        (told,) = [each for each in done[name].verdict()["warnings"] if WATCHED in each]
        assert "sweep in shop.py:" in told
        # LOOK_NS of probing/background.py
        assert "In the last 2.5 s none was added." in told


def test_a_view_in_a_task_of_its_own_wakes_up_to_look_if_it_may_go_and_adds_no_place(workshop):
    files = {"shop.py": applications.IN_A_TASK, "tasks.py": applications.TASKS}

    (done,) = run_all(workshop, (replace(own("in a task", ""), files=files),)).values()

    verdict = done.verdict()
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (1, True)
    assert WATCHED not in " ".join(verdict["warnings"])
