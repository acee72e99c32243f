from __future__ import annotations

import contextlib
import errno
import os
import resource
import socket
import struct
import subprocess
import sys
import time

import pytest
from driving import MS, accept, turn_until

from holdfast.engine.prober import Prober
from holdfast.errors import EnvironmentFailure
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def only_outcome(prober: Prober) -> Outcome:
    (outcome,) = prober.outcome_counts()
    return outcome


def exchange(prober: Prober, listener: socket.socket, reply: bytes, *, reset: bool = False) -> Outcome:
    """One request that gets these bytes and then FIN or RST; how it ended."""
    prober.open(1)
    turn_until(prober, lambda: prober.established)
    connection = accept(listener)
    connection.sendall(reply)
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    connection.close()
    turn_until(prober, lambda: prober.ended)
    return only_outcome(prober)


def test_a_listener_that_never_accepts_holds_one_more_than_its_backlog(listen, probe):
    prober = probe(listen(backlog=7))

    assert prober.open(8) == list(range(8))
    turn_until(prober, lambda: prober.established == 8)
    prober.open(3)
    prober.turn(50 * MS)

    assert (prober.offered, prober.established, prober.connecting, prober.ended) == (11, 8, 3, 0)
    assert prober.pending() == list(range(11))
    assert [bool(sent) for sent in prober.columns.sent[:11]] == [True] * 8 + [False] * 3


def test_a_syn_that_the_kernel_repeats_is_connecting_until_it_is_answered(listen, probe):
    listener = listen(backlog=0)
    prober = probe(listener)
    prober.open(1)
    turn_until(prober, lambda: prober.established == 1)
    prober.open(1)
    prober.turn(50 * MS)
    assert prober.connecting == 1

    accept(listener).close()

    turn_until(prober, lambda: prober.connecting == 0)
    assert prober.columns.connected[1] - prober.columns.opened[1] > 900 * MS


def test_a_request_that_is_answered_carries_its_instants_status_and_port(listen, probe):
    listener = listen()
    prober = probe(listener)

    assert exchange(prober, listener, ANSWER) is Outcome.ANSWERED

    (request,) = prober.requests(lambda _: Phase.EXACT_LOAD)
    assert 0 < request.due_ns <= request.opened_ns <= request.connected_ns <= request.done_ns <= time.monotonic_ns()
    assert (request.phase, request.status, request.local_address) == (Phase.EXACT_LOAD, 200, "127.0.0.1")
    assert request.local_port > 0


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (ANSWER, Outcome.ANSWERED),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil close", Outcome.ANSWERED),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", Outcome.ANSWERED),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", Outcome.REJECTED),
        (b"", Outcome.CLOSED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", Outcome.CLOSED),
        (b"SSH-2.0-OpenSSH_9.9\r\n", Outcome.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, Outcome.MALFORMED),
    ],
)
def test_the_outcome_of_a_connection_that_is_closed_depends_on_the_bytes_before(listen, probe, reply, outcome):
    listener = listen()

    assert exchange(probe(listener), listener, reply) is outcome


def test_a_reset_after_the_connection_is_told_from_a_close(listen, probe):
    listener = listen()

    assert exchange(probe(listener), listener, b"", reset=True) is Outcome.RESET


def test_a_reset_after_the_whole_reply_does_not_undo_the_reply(listen, probe):
    listener = listen()

    assert exchange(probe(listener), listener, ANSWER, reset=True) is Outcome.ANSWERED


def test_a_port_where_nobody_listens_refuses(listen, probe):
    listener = listen()
    prober = probe(listener)
    listener.close()

    assert prober.open(1) == [0]

    turn_until(prober, lambda: prober.ended)
    assert only_outcome(prober) is Outcome.REFUSED
    assert prober.failure is None


def test_a_reply_that_is_not_http_is_told_in_words(listen, probe):
    listener = listen()
    prober = probe(listener)

    exchange(prober, listener, b"220 mail.example ESMTP\r\n")

    finding = "the reply is not HTTP/1: it begins with b'220 mail.example ESMTP\\r\\n'"
    assert prober.finding() == finding
    assert prober.notes == [finding]


def test_a_body_longer_than_announced_is_answered_with_a_note(listen, probe):
    listener = listen()
    prober = probe(listener)

    assert exchange(prober, listener, ANSWER + b" and more") is Outcome.ANSWERED

    assert prober.notes == prober.doubts == ["1 replies were followed by more bytes than they announced"]


def test_a_server_that_answers_and_resets_before_it_has_read_all_has_answered(listen, probe):
    listener = listen()
    prober = probe(listener, body=b"x" * 30_000_000)
    prober.open(1)
    turn_until(prober, lambda: prober.established)
    connection = accept(listener)

    connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    connection.close()

    turn_until(prober, lambda: prober.ended)
    assert only_outcome(prober) is Outcome.REJECTED


