"""Which function is the view, where it or the framework sends something to threads."""

from __future__ import annotations

import itertools
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from test_inside_watch import found_in, helper, middleware, modules_in, view

from holdfast.inside.holdfast_inside import gate


@pytest.fixture
def framework(tmp_path):
    return modules_in(tmp_path)[0]


def test_what_a_view_sends_to_threads_that_begin_with_it_is_not_the_view(framework):
    gate.surround(ThreadPoolExecutor.submit, gate.keeping_context)
    with ThreadPoolExecutor(4) as threads:

        def fans_out():
            return [each.result() for each in [threads.submit(helper) for _ in range(4)]]

        assert found_in(framework.App({"/": fans_out})) == "fans_out"


def test_what_a_view_lets_the_framework_send_to_a_thread_is_not_the_view(framework):
    gate.surround(ThreadPoolExecutor.submit, gate.keeping_context)
    with ThreadPoolExecutor(1) as threads:

        def sends():
            return framework.on_a_thread_of(threads)(helper)

        assert found_in(framework.App({"/": sends})) == "sends"
        # Which is which it does not show, where every path is answered alike.
        assert found_in(lambda *_: framework.call(sends)) is None


def test_middleware_around_a_view_that_the_framework_sends_to_a_thread_is_not_the_view(framework):
    gate.surround(ThreadPoolExecutor.submit, gate.keeping_context)
    with ThreadPoolExecutor(1) as threads:
        app = framework.App({"/": view}, middleware=middleware, call=framework.on_a_thread_of(threads))

        assert found_in(app) == "view"


def test_what_runs_on_on_a_thread_disturbs_nothing_when_the_request_is_over(framework):
    gate.surround(ThreadPoolExecutor.submit, gate.keeping_context)
    many, over = threading.Event(), threading.Event()

    def works_on():
        for count in itertools.count():
            framework.call(helper)
            if count == 1000:
                many.set()
            if over.is_set():
                return

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(1) as threads:

        def sends():
            threads.submit(works_on)
            assert many.wait(30)
            return "answer"

        try:
            assert found_in(framework.App({"/": sends})) == "sends"
        finally:
            over.set()
            sys.setswitchinterval(interval)
