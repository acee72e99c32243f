"""Whether a server speaks TLS, as far as a single request shows."""

from __future__ import annotations

import pytest

from holdfast.engine.endpoint import NO_TLS
from holdfast.model.experiment import CommandTarget, Experiment
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import Request
from holdfast.probing.tls import may_speak_tls, no_tls, speaks_tls, tls_towards

HERE = "127.0.0.1:8443"


def request(outcome: Outcome, status: int = 0, sent_ns: int = 3000) -> Request:
    return Request(0, Phase.FIRST_REQUEST, 1000, 1000, 2000, 4000, outcome, status, "127.0.0.1", 40_000, sent_ns)


@pytest.mark.parametrize(
    ("outcome", "status", "may"),
    [
        (Outcome.CLOSED, 0, True),
        (Outcome.RESET, 0, True),
        (Outcome.MALFORMED, 0, True),  # an alert
        (Outcome.REJECTED, 400, True),
        (Outcome.REJECTED, 404, False),
        (Outcome.REJECTED, 503, False),
        (Outcome.ANSWERED, 200, False),
        (Outcome.CLOSED, 200, False),  # in the middle of a reply in plain HTTP
        (Outcome.PENDING, 0, False),
        (Outcome.REFUSED, 0, False),
    ],
)
def test_tls_is_tried_where_a_plain_request_may_have_been_turned_away_for_lack_of_it(outcome, status, may):
    assert may_speak_tls(request(outcome, status)) is may


def test_a_request_that_was_sent_over_tls_shows_it():
    assert speaks_tls(request(Outcome.CLOSED), None)
    assert not speaks_tls(request(Outcome.CLOSED, sent_ns=0), None)
    assert not speaks_tls(request(Outcome.MALFORMED, sent_ns=0), f"{NO_TLS}: wrong version number")
    assert speaks_tls(request(Outcome.MALFORMED, sent_ns=0), f"{NO_TLS}: tlsv1 alert protocol version")


@pytest.mark.parametrize(
    ("asked", "finding", "words"),
    [
        (request(Outcome.MALFORMED, sent_ns=0), f"{NO_TLS}: wrong version number", "does not speak TLS"),
        (request(Outcome.MALFORMED, sent_ns=0), f"{NO_TLS}: tlsv1 alert protocol version", "but not with holdfast"),
        (request(Outcome.CLOSED, sent_ns=0), None, "closed the connection before the TLS handshake"),
        (request(Outcome.RESET, sent_ns=0), None, "reset the connection before the TLS handshake"),
        (request(Outcome.PENDING, sent_ns=0), None, "did not come to its end"),
    ],
)
def test_each_way_not_to_meet_in_tls_has_its_words(asked, finding, words):
    error = no_tls(HERE, asked, finding, "")

    assert error is not None
    assert words in error.what
    assert HERE in error.what
    assert error.remedy


def test_there_is_nothing_to_say_where_the_handshake_came_about():
    assert no_tls(HERE, request(Outcome.ANSWERED, 200), None, "") is None
    assert no_tls(HERE, request(Outcome.PENDING), None, "") is None


@pytest.mark.parametrize(
    ("headers", "address", "host"),
    [
        ((), "127.0.0.1", "127.0.0.1"),
        ((("Host", "shop.example:8443"),), "127.0.0.1", "shop.example"),
        ((("host", "shop.example"),), "::1", "shop.example"),
        ((("Host", "[::1]:8443"),), "::1", "::1"),
        ((), "/run/shop.sock", "localhost"),
    ],
)
def test_the_name_that_is_asked_for_is_that_of_the_host_field(headers, address, host):
    tls = tls_towards(Experiment(CommandTarget(("serve",)), headers=headers), address)

    assert tls.host == host
    assert not tls.verify
