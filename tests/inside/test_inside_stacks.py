"""Reading the stacks of a server's threads does not stop the server."""

from __future__ import annotations

import gc
import linecache
import os
import sys
import threading

import pytest

from holdfast.inside.holdfast_inside import stacks, thread_frames


@pytest.mark.parametrize("collects", [True, False])
def test_no_garbage_is_collected_while_the_threads_are_listed(collects):
    """Python lists them with a lock that a thread needs to end, and a finalizer may wait for that thread."""
    lines = []

    def note(phase, _info):
        at = sys._getframe(1)
        lines.append((phase, linecache.getline(at.f_code.co_filename, at.f_lineno)))

    ends = threading.Event()
    threads = [threading.Thread(target=ends.wait) for _ in range(20)]
    before = gc.get_threshold(), gc.isenabled()
    for each in threads:
        each.start()
    (gc.enable if collects else gc.disable)()
    gc.callbacks.append(note)
    gc.set_threshold(1)
    try:
        found = list(stacks.of_each_kind())
        remains = gc.isenabled()
    finally:
        gc.set_threshold(*before[0])
        gc.callbacks.remove(note)
        (gc.enable if before[1] else gc.disable)()
        ends.set()
        for each in threads:
            each.join()
    assert {each.ident for each in threads} <= {stack.thread for stack, _ in found}
    assert bool(lines) == collects
    assert not [each for each in lines if "sys._current_frames(" in each[1]]
    assert remains == collects


@pytest.mark.skipif(not (3, 11) <= sys.version_info < (3, 11, 9), reason="collects nothing meanwhile")
def test_a_process_that_is_forked_while_the_threads_are_listed_collects_garbage(monkeypatch):
    codes = []

    def fork():
        pid = os.fork()
        if pid == 0:
            os._exit(int(gc.isenabled()))
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        return {}

    monkeypatch.setattr(sys, "_current_frames", fork)
    collects = gc.isenabled()
    gc.enable()
    try:
        thread_frames.innermost()
        remains = gc.isenabled()
        gc.disable()
        thread_frames.innermost()
        stays_off = not gc.isenabled()
    finally:
        (gc.enable if collects else gc.disable)()

    assert (codes, remains, stays_off) == ([1, 0], True, True)