def test_a_large_request_goes_out_in_parts(listen, probe):
    body = bytes(range(256)) * 40_000
    listener = listen()
    prober = probe(listener, body=body)
    prober.open(1)
    turn_until(prober, lambda: prober.established)
    connection = listener.accept()[0]
    connection.settimeout(0)
    read = b""

    def all_read() -> bool:
        nonlocal read
        with contextlib.suppress(BlockingIOError):
            read += connection.recv(1_000_000)
        return read.endswith(body[-1000:]) and len(read) > len(body)

    turn_until(prober, all_read)
    connection.close()

    assert read.partition(b"\r\n\r\n")[2] == body


def test_clients_that_give_up_leave_by_fin_or_by_rst(listen, probe):
    listener = listen()
    prober = probe(listener)
    ids = prober.open(3)
    turn_until(prober, lambda: prober.established == 3)
    connections = [accept(listener) for _ in ids]
    by_port = {connection.getpeername()[1]: connection for connection in connections}
    ends = [by_port[prober.columns.local_port[id_]] for id_ in ids]

    prober.give_up([0])
    prober.give_up([1], reset=True)

    assert ends[0].recv(10) == b""
    with pytest.raises(ConnectionResetError):
        ends[1].recv(10)
    assert prober.outcome_counts() == {Outcome.PENDING: 1, Outcome.GIVEN_UP: 2}
    assert prober.pending() == [2]
    prober.give_up([0, 1])
    assert prober.ended == 2
    for connection in connections:
        connection.close()


def test_several_sources_are_used_in_turn(listen, probe):
    listener = listen()
    prober = probe(listener, sources=("127.0.0.1", "127.0.0.2", "127.0.0.3"))
    prober.open(6)
    turn_until(prober, lambda: prober.established == 6)

    peers = []
    for _ in range(6):
        connection, peer = listener.accept()
        connection.close()
        peers.append(peer)

    told = [(r.local_address, r.local_port) for r in prober.requests(lambda _: Phase.RAMP)]
    assert sorted(peers) == sorted(told)
    assert sorted(address for address, _ in peers) == sorted(2 * ["127.0.0.1", "127.0.0.2", "127.0.0.3"])


def test_a_prober_reaches_a_listener_on_ipv6(listen, probe):
    listener = listen(address="::1")
    prober = probe(listener)

    assert exchange(prober, listener, ANSWER) is Outcome.ANSWERED

    assert prober.sources == ("::1",)


def test_a_name_that_does_not_exist_is_the_environments_failure():
    with pytest.raises(EnvironmentFailure, match=r"no\.such\.host\.invalid"):
        Prober("no.such.host.invalid", 80, lambda _: b"", 1)


def test_a_request_that_is_opened_late_keeps_the_instant_at_which_it_was_due(listen, probe):
    prober = probe(listen())
    due_ns = time.monotonic_ns() - 50 * MS

    prober.open(1, due_ns=due_ns)
    prober.open(1)

    late, on_time = prober.requests(lambda _: Phase.RAMP)
    assert late.due_ns == due_ns < late.opened_ns
    assert on_time.due_ns == on_time.opened_ns


def test_no_more_than_the_capacity_is_opened(listen, probe):
    prober = probe(listen(), capacity=2)

    assert prober.open(5) == [0, 1]
    assert prober.open(1) == []


def test_a_closed_prober_has_put_the_descriptor_limit_back(listen):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowered = (min(before[0], 512), before[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, lowered)
    try:
        with Prober("127.0.0.1", listen().getsockname()[1], lambda _: b"", 1):
            assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == lowered
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_running_out_of_descriptors_is_our_own_failure_and_leaves_some_for_others(listen):
    listener = listen(backlog=500)
    program = """
import os, resource, sys
from holdfast.engine.prober import Prober
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
with Prober("127.0.0.1", int(sys.argv[1]), lambda _: b"x", 500) as prober:
    opened = prober.open(500)
    number, words = prober.failure
    spare = [os.open("/dev/null", os.O_RDONLY) for _ in range(20)]
    print(number, len(opened) == prober.offered, {o.name: n for o, n in prober.outcome_counts().items()})
    print(words)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, str(listener.getsockname()[1])],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    facts, words = ended.stdout.splitlines()
    assert facts.startswith(f"{errno.EMFILE} True {{'PENDING': ")
    assert facts.endswith("'FAILED': 1}")
    assert words.endswith(os.strerror(errno.EMFILE))


def test_running_out_of_source_ports_is_our_own_failure(listen, probe):
    listener = listen()
    # 127.0.0.77 has no free port left towards this listener when a port is asked for that is taken:
    # an address that is not ours gives the same errno without filling a whole range.
    prober = probe(listener, sources=("192.0.2.1",))

    prober.open(5)

    assert prober.outcome_counts() == {Outcome.FAILED: 1}
    assert prober.failure is not None
    assert prober.notes == [prober.failure.words]
    assert prober.failure.number == errno.EADDRNOTAVAIL


def test_a_second_prober_whose_descriptors_are_beyond_selects_limit_still_waits(listen):
    listener = listen(backlog=2000)
    address, port = listener.getsockname()
    with Prober(address, port, lambda _: b"x", 1200) as first:
        first.open(1200)
        with Prober(address, port, lambda _: b"x", 1) as second:
            second.open(1)
            turn_until(second, lambda: second.established)

            assert second.outcome_counts() == {Outcome.PENDING: 1}
            assert second.failure is None
