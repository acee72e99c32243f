"""Where a released request's body is called after all: it runs in its own place, and what comes of it is the answer.

The paths, and the views at them, are those of the applications in this directory, which other tests hold.
"""

from __future__ import annotations

import contextlib
import itertools
import json

import pytest
from called_views import NO_BODY, NO_LOOP, SERVED, WHOLE
from inside_server import reply, serving, wait_until

ANN = ("X-User: ann",)

# In every run; the other servers' in those of `make test-servers`.
ALWAYS = {"flask"}


@pytest.fixture(scope="module")
def applications(tmp_path_factory):
    """Started when first asked for, ended together; with each, the ids that are still free."""
    with contextlib.ExitStack() as running:
        known = {}

        def application(name):
            if name not in known:
                pytest.importorskip(name.partition("-")[0])
                server = running.enter_context(serving(tmp_path_factory.mktemp(name), **SERVED[name][0]))
                known[name] = server, itertools.count()
            return known[name]

        yield application


def each():
    for name, (_how, paths) in SERVED.items():
        for path in paths:
            yield pytest.param(name, path, marks=() if name in ALWAYS else pytest.mark.servers)


@pytest.mark.parametrize(("name", "path"), list(each()))
def test_the_body_runs_after_the_hold_and_its_answer_is_the_ordinary_one(applications, name, path):
    server, free = applications(name)
    server.get(f"/hold-at?path={path}")
    id = next(free)

    start = ran(server)
    ordinary = server.get(path, ANN)
    before = ran(server)
    (client,) = server.hold(id, path=path, headers=ANN)
    # While the loop itself is held, the server cannot answer.
    held = before if SERVED[name][1][path] is WHOLE else ran(server)
    server.recording.call([id], 0)
    answer = reply(client)
    wait_until(lambda: server.recording.is_left(id), "end of the body", server.log)
    after = ran(server)
    calls = server.recording.calls(id, id + 1, 3)

    timing = SERVED[name][1][path]
    assert held["body"] == before["body"]
    if timing is NO_BODY:
        assert answer.body == b"held\n"
        assert calls == ()
        return
    assert answer == ordinary
    assert after["body"] - held["body"] == before["body"] - start["body"]
    (call,) = calls
    entry = server.entry(id)
    assert (call.timing, call.runs, call.raised) == (timing, 1, False)
    assert entry.entered_ns <= call.begun_ns <= call.ended_ns
    assert (call.longest_stop_ns > 0) == (timing != NO_LOOP)
    assert call.longest_stop_ns <= call.stopped_ns <= call.ended_ns - call.begun_ns
    assert call.own_loop == (entry.loop and entry.tid != entry.entry_tid)


def ran(server):
    counts = json.loads(server.get("/ran").body)
    return {"body": 0, **counts}
