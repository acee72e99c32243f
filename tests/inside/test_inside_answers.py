"""Questions to a process that holds requests, and what it answers, through the shared file."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import weakref

import pytest
from support.waiting import until

from holdfast.inside.holdfast_inside import calling, layout, recorder, request, showing, stacks
from holdfast.model.phase import Phase
from holdfast.observe.record_reader import Recording

SLOTS = 2000
reads_other_threads = pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="without the GIL no frame of another thread is read"
)
LONGEST_WAIT_S = 20


@pytest.fixture
def recording(tmp_path, monkeypatch):
    with Recording.create(tmp_path / "record", SLOTS, look_ns=1_000_000) as created:
        monkeypatch.setenv(layout.RECORD_VARIABLE, str(created.path))
        monkeypatch.setattr(recorder, "_record", None)
        # A server's process has one record, and this one several.
        monkeypatch.setattr(showing, "_asked", {})
        yield created


def ask(recording, *pids, phase=Phase.RAMP):
    recording.questions.ask(pids, phase)
    return recording.questions


def waits_at_lock(lock, environ):
    with lock:
        return environ


def waiting(lock, ids):
    """Threads of requests with these ids that are to wait at a lock."""
    environs = [{request.KEY: request.RequestClaim(id, (0, 0, False))} for id in ids]
    return [threading.Thread(target=waits_at_lock, args=(lock, each)) for each in environs]


def points_once(recording, waits):
    """What is answered as soon as that many requests wait for their turn."""
    patience = threading.Event()
    for _ in range(LONGEST_WAIT_S * 100):
        questions = ask(recording, os.getpid())
        showing.answer(recorder.record())
        points = questions.answers()[os.getpid()].points
        if sum(each.requests for each in points if each.waits) == waits:
            return points
        patience.wait(0.01)
    raise AssertionError(f"not {waits} waited within {LONGEST_WAIT_S} s")


def test_only_the_processes_that_are_asked_answer(recording):
    questions = ask(recording, os.getpid() + 1)
    showing.answer(recorder.record())

    assert questions.answers() == {}


def test_an_answer_belongs_to_its_question_alone(recording):
    questions = ask(recording, os.getpid())
    showing.answer(recorder.record())
    answered = set(questions.answers())
    ask(recording, os.getpid())
    unanswered = set(questions.answers())
    showing.answer(recorder.record())

    assert (answered, unanswered, set(questions.answers())) == ({os.getpid()}, set(), {os.getpid()})


def test_a_held_request_answers_while_it_is_held(recording):
    recorder.enter(0, "a view", "sync", "view", (1, 1, False))
    holder = threading.Thread(target=recorder.hold_sync, args=(0,))
    holder.start()
    try:
        questions = ask(recording, os.getpid())
        until(questions.answers, "an answer")
        answered = questions.answers()
    finally:
        recording.release(0)
        holder.join()

    assert set(answered) == {os.getpid()}
    assert not answered[os.getpid()].failed


@reads_other_threads
def test_requests_that_have_entered_their_view_wait_before_none(recording):
    lock = threading.Lock()
    lock.acquire()
    threads = waiting(lock, [0, 1, 2])
    for each in threads:
        each.start()
    try:
        recorder.record()
        recorder.enter(1, "a view", "sync", "view", (1, 1, False))
        (point,) = points_once(recording, waits=2)
    finally:
        lock.release()
        for each in threads:
            each.join()

    assert (point.requests, point.function, point.library) == (2, "waits_at_lock", "threading.Lock")
    assert (point.file, point.pid, point.phase) == (__file__, os.getpid(), Phase.RAMP)
    assert point.line == waits_at_lock.__code__.co_firstlineno + 1


@reads_other_threads
def test_a_question_for_limits_alone_looks_at_no_stack(recording):
    lock = threading.Lock()
    lock.acquire()
    (thread,) = waiting(lock, [0])
    thread.start()
    try:
        points_once(recording, waits=1)
        recording.questions.ask([os.getpid()], Phase.RAMP, stacks=False)
        showing.answer(recorder.record())
        answer = recording.questions.answers()[os.getpid()]
    finally:
        lock.release()
        thread.join()

    assert answer.points == ()


class Executor:
    """Something that a request holds, and that ends with it."""


@reads_other_threads
def test_an_answer_keeps_nothing_of_a_request_alive_until_the_collector_comes(recording):
    # As a view's own executor, whose thread ends with it (asgiref's `AsyncToSync`).
    lock, alive = threading.Lock(), []

    def request_with_an_executor(environ):
        executor = Executor()
        alive.append(weakref.ref(executor))
        with lock:
            return environ, executor

    environ = {request.KEY: request.RequestClaim(1, (0, 0, False))}
    thread = threading.Thread(target=request_with_an_executor, args=(environ,))
    gc.disable()
    try:
        with lock:
            thread.start()
            points_once(recording, 1)
        thread.join()
        assert [each() for each in alive] == [None]
    finally:
        gc.enable()


def waits_for_another(other, environ):
    other.join()
    return environ


@reads_other_threads
def test_one_that_waits_for_a_thread_of_its_own_does_not_wait_for_its_turn(recording):
    ends = threading.Event()
    other = threading.Thread(target=ends.wait)
    environ = {request.KEY: request.RequestClaim(0, (0, 0, False))}
    thread = threading.Thread(target=waits_for_another, args=(other, environ))
    other.start()
    thread.start()
    try:
        until(lambda: "join" in frames_of(thread), "a thread that waits for another")
        (point,) = points_once(recording, waits=0)
    finally:
        ends.set()
        thread.join()

    assert (point.function, point.waits) == ("waits_for_another", False)


def frames_of(thread):
    """The names of the functions in which a thread is."""
    frame, names = sys._current_frames().get(thread.ident), []
    while frame is not None:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names


@reads_other_threads
def test_one_that_was_woken_and_only_needs_the_lock_again_does_not_wait_for_its_turn(recording):
    condition = threading.Condition()

    def waits_to_be_woken(environ):
        with condition:
            condition.wait()
        return environ

    environ = {request.KEY: request.RequestClaim(0, (0, 0, False))}
    thread = threading.Thread(target=waits_to_be_woken, args=(environ,))
    thread.start()
    try:
        points_once(recording, waits=1)
        with condition:
            condition.notify()
            until(sys._current_frames()[thread.ident].f_locals["waiter"].locked, "one that was woken")
            # It has the lock with which it was woken again, and not yet that of the condition.
            (point,) = points_once(recording, waits=0)
    finally:
        with condition:
            condition.notify()
        thread.join()

    assert point.function.endswith("waits_to_be_woken")


@reads_other_threads
@pytest.mark.parametrize("made_by", ["asyncio", "uvloop"])
def test_bodies_are_at_rest_only_while_their_loop_has_nothing_left_to_do(recording, monkeypatch, made_by):
    new_event_loop = pytest.importorskip(made_by).new_event_loop
    monkeypatch.setattr(calling, "bodies", {0})

    async def body(scope, future):
        await future
        return scope

    def at_rest():
        questions = ask(recording, os.getpid(), phase=Phase.CALLED_TOGETHER)
        showing.answer(recorder.record())
        return questions.answers()[os.getpid()].at_rest

    async def main():
        loop = asyncio.get_running_loop()
        stacks.note_loop(loop)
        future = loop.create_future()
        task = loop.create_task(body({request.KEY: request.RequestClaim(0, (0, 0, False))}, future))
        begun = at_rest()  # it is not yet at its first await
        await asyncio.sleep(0)
        waits = at_rest()
        loop.call_soon(future.set_result, None)  # as an executor does from its thread
        has_result = at_rest()
        await task
        return begun, waits, has_result

    loop = new_event_loop()
    try:
        assert loop.run_until_complete(main()) == (False, True, False)
    finally:
        loop.close()


@reads_other_threads
def test_a_body_that_is_on_no_stack_is_not_said_to_be_at_rest(recording, monkeypatch):
    monkeypatch.setattr(calling, "bodies", {0})
    questions = ask(recording, os.getpid(), phase=Phase.CALLED_TOGETHER)
    showing.answer(recorder.record())

    assert not questions.answers()[os.getpid()].at_rest
