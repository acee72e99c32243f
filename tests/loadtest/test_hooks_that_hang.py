"""Hooks that do not return, or take their time: they are ended and named, and the server is not blamed for them."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
from support.commandline import holdfast_in
from support.waiting import PATIENCE_S
from travelling import answering

from holdfast.engine.stuck import MOST_S, Stuck
from holdfast.loadtest.hooks import hooks_of
from holdfast.loadtest.returning import NotReturnedError, Returning, place_in
from holdfast.model.answers import Answer, HookExtract
from holdfast.model.units import MS, NS_PER_S

ANSWERED, INCONCLUSIVE = 0, 3

HOOK = """\
import os, time

def sleeps(answer, values):
    if values["id"] == "3":
        time.sleep(3600)

def adds(answer, values):
    return {"sum": sum(range(10**15))}

def slow(answer, values):
    time.sleep(0.3)

def rather_slow(answer, values):
    time.sleep(0.06)

def starts(answer, values):
    if os.fork() == 0:
        os.close(1)
        os.close(2)
        time.sleep(3600)
        os._exit(0)

def says_all(answer, values):
    raise ValueError(answer.body)

def prints(answer, values):
    print("seen", answer.status)

print("loaded")
"""


@pytest.fixture
def holdfast(tmp_path):
    (tmp_path / "own.py").write_text(HOOK)
    with holdfast_in(tmp_path) as running:
        yield running


def ok(_method, _path, _fields, _body):
    return 200, {}, b""


def test_a_hook_that_does_not_return_ends_the_load_and_is_named_with_its_line(holdfast):
    with answering(ok) as (url, _):
        arguments = ("load", f"{url}/{{id}}", "--clients", "1", "--json", "-", "--hook")
        sleeping, adding = holdfast.run_together(
            [(*arguments, "own.py:sleeps", "--requests", "50"), (*arguments, "own.py:adds", "--requests", "8")]
        )

    result = json.loads(sleeping.out)
    assert sleeping.exit == adding.exit == INCONCLUSIVE
    assert any(
        "The load ended early: the hook sleeps did not return within 5 s. It was at own.py:5, in sleeps." in each
        for each in result["warnings"]
    ), result["warnings"]
    assert result["offered"] == 4
    # Nothing in Python interrupts a sum, so the process itself is ended.
    lost = json.loads(adding.out)
    assert any(
        "a hook did not return and could not be interrupted, at own.py:8, in adds" in each for each in lost["warnings"]
    ), lost["warnings"]
    assert lost["outcomes"]["failed"] == lost["offered"] == 1


def test_what_a_slow_hook_holds_up_times_out_no_request_and_is_said_to_be_the_hooks(holdfast):
    with answering(ok) as (url, _):
        hook = ("--hook", "own.py:slow", "--timeout", "250ms")
        ended = holdfast.run("load", f"{url}/", "--clients", "3", "--requests", "9", *hook, "--json", "-")

    result = json.loads(ended.out)
    assert ended.exit == INCONCLUSIVE
    assert result["outcomes"]["answered"] == 9
    said = " ".join(result["warnings"])
    assert re.search(r"Hooks took \d+% of the load's time, and 3\d\d ms at the longest \(slow of own.py\)\.", said), (
        said
    )
    assert "So much of the latencies is not the server's." in said
    assert "stood still" not in said


def test_a_slow_hook_is_the_limit_of_a_short_load_too(holdfast):
    hook = HookExtract(str(holdfast.directory / "own.py"), "rather_slow")
    hooks = hooks_of([hook])

    for _ in range(2):
        hooks.call(hook, Answer("http://127.0.0.1/", True, 200, "OK", "", b""), {})

    assert "So much of the latencies is not the server's." in (hooks.falls_short(200 * MS) or "")


def test_what_a_hook_prints_goes_to_standard_error(holdfast):
    with answering(ok) as (url, _):
        hook = ("--hook", "own.py:prints", "--quiet")
        ended = holdfast.run("load", f"{url}/", "--clients", "1", "--requests", "2", *hook, "--json", "-")

    assert ended.exit == ANSWERED, ended.err
    assert json.loads(ended.out)["offered"] == 2
    assert ended.err.splitlines() == ["loaded", "seen 200", "seen 200"]


def test_a_load_ends_although_what_a_hook_has_started_does_not(holdfast):
    with answering(ok) as (url, _):
        running = holdfast.start("load", f"{url}/", "--clients", "1", "--requests", "2", "--hook", "own.py:starts")
        ended = running.ended()
        for each in running.processes():
            os.kill(each, signal.SIGKILL)
        running.nothing_is_left(PATIENCE_S)

    assert ended.exit == ANSWERED, ended.err
    assert "2 requests" in ended.out


def test_of_what_a_hook_raises_only_the_beginning_is_kept(holdfast):
    with answering(lambda *_asked: (200, {}, b"x" * 1_000_000)) as (url, _):
        hook = ("--hook", "own.py:says_all", "--json", "-")
        ended = holdfast.run("load", f"{url}/", "--clients", "1", "--requests", "2", *hook)

    said = json.loads(ended.out)["warnings"]
    assert ended.exit == INCONCLUSIVE
    assert any("A hook raised for 2 of 2 answers, the first time at own.py:" in each for each in said)
    assert max(map(len, said)) < 500


def test_a_function_that_catches_all_errors_is_ended_too():
    def catches() -> None:
        while True:
            with contextlib.suppress(Exception):
                time.sleep(3600)

    with pytest.raises(NotReturnedError) as ended:
        Returning().call(catches, __file__, most_s=0.5)

    line = catches.__code__.co_firstlineno + 3
    assert str(ended.value) == f"{Path(__file__).name}:{line}, in catches"


def test_a_function_that_returns_is_not_ended_however_often_it_is_called():
    returning = Returning()
    began_s = time.monotonic()
    while time.monotonic() < began_s + 0.6:
        assert returning.call(lambda: 7, __file__, most_s=0.5) == 7


def test_where_a_process_was_is_read_from_what_faulthandler_writes(tmp_path):
    own, dump = tmp_path / "own.py", tmp_path / "dump"
    own.write_text("def inner(write):\n    write()\n\ndef outer(write):\n    inner(write)\n")
    names: dict[str, object] = {}
    exec(compile(own.read_text(), str(own), "exec"), names)

    with dump.open("w") as file:
        names["outer"](lambda: faulthandler.dump_traceback(file, all_threads=False))

    within = f"within <lambda> of {Path(__file__).name}"
    assert place_in(dump.read_text(), frozenset({str(own)})) == f"own.py:2, in inner, {within}"
    assert place_in(dump.read_text(), frozenset({"/other.py"})) == ""


def test_a_process_is_stuck_once_its_function_ran_long_enough_while_someone_looked():
    now_ns = 0
    since = [0, 0]
    stuck = Stuck(since, lambda: now_ns)

    def look(seconds: float) -> list[int]:
        nonlocal now_ns
        now_ns += round(seconds * NS_PER_S)
        return stuck.found()

    since[1] = 5
    looks = [look(0.1) for _ in range(200)]

    # One look to see it begin, three seconds of grace, and then once.
    assert looks.index([1]) == round((MOST_S + 3) * 10)
    assert sum(map(len, looks)) == 1
    since[1] = 6
    assert [look(3600) for _ in range(3)] == [[], [], []]
