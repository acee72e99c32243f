"""Load over TLS against a real server: the same rows as over plain connections."""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from driving import PATIENCE_S, accept, outcomes, run_plan, turn_until
from support.answering import answering_server
from support.lateness import apart_from_lateness

from holdfast.engine.columns import requests
from holdfast.engine.endpoint import Tls
from holdfast.engine.http1 import host_field, request_head
from holdfast.engine.plan import Plan
from holdfast.engine.prober import Prober
from holdfast.engine.shapes import Closed, Open
from holdfast.engine.tls import TlsSocket, context_for
from holdfast.model import schedule
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.scenario import Timeouts

HERE = Path(__file__).parent
PEM = HERE / "localhost.pem"
"""Key and self-signed certificate of localhost and 127.0.0.1, valid for a hundred years and worth nothing."""


@pytest.fixture(scope="module")
def port():
    with answering_server(PEM) as port:
        yield port


@pytest.fixture
def tls_peer(listen):
    """A listening socket, and the context in which what it accepts speaks TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(PEM)
    return listen(), context


@contextmanager
def shaken(listener, context, turn):
    """The server's end of the next connection, after a handshake for which its peer is turned."""
    plain = listener.accept()[0]
    plain.setblocking(False)
    with context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as server:
        shakes(server, turn)
        yield server


def shakes(server, turn):
    done = False
    while not done:
        turn()
        with suppress(ssl.SSLWantReadError):
            server.do_handshake()
            done = True
    turn()


def shake(client):
    with suppress(BlockingIOError):
        client.shake()


def plan(port, shape, path="/same"):
    head = request_head("GET", path, host_field("127.0.0.1", port))
    return Plan("127.0.0.1", port, head, shape, Timeouts(whole_s=PATIENCE_S), tls=Tls("localhost", verify=False))


@pytest.mark.parametrize("path", ["/same", "/varied", "/pieces", "/large", "/last"])
def test_every_request_is_answered_over_tls_as_without(port, path):
    done = run_plan(plan(port, Closed(5, 60), path))

    assert outcomes(done) == {Outcome.ANSWERED: 60}
    assert apart_from_lateness(done.summary.warnings) == []


def test_a_request_is_sent_when_the_handshake_is_over(port):
    done = run_plan(plan(port, Open(schedule.burst(20))))

    assert outcomes(done) == {Outcome.ANSWERED: 20}
    rows = requests(done.columns, range(20), lambda _id: Phase.RAMP, done.facts.sources)
    assert all(row.opened_ns <= row.connected_ns < row.sent_ns < row.done_ns for row in rows)


def test_a_request_that_is_not_answered_waits_over_tls_too(port):
    head = request_head("GET", "/silent", "localhost")
    with Prober("127.0.0.1", port, lambda _id: head, 3, tls=Tls("localhost", verify=False)) as prober:
        prober.open(3)
        turn_until(prober, lambda: all(prober.columns.sent[:3]) and prober.established == 3)

        assert prober.ended == 0
        prober.give_up(prober.pending())
        assert prober.outcome_counts() == {Outcome.GIVEN_UP: 3}


def test_a_request_is_not_sent_before_the_handshake(listen):
    listener = listen()
    head = request_head("GET", "/", "localhost")
    with Prober(*listener.getsockname(), lambda _id: head, 1, tls=Tls("localhost", verify=False)) as prober:
        prober.open(1)
        turn_until(prober, lambda: prober.established == 1)
        (waiting,) = prober.requests(lambda _id: Phase.RAMP)

    assert waiting.connected_ns
    assert not waiting.sent_ns


def test_a_client_that_leaves_says_farewell_before_its_fin(tls_peer):
    listener, context = tls_peer
    head = request_head("GET", "/", "localhost")
    with Prober(*listener.getsockname(), lambda _id: head, 1, tls=Tls("localhost", verify=False)) as prober:
        prober.open(1)
        turn_until(prober, lambda: prober.established == 1)
        with shaken(listener, context, lambda: prober.turn(1_000_000)) as server:
            server.settimeout(PATIENCE_S)
            assert server.recv(4096) == head
            prober.give_up([0])
            # Without it, this is an SSLEOFError.
            assert server.recv(1) == b""


def test_the_server_chooses_among_the_protocols_that_are_offered(tls_peer):
    listener, context = tls_peer
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(listener.getsockname()) as plain:
        client = TlsSocket(plain, context_for(Tls("localhost", verify=False), "h2"), "localhost")
        plain.setblocking(False)
        with suppress(BlockingIOError):
            client.shake()
        with shaken(listener, context, lambda: shake(client)):
            assert client.shaken
            assert client.alpn == "h2"


def test_a_server_that_wants_a_certificate_is_said_to(tls_peer):
    listener, context = tls_peer
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    head = request_head("GET", "/", "localhost")
    with Prober(*listener.getsockname(), lambda _id: head, 1, tls=Tls("localhost", verify=False)) as prober:
        prober.open(1)
        turn_until(prober, lambda: prober.established == 1)
        with pytest.raises(ssl.SSLError), shaken(listener, context, lambda: prober.turn(1_000_000)):
            pass
        turn_until(prober, lambda: prober.ended == 1)

        assert "asks its clients for a certificate" in (prober.finding() or "")


def outcome(port, tls):
    head = request_head("GET", "/same", "localhost")
    with Prober("127.0.0.1", port, lambda _id: head, 1, tls=tls) as prober:
        prober.open(1)
        turn_until(prober, lambda: prober.ended)
        return Outcome(prober.columns.outcome[0]), prober.finding() or ""


def test_a_certificate_that_nobody_trusts_is_refused_and_named(port):
    ended, finding = outcome(port, Tls("localhost"))

    assert ended == Outcome.MALFORMED
    assert "certificate" in finding
    assert "self-signed" in finding.replace("self signed", "self-signed")


def test_a_certificate_that_the_system_trusts_is_taken(port, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))

    assert outcome(port, Tls("localhost")) == (Outcome.ANSWERED, "")
    ended, finding = outcome(port, Tls("shop.example"))
    assert ended == Outcome.MALFORMED
    assert "shop.example" in finding


def test_a_server_that_speaks_no_tls_is_said_to(listen):
    listener = listen()
    head = request_head("GET", "/", "localhost")
    with Prober(*listener.getsockname(), lambda _id: head, 2, tls=Tls("localhost", verify=False)) as prober:
        prober.open(2)
        turn_until(prober, lambda: prober.established == 2)
        talks, closes = listener.accept()[0], listener.accept()[0]
        talks.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        closes.close()
        turn_until(prober, lambda: prober.ended == 2)
        talks.close()

        assert prober.outcome_counts() in (
            {Outcome.CLOSED: 1, Outcome.MALFORMED: 1},
            {Outcome.RESET: 1, Outcome.MALFORMED: 1},  # what we had sent was left unread
        )
        assert "no TLS" in (prober.finding() or "")


def test_plain_connections_go_on_as_they_did(listen, probe):
    listener = listen()
    prober = probe(listener)
    prober.open(1)
    turn_until(prober, lambda: prober.established == 1)
    with accept(listener) as connection:
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n")
        turn_until(prober, lambda: prober.ended)

    assert prober.location == "/there"
