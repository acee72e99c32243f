"""Connections to Unix sockets: what the kernel does with those that find no room, and what comes of the others."""

from __future__ import annotations

import contextlib
import os
import socket
import stat

import pytest
from driving import MS, PATIENCE_S, accept, outcomes, run_plan, turn_until
from support.lateness import apart_from_lateness

from holdfast.engine.columns import requests
from holdfast.engine.http1 import host_field, request_head
from holdfast.engine.plan import Plan
from holdfast.engine.prober import Prober
from holdfast.engine.shapes import Closed
from holdfast.errors import EnvironmentFailure
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.scenario import Timeouts

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def own_sockets():
    """Inodes of the sockets that this process holds."""
    descriptors = (int(name) for name in os.listdir("/proc/self/fd"))
    found = set()
    for descriptor in descriptors:
        with contextlib.suppress(OSError):  # the one of the listing itself
            status = os.fstat(descriptor)
            found |= {status.st_ino} if stat.S_ISSOCK(status.st_mode) else set()
    return found


@pytest.fixture
def listen_on(tmp_path):
    """Opens listening Unix sockets that nobody accepts from unless the test does."""
    opened = []

    def listen(backlog=128, name=None):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "s") if name is None else name)
        listener.listen(backlog)
        listener.settimeout(PATIENCE_S)
        opened.append(listener)
        return listener

    yield listen
    for listener in opened:
        listener.close()


@pytest.fixture
def probe_path():
    """Opens probers towards a Unix socket."""
    opened = []

    def probe(address, capacity=200):
        head = request_head("GET", "/", host_field(str(address), 0))
        prober = Prober(str(address), 0, lambda _: head, capacity)
        opened.append(prober)
        return prober

    yield probe
    for prober in opened:
        prober.close()


@pytest.mark.parametrize("backlog", [0, 1, 7, 16, 128])
def test_a_unix_socket_takes_one_more_than_its_backlog_and_turns_the_rest_away_at_once(listen_on, probe_path, backlog):
    # net/unix/af_unix.c: unix_recvq_full() is `>`, and unix_stream_connect() gives EAGAIN where it may not block.
    prober = probe_path(listen_on(backlog).getsockname())

    prober.open(backlog + 4)
    turn_until(prober, lambda: prober.connecting == 0)

    assert prober.outcome_counts() == {Outcome.PENDING: backlog + 1, Outcome.NO_ROOM: 3}
    assert (prober.established, prober.ended) == (backlog + 1, 3)
    assert prober.failure is None


def test_who_was_turned_away_leaves_nothing_and_room_is_taken_again(listen_on, probe_path):
    listener = listen_on(backlog=0)
    prober = probe_path(listener.getsockname())
    prober.open(2)
    turn_until(prober, lambda: prober.connecting == 0)

    accept(listener).close()
    prober.open(1)
    turn_until(prober, lambda: prober.ended == 2)

    assert prober.outcome_counts() == {Outcome.PENDING: 1, Outcome.CLOSED: 1, Outcome.NO_ROOM: 1}


def test_a_request_over_a_unix_socket_is_answered_and_known_by_its_inode(listen_on, probe_path):
    listener = listen_on()
    prober = probe_path(listener.getsockname())
    before = own_sockets()
    prober.open(1)
    turn_until(prober, lambda: prober.established)
    opened = own_sockets() - before

    connection = accept(listener)
    connection.sendall(ANSWER)
    connection.close()
    turn_until(prober, lambda: prober.ended)

    (request,) = requests(prober.columns, range(1), lambda _: Phase.RAMP, prober.sources)
    assert (request.outcome, request.status, request.local_address) == (Outcome.ANSWERED, 200, "")
    assert opened == {request.local_port}


@pytest.mark.parametrize(
    ("leave", "outcome"),
    [
        (lambda connection: connection.recv(65536), Outcome.CLOSED),
        # What was not read makes the end of it a reset (net/unix/af_unix.c unix_release_sock(), ECONNRESET).
        (lambda _connection: None, Outcome.RESET),
    ],
)
def test_a_server_that_closes_without_an_answer_closes_or_resets(listen_on, probe_path, leave, outcome):
    listener = listen_on()
    prober = probe_path(listener.getsockname())
    prober.open(1)
    turn_until(prober, lambda: prober.established)
    prober.turn(10 * MS)

    connection, _ = listener.accept()
    leave(connection)
    connection.close()

    turn_until(prober, lambda: prober.ended)
    assert prober.outcome_counts() == {outcome: 1}


def test_a_socket_file_that_is_gone_or_that_nobody_listens_on_refuses(listen_on, probe_path, tmp_path):
    gone = probe_path(tmp_path / "gone")
    listener = listen_on()
    left = probe_path(listener.getsockname())
    listener.close()

    gone.open(1)
    left.open(1)

    assert gone.outcome_counts() == left.outcome_counts() == {Outcome.REFUSED: 1}


def test_an_abstract_socket_is_reached_by_its_name(listen_on, probe_path):
    name = f"holdfast-test-{os.getpid()}"
    listen_on(name=f"\0{name}")
    prober = probe_path(f"@{name}")

    prober.open(1)
    turn_until(prober, lambda: prober.established)

    assert prober.outcome_counts() == {Outcome.PENDING: 1}


def test_a_path_that_is_too_long_is_taken_from_where_we_are(listen_on, probe_path, tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    listen_on(name="s")
    prober = probe_path(deep / "s")

    prober.open(1)
    turn_until(prober, lambda: prober.established)

    monkeypatch.chdir(tmp_path)
    with pytest.raises(EnvironmentFailure, match="too long"):
        probe_path(deep / "s")


def test_a_load_run_goes_to_a_unix_socket_too(listen_on):
    listener = listen_on(backlog=0)
    head = request_head("GET", "/", "localhost")

    run = run_plan(
        Plan(listener.getsockname(), 0, head, Closed(connections=3, requests=3), timeouts=Timeouts(whole_s=0.2))
    )

    assert outcomes(run) == {Outcome.UNANSWERED: 1, Outcome.NO_ROOM: 2}
    assert apart_from_lateness(run.summary.warnings) == []
