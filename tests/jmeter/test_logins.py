"""Entries of an Authorization Manager count for URLs that begin like theirs.

Expected: apache/jmeter 5.5, AuthManager.java (getAuthForURL), and what JMeter 5.5 sent (tests/oracle, login-*; with a
server on port 80 in front of it for the usual port).
"""

from __future__ import annotations

from base64 import b64decode

import pytest
from oracle import jmx_elements as e
from test_requests import read, requests_of, sent

from holdfast.model.logins import Credentials, basic_field, credentials_for
from holdfast.plans.elsewhere import journeys_elsewhere
from holdfast.plans.origins import origins


def entry(url: str, **more: str) -> Credentials:
    return Credentials(url, "mole", "dig", "", "unasked")._replace(**more)


@pytest.mark.parametrize(
    ("url", "origin", "path", "counts"),
    [
        ("http://shop.example:80/in", "http://shop.example", "/in", True),
        ("http://shop.example/in", "http://shop.example:80", "/in", True),
        ("https://shop.example:443/", "https://shop.example", "/in?a=1", True),
        ("http://shop.example:443/", "http://shop.example", "/", False),
        ("http://[::1]:80/", "http://[::1]", "/", True),
        ("http://shop.example:8000/", "http://shop.example", "/", False),
        ("http://shop.example", "http://shop.example.org", "/", True),
        ("http://shop.example/a b", "http://shop.example", "/a%20b", True),
        ("http://shop.example/a%20b", "http://shop.example", "/a%20b", False),
        ("http://shop.example/?a", "http://shop.example", "/?a=1", False),
        ("", "http://shop.example", "/", True),
    ],
)
def test_an_entry_counts_where_the_url_begins_like_its_own(url: str, origin: str, path: str, *, counts: bool) -> None:
    assert (credentials_for([entry(url)], origin, path) is not None) is counts


def test_the_first_entry_that_counts_is_told_also_where_it_says_nothing() -> None:
    known = [entry("http://a/in", told="never"), entry("http://a/")]

    assert basic_field(known, "http://a", "/in") == ""
    assert basic_field(known, "http://a", "/out") == "Basic bW9sZTpkaWc="


def test_whether_an_entry_counts_may_be_known_only_when_the_request_is_sent() -> None:
    manager = e.authorization("http://127.0.0.1:8000/in", "mole", "dig")
    requests = "".join(e.request(path) for path in ("/in/${n}", "/${n}", "${at}/b", "/in${n}"))

    found = sent(manager + requests, {"n": "7", "at": "/in"})

    assert [bool(each.headers) for each in found] == [True, False, True, True]


def test_a_domain_goes_before_the_name_in_capitals_and_not_with_java() -> None:
    manager = e.authorizations(e.login("http://127.0.0.1:8000/", "mole", "dig", domain="shelf"))

    apache, java = sent(manager + e.request("/a") + e.request("/b", implementation="Java"))

    assert [b64decode(each.headers[-1][1].removeprefix("Basic ")) for each in (apache, java)] == [
        b"SHELF\\mole:dig",
        b"mole:dig",
    ]


def test_where_another_server_takes_its_place_an_entry_counts_for_the_one_that_the_plan_names() -> None:
    below = e.authorization("http://127.0.0.1:8000/in", "mole", "dig") + e.request("/in/a")
    asked = origins("http://127.0.0.1:9000", ())

    journeys = journeys_elsewhere(read(below).journeys, {}, asked, "test.jmx").journeys
    assert journeys is not None
    (request,) = requests_of(journeys.crews[0].journey)

    assert request.origin == ("http://127.0.0.1:9000",)
    assert request.named == ("http://127.0.0.1:8000",)
