"""Questions to a process that holds requests, and what it answers, through the shared file."""

from __future__ import annotations

import gc
import os
import sys
import threading
import weakref

import pytest
from support.waiting import until

from holdfast.inside.holdfast_inside import layout, recorder, request, showing
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
