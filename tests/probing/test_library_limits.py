"""Limits of libraries are set inside the server's processes, and said back as they are in force."""

from __future__ import annotations

import pytest
import waiting_applications as applications

from holdfast.infer.judge import judge
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.model.waiting import Library
from holdfast.probing.experiment import run

OFFERED = 40
QUART = """
from quart import Quart

app = Quart(__name__)

@app.get("/")
def index():
    return "done"
"""


def probed(directory, source, *arguments, server="uvicorn", path="/", limits=(), **options):
    (directory / "shop.py").write_text(source)
    target = ProbeTarget(server, app="shop.py", arguments=arguments)
    given = Experiment(target, path, cwd=str(directory), library_limits=limits, **{"max_offered": OFFERED, **options})
    return judge(run(given, Interrupts()))


def test_the_tokens_of_anyio_are_set_over_what_the_application_has_set_itself(tmp_path):
    verdict = probed(tmp_path, applications.FASTAPI, path="/def", limits=(("AnyIO tokens", 10),))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (10, True)
    assert verdict.libraries == (Library("AnyIO tokens", 10, in_use=10, processes=1),)


@pytest.mark.servers
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_each_process_has_the_limit_on_any_loop(tmp_path, loop):
    # So many that neither worker goes without, whichever of them accepts first.
    asked = {"path": "/def", "limits": (("AnyIO tokens", 4),), "max_offered": 5 * OFFERED}
    verdict = probed(tmp_path, applications.FASTAPI, "--workers", "2", "--loop", loop, **asked)

    assert verdict.ceiling.in_service == 8
    assert verdict.libraries == (Library("AnyIO tokens", 4, in_use=8, processes=2),)


@pytest.mark.servers
def test_what_the_application_has_set_is_said_back(tmp_path):
    verdict = probed(tmp_path, applications.FASTAPI, path="/def")

    assert verdict.ceiling.in_service == 30
    assert verdict.libraries == (Library("AnyIO tokens", 30, in_use=30, processes=1),)


@pytest.mark.servers
def test_the_default_executor_of_a_loop_gets_as_many_threads_as_asked(tmp_path):
    # Quart runs a `def` view by `loop.run_in_executor(None, ...)` (quart/utils.py, run_sync).
    verdict = probed(tmp_path, QUART, server="hypercorn", limits=(("default executor", 3),))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (3, True)
    assert Library("default executor", 3, in_use=3, processes=1) in (verdict.libraries or ())
    assert [each.waits_in for each in verdict.waiting or ()] == ["concurrent.futures.thread.ThreadPoolExecutor.submit"]


@pytest.mark.servers
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_view_that_sends_work_to_the_executor_shows_it_while_bodies_run(tmp_path, loop):
    options = {"call": True, "max_called": 12, "limits": (("default executor", 2),)}
    verdict = probed(tmp_path, applications.FASTAPI, "--loop", loop, path="/executor", **options)

    (seen,) = verdict.waiting or ()
    assert verdict.call is not None
    assert (verdict.call.running, seen.requests, seen.function) == (2, 10, "in_the_executor")
    assert Library("default executor", 2, in_use=2, processes=1) in (verdict.libraries or ())


@pytest.mark.servers
def test_the_one_thread_of_asgiref_is_said_back_where_bodies_wait_for_it(tmp_path):
    # asgiref/sync.py, SyncToAsync: single_thread_executor = ThreadPoolExecutor(max_workers=1), by default for all.
    verdict = probed(tmp_path, applications.FASTAPI, path="/sensitive", call=True, max_called=12)

    (seen,) = verdict.waiting or ()
    assert verdict.call is not None
    assert (verdict.call.running, seen.function) == (1, "in_the_one_thread")
    assert Library("asgiref thread", 1, in_use=1, processes=1) in (verdict.libraries or ())


@pytest.mark.servers
def test_where_no_loop_serves_the_requests_no_limit_is_claimed(tmp_path):
    verdict = probed(tmp_path, applications.FLASK, server="flask", path="/lock", limits=(("AnyIO tokens", 3),))

    assert verdict.libraries is None
    assert verdict.unknown["libraries"].startswith("no event loop served the requests")
