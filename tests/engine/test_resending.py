"""A request whose kept connection the server ends before any byte of a reply is sent on another one, once."""

from __future__ import annotations

import socket
import struct
import threading
import time

import pytest
from driving import PATIENCE_S, accept, outcomes, run_plan
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.columns import Columns
from holdfast.engine.connecting import connections_to
from holdfast.engine.http1 import host_field, request_head
from holdfast.engine.packing import pack, unpack
from holdfast.engine.plan import Plan
from holdfast.engine.resending import may_be_sent_again
from holdfast.engine.shapes import Closed
from holdfast.engine.timeouts import Deadlines
from holdfast.model.places import Outcome
from holdfast.model.scenario import Timeouts

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


# RFC 9110, 9.2.2: "Of the request methods defined by this specification, PUT, DELETE, and safe request methods are
# idempotent"; 9.2.1: "the GET, HEAD, OPTIONS, and TRACE methods are defined to be safe". PATCH: RFC 5789, 2.
@pytest.mark.parametrize(
    ("method", "again"),
    [
        *((method, True) for method in ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")),
        *((method, False) for method in ("POST", "PATCH", "CONNECT", "get", "PURGE")),
    ],
)
def test_only_a_request_of_an_idempotent_method_is_sent_again_once_a_byte_of_it_was_sent(method, again):
    request = request_head(method, "/", "x")

    assert may_be_sent_again(request, untouched=False) is again
    assert may_be_sent_again(request, untouched=True)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def closed_load(listener: socket.socket, method: str, serve, timeouts: Timeouts):
    """A load of one client and two requests, whose peer is `serve`."""
    address, port = listener.getsockname()
    served = threading.Thread(target=serve, args=(listener,))
    served.start()
    try:
        head = request_head(method, "/", host_field(address, port))
        return run_plan(Plan(address, port, head, Closed(1, 2), timeouts))
    finally:
        served.join(PATIENCE_S)
        assert not served.is_alive()


def answering_once_and_then(end, *, before_it: bytes = b"", then: bytes = OK):
    """A peer that answers one request, reads another, says `before_it`, ends that connection, and takes a second."""

    def serve(listener: socket.socket) -> None:
        first = accept(listener)
        first.sendall(OK)
        assert first.recv(65536)
        if before_it:
            first.sendall(before_it)
        end(first)
        if then:
            with accept(listener) as second:
                second.sendall(then)
                second.recv(65536)

    return serve


@pytest.mark.parametrize("end", [socket.socket.close, reset], ids=["FIN", "RST"])
def test_it_keeps_its_due_instant_and_has_the_other_instants_of_its_second_connection(listen, end):
    run = closed_load(listen(), "GET", answering_once_and_then(end), Timeouts(whole_s=PATIENCE_S))

    columns = run.columns
    assert outcomes(run) == {Outcome.ANSWERED: 2}
    assert list(columns.resent[:2]) == [0, 1]
    assert (
        columns.done[0]
        <= columns.due[1]
        < columns.opened[1]
        <= columns.connected[1]
        <= columns.sent[1]
        <= columns.done[1]
    )
    assert columns.local_port[1] != columns.local_port[0]
    assert run.summary.resent == 1
    assert [each for each in run.summary.warnings if each.startswith("1 requests were sent again")]


@pytest.mark.parametrize("before_it", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n"], ids=["a byte", "an interim reply"])
def test_one_that_the_server_has_begun_to_answer_is_not_sent_again(listen, before_it):
    serve = answering_once_and_then(socket.socket.close, before_it=before_it, then=b"")

    run = closed_load(listen(), "GET", serve, Timeouts(whole_s=PATIENCE_S))

    assert outcomes(run) == {Outcome.ANSWERED: 1, Outcome.CLOSED: 1}
    assert run.summary.resent == 0


def test_one_that_may_change_something_is_not_sent_again(listen):
    serve = answering_once_and_then(socket.socket.close, then=b"")

    run = closed_load(listen(), "POST", serve, Timeouts(whole_s=PATIENCE_S))

    assert outcomes(run) == {Outcome.ANSWERED: 1, Outcome.CLOSED: 1}
    assert any("their method is not idempotent" in each for each in run.summary.warnings)


def test_one_that_ends_without_a_byte_on_its_second_connection_too_is_not_sent_a_third_time(listen):
    def serve(listener: socket.socket) -> None:
        first = accept(listener)
        first.sendall(OK)
        assert first.recv(65536)
        first.close()
        accept(listener).close()

    run = closed_load(listen(), "GET", serve, Timeouts(whole_s=PATIENCE_S))

    assert outcomes(run) == {Outcome.ANSWERED: 1, Outcome.CLOSED: 1}
    assert run.summary.resent == 1
    assert not any("idempotent" in each for each in run.summary.warnings)


def test_a_post_is_sent_again_if_its_connection_had_ended_before_any_byte_of_it_was_sent(listen):
    listener = listen()
    address, port = listener.getsockname()
    columns = Columns(2)
    connections = connections_to(address, port, lambda _row: request_head("POST", "/", "x"), columns)
    try:
        connections.open(0, client=0)
        turn_until_ended(connections, 0)
        peer = accept(listener)
        peer.sendall(OK)
        turn_until_ended(connections, 1)
        # Its report is waiting, and the engine has not looked for it, as where the two cross each other.
        reset(peer)
        connections.open(1, client=0)
        assert columns.resent[1] == 1
        turn_until_ended(connections, 1)
        accept_and_answer(listener, connections)
        turn_until_ended(connections, 2)
    finally:
        connections.close()

    assert [Outcome(value) for value in columns.outcome[:2]] == [Outcome.ANSWERED] * 2


def accept_and_answer(listener: socket.socket, connections) -> None:
    while not connections.established:
        connections.turn(1_000_000)
    with accept(listener) as peer:
        peer.sendall(OK)


def turn_until_ended(connections, ended: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while connections.ended < ended or connections.connecting:
        assert time.monotonic() < end
        connections.turn(1_000_000)


def test_all_of_a_request_has_one_time_and_the_second_connection_does_not_begin_it_anew():
    columns = Columns(1)
    # Due and sent at 10; sent again at 310.
    columns.due[0], columns.opened[0], columns.sent[0], columns.resent[0] = 10, 310, 320, 1
    deadlines = Deadlines(columns, whole_ns=500, resent_rows=[0])

    assert list(deadlines.expired(range(1), 1, 509)[0]) == []
    assert list(deadlines.expired(range(1), 1, 510)[0]) == [0]


def test_the_second_wait_for_a_first_byte_has_its_own_place_and_holds_up_no_other_row():
    columns = Columns(2)
    # Row 0 was sent at 10, and again at 90; row 1 at 20.
    for row, sent in ((0, 90), (1, 20)):
        columns.due[row], columns.opened[row], columns.sent[row] = 10, sent, sent
    columns.resent[0] = 1
    deadlines = Deadlines(columns, [0, 1, ~0], first_byte_ns=100, resent_rows=[0])

    assert list(deadlines.expired(range(2), 2, 119)[0]) == []
    assert list(deadlines.expired(range(2), 2, 120)[0]) == [1]
    columns.outcome[1] = Outcome.UNANSWERED
    assert list(deadlines.expired(range(2), 2, 189)[0]) == []
    assert list(deadlines.expired(range(2), 2, 190)[0]) == [0]


def test_a_second_connection_that_does_not_come_about_times_out_as_the_first_one_would():
    columns = Columns(2)
    columns.due[0] = columns.sent[0] = 10
    resent: list[int] = []
    deadlines = Deadlines(columns, connect_ns=100, resent_rows=resent)
    assert list(deadlines.expired(range(2), 1, 50)[0]) == []

    columns.resent[0], columns.opened[0], columns.sent[0] = 1, 60, 0
    resent.append(0)

    assert list(deadlines.expired(range(2), 1, 159)[0]) == []
    assert list(deadlines.expired(range(2), 1, 160)[0]) == [0]


@given(st.lists(st.tuples(st.sampled_from(list(Outcome)[1:]), st.booleans()), min_size=1, max_size=20))
def test_what_was_sent_again_is_packed_with_its_outcome(rows):
    before, after = Columns(len(rows)), Columns(len(rows))
    for row, (outcome, again) in enumerate(rows):
        before.outcome[row], before.resent[row] = outcome, again

    for part in pack(before, range(len(rows))):
        unpack(part, after)

    assert list(after.outcome[: len(rows)]) == [outcome for outcome, _ in rows]
    assert list(after.resent[: len(rows)]) == [int(again) for _, again in rows]
