"""Answers holdfast's questions to this process: where do requests wait, what else runs, which limits are in force?

A question is a few bytes in the shared file, at which each held request looks anyway while it sleeps, and the first one
of a process that sees it answers for the process. The answer is written into the same file, so it needs no descriptor:
a server that has none left can still tell. While bodies run (`--call`) nothing is held, and a thread looks instead. It
is started with the first body of a process, if bodies may be asked for, and ends with the last one.
"""

from __future__ import annotations

import collections
import os
import sys
import time
from typing import Any, Callable, Dict, Iterable, List, Tuple

from . import background, calling, executors, gil, layout, libraries, recorder, stacks, waiting_points

_LOOK_S = 0.005
_REST_NS = 10_000_000
"""A body that has got its turn may still be where it waited, and one that has begun not yet there."""
_LONGEST_WAIT_NS = 150_000_000
"""A question is answered after that long even if bodies begin and end all the time."""
_NOWHERE = waiting_points.Point("", 0, "", "", waits=False)
_asked: Dict[Tuple[int, int], object] = {}
_lookouts: Dict[int, object] = {}


def answer(shared: recorder.Record) -> None:
    """Answers the latest question, if it is for this process and no other request of it does."""
    data = shared.data
    question = data[layout.ASKED_OFFSET]
    pid = os.getpid()
    mine = object()
    if _asked.setdefault((pid, question), mine) is not mine:
        return
    shared.answered = question
    _asked.pop((pid, question - 1), None)
    asked = layout.ASKED_PIDS.unpack_from(data, layout.ASKED_PIDS_OFFSET)
    if pid not in asked:
        return
    try:
        lines = list(_lines(shared, data[layout.ABOUT_OFFSET]))
    except Exception:
        lines = [layout.FAILED_LINE]  # the application must not notice
    at = layout.answer_offset(shared.slots) + asked.index(pid) * layout.ANSWER_BYTES
    text = _fitting(lines)
    data[at + layout.ANSWER.size : at + layout.ANSWER.size + len(text)] = text
    layout.ANSWER.pack_into(data, at, question, len(text))


def _lines(shared: recorder.Record, about: int) -> Iterable[str]:
    for each in libraries.in_force():
        limit = "" if each.limit is None else str(each.limit)
        yield "\t".join((layout.LIMIT_LINE, each.name, limit, str(each.in_use)))
    readable = gil.frames_can_be_read()
    if about != layout.NOTHING and not readable:
        if layout.GILS[gil.state()] != "off":
            yield layout.FAILED_LINE
        return
    things = background.initializers() if about != layout.IN_BODIES and readable else []
    points, at_rest = _in_bodies() if about == layout.IN_BODIES else ([], False)
    if about == layout.BEFORE_VIEW:
        waiting, queued = _before_view(shared), executors.queued()
        points = [waiting_points.point_of(each, queued) for each in waiting]
        things = [*background.running(waiting), *things] if waiting else things
    for thing in things:
        yield "\t".join((layout.BACKGROUND_LINE, f"{thing.wakes_s:.3f}", str(thing.line), *_written(thing[:2])))
    for point, count in collections.Counter(points).most_common():
        written = _written((point.file, point.function, point.library))
        yield "\t".join((layout.POINT_LINE, str(count), str(int(point.waits)), str(point.line), *written))
    if at_rest:
        # The last line: where not all of the others fit, it is left out with them.
        yield layout.REST_LINE


def _written(texts: Iterable[str]) -> Iterable[str]:
    return (each.replace("\t", " ").replace("\n", " ") for each in texts)


def _before_view(shared: recorder.Record) -> List[List[stacks.Stack]]:
    """The stacks of each request that waits before its view. What is held, and what has been, waits before none."""
    state, data = shared.state_at, shared.data
    return list(stacks.of_requests(lambda id: data[state + id] == layout.NOT_ENTERED).values())


def _in_bodies() -> Tuple[List[waiting_points.Point], bool]:
    """Where each body is, and whether all were at rest while that was looked at.

    They were where none had begun, ended or taken a step, none was on its way to a place or from one (it has its turn
    or its result, and not run since), none waits for a thread that is being made ready, and all were seen.
    """
    began_ns, before = time.monotonic_ns(), (calling.changed_ns, calling.moved_ns)
    queued, ids = executors.queued(), list(calling.bodies)
    found = stacks.of_requests(calling.bodies.__contains__)
    points = [waiting_points.point_of(found[id], queued) if id in found else _NOWHERE for id in ids]
    seen = [each for some in found.values() for each in some]
    loops = {each.task.get_loop() for each in seen if hasattr(each.task, "get_loop")}
    moving = any(map(waiting_points.has_its_turn, seen)) or any(map(stacks.has_work, loops))
    moving = moving or (bool(queued) and bool(executors.made_ready()))
    at_rest = began_ns - before[0] >= _REST_NS and before == (calling.changed_ns, calling.moved_ns)
    return points, at_rest and not moving and len(found) == len(ids)


def _fitting(lines: List[str]) -> bytes:
    """The lines as far as there is room for whole ones."""
    text = b""
    for line in lines:
        more = (line + "\n").encode("utf-8", "replace")
        if len(text) + len(more) > layout.ANSWER_BYTES - layout.ANSWER.size:
            break
        text += more
    return text


def look_out() -> None:
    """Starts the thread that looks for questions while bodies run in this process, unless it runs already."""
    shared = recorder.record()
    if not shared.data[layout.BODIES_ASKED_OFFSET]:
        return
    pid, mine = os.getpid(), object()
    if _lookouts.setdefault(pid, mine) is not mine:
        return
    start, sleep = _native()
    try:
        start(_look_out, (shared, pid, sleep))
    except RuntimeError:
        # No further thread can be started. Bodies come first; where they wait is not known then.
        _lookouts.pop(pid, None)


def _look_out(shared: recorder.Record, pid: int, sleep: Callable[[float], None]) -> None:
    data, asked_ns = shared.data, 0
    while calling.bodies and data[layout.BODIES_ASKED_OFFSET] and not recorder.is_left_alone(shared):
        if data[layout.ASKED_OFFSET] != shared.answered:
            now_ns = time.monotonic_ns()
            asked_ns = asked_ns or now_ns
            rests = now_ns - calling.changed_ns >= _REST_NS and not any(map(stacks.has_work, stacks.loops()))
            if rests or now_ns - asked_ns >= _LONGEST_WAIT_NS:
                answer(shared)
                asked_ns = 0
        sleep(_LOOK_S)
    _lookouts.pop(pid, None)
    if calling.bodies:
        look_out()  # one began after the last look


def _native() -> Tuple[Any, Callable[[float], None]]:
    """What starts a thread and what lets one sleep, even if gevent or eventlet has replaced both."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None:
        return gevent.get_original("_thread", "start_new_thread"), gevent.get_original("time", "sleep")
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None:
        return eventlet.original("_thread").start_new_thread, eventlet.original("time").sleep
    import _thread

    return _thread.start_new_thread, time.sleep
