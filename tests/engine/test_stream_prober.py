"""Requests on streams, towards a server that the test plays: many on one connection, and one on each."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

import pytest
from driving import MS, PATIENCE_S
from h2.errors import ErrorCodes
from stream_peer import Peer, accepted, tls_context

from holdfast.engine import connecting
from holdfast.engine.endpoint import Tls
from holdfast.engine.http1 import request_head
from holdfast.engine.prober import Prober
from holdfast.engine.streams import StreamProber
from holdfast.errors import EnvironmentFailure
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome

HEAD = request_head("GET", "/", "localhost")


def turn_until(prober: Prober | StreamProber, condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        prober.turn(10 * MS)


@pytest.fixture
def streams():
    opened: list[StreamProber] = []

    def streams_(listener, capacity=20, tls=None):
        opened.append(StreamProber(*listener.getsockname()[:2], lambda _: HEAD, capacity, tls))
        return opened[-1]

    yield streams_
    for each in opened:
        each.__exit__(None, None, None)


@pytest.fixture
def accept_peer():
    """Accepts the next connection; all are closed at the end."""
    taken: list[Peer] = []

    def accept_peer_(listener, limit=100):
        taken.append(accepted(listener, limit))
        return taken[-1]

    yield accept_peer_
    for each in taken:
        each.socket.close()


@pytest.fixture
def connected(accept_peer):
    def connected_(prober: StreamProber, listener, limit: int = 100) -> tuple[int, Peer]:
        number = prober.connect()
        peer = accept_peer(listener, limit)
        turn_until(prober, lambda: prober.settled(number))
        return number, peer

    return connected_


def outcomes(prober: StreamProber) -> list[Outcome]:
    return [Outcome(each) for each in prober.columns.outcome[: prober.offered]]


def test_streams_of_one_connection_are_answered_each_for_itself(listen, streams, connected):
    listener = listen()
    prober = streams(listener)
    number, peer = connected(prober, listener)
    assert len(prober.open(3, number=number)) == 3
    peer.read(3)

    peer.answer(peer.streams[1])
    turn_until(prober, lambda: prober.ended == 1)

    assert outcomes(prober) == [Outcome.PENDING, Outcome.ANSWERED, Outcome.PENDING]
    assert prober.pending() == [0, 2]
    peer.answer(peer.streams[0], b"503")
    turn_until(prober, lambda: prober.ended == 2)
    rows = prober.requests(lambda _: Phase.STREAM)
    assert [(each.outcome, each.status) for each in rows] == [
        (Outcome.REJECTED, 503),
        (Outcome.ANSWERED, 200),
        (Outcome.PENDING, 0),
    ]
    assert len({each.local_port for each in rows}) == 1
    assert all(0 < each.opened_ns <= each.sent_ns for each in rows)


def test_streams_that_are_opened_before_the_connection_is_there_are_sent_with_it(listen, streams, accept_peer):
    listener = listen()
    prober = streams(listener)
    number = prober.connect()
    assert len(prober.open(2, number=number)) == 2
    peer = accept_peer(listener)

    turn_until(prober, lambda: prober.settled(number))
    peer.read(2)

    assert prober.advertised(number) == 100


def test_a_refused_stream_has_its_code_and_leaves_the_others(listen, streams, connected):
    listener = listen()
    prober = streams(listener)
    number, peer = connected(prober, listener)
    prober.open(2, number=number)
    peer.read(2)

    peer.refuse(peer.streams[1], ErrorCodes.REFUSED_STREAM)
    turn_until(prober, lambda: prober.ended == 1)

    assert outcomes(prober) == [Outcome.PENDING, Outcome.RESET]
    assert prober.codes == {1: ("RST_STREAM", "REFUSED_STREAM")}
    assert prober.is_open(number)


def test_goaway_closes_the_streams_it_does_not_cover_and_the_end_of_the_connection_the_rest(listen, streams, connected):
    listener = listen()
    prober = streams(listener)
    number, peer = connected(prober, listener)
    prober.open(3, number=number)
    peer.read(3)

    peer.go_away(peer.streams[1], ErrorCodes.PROTOCOL_ERROR)
    turn_until(prober, lambda: prober.ended == 1)
    assert outcomes(prober) == [Outcome.PENDING, Outcome.PENDING, Outcome.CLOSED]
    assert not prober.is_open(number)
    assert prober.open(1, number=number) == []
    peer.socket.close()
    turn_until(prober, lambda: prober.ended == 3)

    assert set(outcomes(prober)) == {Outcome.CLOSED}
    assert prober.codes == dict.fromkeys(range(3), ("GOAWAY", "PROTOCOL_ERROR"))
    assert len(prober.open(1, number=number)) == 0


def test_each_connection_has_its_own_streams(listen, streams, connected):
    listener = listen()
    prober = streams(listener)
    first, peer = connected(prober, listener)
    second, other = connected(prober, listener, limit=7)
    prober.open(2, number=first)
    prober.open(1, number=second)
    peer.read(2)
    other.read(1)

    other.socket.close()
    turn_until(prober, lambda: prober.ended == 1)

    assert outcomes(prober) == [Outcome.PENDING, Outcome.PENDING, Outcome.CLOSED]
    assert (prober.advertised(first), prober.advertised(second)) == (100, 7)


def test_a_refused_connection_takes_no_stream(listen, streams):
    listener = listen()
    prober = streams(listener)
    listener.close()
    number = prober.connect()
    prober.open(1, number=number)

    turn_until(prober, lambda: not prober.is_open(number))

    assert outcomes(prober) in ([], [Outcome.REFUSED])


def test_no_more_streams_are_opened_than_there_are_rows(listen, streams, connected):
    listener = listen()
    prober = streams(listener, capacity=2)
    number, _peer = connected(prober, listener)

    assert len(prober.open(5, number=number)) == 2


def test_a_stream_that_is_never_answered_can_be_timed_out(listen, streams, connected):
    listener = listen()
    prober = streams(listener)
    number, _peer = connected(prober, listener)
    prober.open(1, number=number)

    prober.expire(prober.pending())

    assert outcomes(prober) == [Outcome.UNANSWERED]


def test_bytes_that_are_not_http2_end_every_stream_and_are_told(listen, streams):
    listener = listen()
    prober = streams(listener)
    number = prober.connect()
    prober.open(2, number=number)
    with listener.accept()[0] as connection:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        turn_until(prober, lambda: prober.ended == 2)

    assert outcomes(prober) == [Outcome.MALFORMED, Outcome.MALFORMED]
    assert prober.finding == "the reply is in HTTP/1: 'HTTP/1.1 400 Bad Request'"


def over_tls(listener, *protocols: str) -> threading.Thread:
    """Answers one request on a connection over TLS, from a thread: a handshake blocks."""

    def serve() -> None:
        with tls_context(*protocols).wrap_socket(listener.accept()[0], server_side=True) as connection:
            peer = Peer(connection)
            peer.read(1)
            peer.answer(peer.streams[0])
            with contextlib.suppress(OSError):
                connection.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def test_streams_are_answered_over_tls_too(listen, streams):
    listener = listen()
    thread = over_tls(listener, "h2")
    prober = streams(listener, tls=Tls("localhost", verify=False))
    prober.open(1, number=prober.connect())

    turn_until(prober, lambda: prober.ended == 1)

    assert outcomes(prober) == [Outcome.ANSWERED]
    prober.__exit__(None, None, None)
    thread.join(PATIENCE_S)


@pytest.fixture
def one_each():
    opened: list[Prober] = []

    def one_each_(listener, tls=None):
        opened.append(Prober(*listener.getsockname()[:2], lambda _: HEAD, 20, tls=tls, http2=True))
        return opened[-1]

    yield one_each_
    for each in opened:
        each.close()


def test_a_prober_sends_each_request_on_a_connection_of_its_own(listen, one_each, accept_peer):
    listener = listen()
    prober = one_each(listener)
    prober.open(2)
    turn_until(prober, lambda: prober.established == 2)
    peers = [accept_peer(listener), accept_peer(listener)]
    for peer in peers:
        peer.read(1)

    peers[0].answer(1, b"200", b"x" * 10_000)
    turn_until(prober, lambda: prober.ended == 1)
    peers[1].answer(1, b"500")
    turn_until(prober, lambda: prober.ended == 2)

    assert [each.status for each in prober.requests(lambda _: Phase.RAMP)] in ([200, 500], [500, 200])
    assert prober.outcome_counts() == {Outcome.ANSWERED: 1, Outcome.REJECTED: 1}
    assert prober.finding() is None


@pytest.mark.parametrize(
    ("end", "outcome", "why"),
    [
        (lambda peer: peer.refuse(1, ErrorCodes.REFUSED_STREAM), Outcome.RESET, ""),
        (lambda peer: peer.go_away(0, ErrorCodes.NO_ERROR), Outcome.CLOSED, "ended its connection (GOAWAY, NO_ERROR)"),
        (lambda peer: peer.socket.close(), Outcome.CLOSED, ""),
    ],
)
def test_the_end_of_a_request_without_an_answer_is_told_apart(listen, one_each, end, outcome, why, accept_peer):
    listener = listen()
    prober = one_each(listener)
    prober.open(1)
    turn_until(prober, lambda: prober.established == 1)
    peer = accept_peer(listener)
    peer.read(1)

    end(peer)
    turn_until(prober, lambda: prober.ended == 1)

    assert prober.outcome_counts() == {outcome: 1}
    assert prober.turned_away == (why and f"the server {why}")


def test_a_server_that_allows_no_streams_is_told_while_a_request_waits(listen, one_each):
    listener = listen()
    prober = one_each(listener)
    prober.open(1)
    turn_until(prober, lambda: prober.established == 1)

    with contextlib.closing(accepted(listener, limit=0).socket):
        turn_until(prober, lambda: prober.turned_away)

        assert prober.turned_away.startswith("the server allows 0 streams at once")
        assert prober.outcome_counts() == {Outcome.PENDING: 1}


def test_a_request_to_a_port_where_nothing_listens_is_refused(listen, one_each):
    listener = listen()
    prober = one_each(listener)
    listener.close()
    prober.open(1)

    turn_until(prober, lambda: prober.ended == 1)

    assert prober.outcome_counts() == {Outcome.REFUSED: 1}


def test_a_prober_speaks_http2_over_tls_where_alpn_agrees_on_it(listen, one_each):
    listener = listen()
    thread = over_tls(listener, "h2", "http/1.1")
    prober = one_each(listener, tls=Tls("localhost", verify=False))
    prober.open(1)

    turn_until(prober, lambda: prober.ended == 1)

    assert prober.outcome_counts() == {Outcome.ANSWERED: 1}
    prober.close()
    thread.join(PATIENCE_S)


def test_without_the_library_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr(connecting, "find_spec", lambda _name: None)

    with pytest.raises(EnvironmentFailure, match="the package h2 is not installed") as error:
        connecting.check_http2(asked=True)

    assert error.value.remedy == "pip install 'holdfast-probe[http2]'"
    connecting.check_http2(asked=False)
