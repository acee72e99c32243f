"""A front that shares requests out between several servers, each with a socket and an accept queue of its own."""

from __future__ import annotations

import pytest
from own_commands import Own, run_all, value
from test_exec_front import APP, FORWARDING, SCRIPT

EACH_IN_TURN = FORWARDING.replace("import threading\n", "import itertools\nimport threading\n").replace(
    "def copy(", 'servers = itertools.cycle(["one.sock", "two.sock"])\n\n\ndef copy('
)
EACH_IN_TURN = EACH_IN_TURN.replace('connect("server.sock")', "connect(next(servers))")
START = """#!/bin/sh
gunicorn -b unix:one.sock --backlog 16 OPTIONS app:app &
gunicorn -b unix:two.sock --backlog 16 OPTIONS app:app &
exec python front.py
"""


def balanced(id: str, options: str, says) -> Own:
    files = {"app.py": APP, "front.py": EACH_IN_TURN, "start.sh": START.replace("OPTIONS", options)}
    return Own(id, ("sh", "start.sh"), files, says, options=("--max-offered", "20"))


BOTH = {"front.program": "front.py", "front.in_front": 0, "model.processes": 2, "model.listen_queues": "per-worker"}
COMMANDS = (
    # gthread.py: it accepts all that come, up to `worker_connections`.
    balanced(
        "threads", "--threads 2", {**BOTH, "ceiling.in_service": 4, "front.accept_queue": 0, "front.in_server": 16}
    ),
    # sync.py: one at a time is accepted.
    balanced(
        "one at a time",
        "--worker-class sync",
        {**BOTH, "ceiling.in_service": 2, "front.accept_queue": 18, "front.in_server": 0},
    ),
)
# arbiter.py: with --reuse-port each worker opens a socket of its own, all of them at one port.
ONE_PORT = Own(
    "workers with a socket each",
    ("sh", "start.sh"),
    {
        "app.py": APP,
        "front.py": FORWARDING.replace(
            'socket.socket(socket.AF_UNIX)\n    server.connect("server.sock")',
            'socket.create_connection(("127.0.0.1", {other}))',
        ),
        "start.sh": SCRIPT.format("gunicorn --reuse-port -w 2 -b 127.0.0.1:{other} app:app", "exec python front.py"),
    },
    {**BOTH, "ceiling.in_service": 2, "front.accept_queue": 18, "front.in_server": 0},
    options=("--max-offered", "20"),
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, (*COMMANDS, ONE_PORT))


@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_what_waits_for_several_servers_is_counted_in_the_queues_of_all(done, own):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert len(verdict["front"]["through"]) == 2


def test_workers_with_a_socket_each_at_one_port_behind_a_front_are_counted_once(done):
    result = done[ONE_PORT.id]

    assert result.ended.exit == ONE_PORT.exit, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in ONE_PORT.says} == dict(ONE_PORT.says)
    assert len(verdict["front"]["through"]) == 1
