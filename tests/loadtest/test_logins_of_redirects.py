"""Credentials go with a redirect or a resource by where it leads, as JMeter 5.5 sends them (tests/oracle, login-*)."""

from __future__ import annotations

import pytest
from test_following import carried_out_once
from travelling import answering, sending

from holdfast.model.journey_request import Resources
from holdfast.model.logins import Credentials

MOLE = ("Authorization", "Basic bW9sZTpkaWc=")


def login(url: str) -> tuple[Credentials, ...]:
    return (Credentials(url, "mole", "dig", "", "unasked"),)


@pytest.mark.parametrize("how", ["get", "library"])
def test_a_redirect_to_what_an_entry_is_for_tells_it(how, tmp_path):
    with answering(redirecting_to("/in")) as (origin, seen):
        step = sending("a", origin, "/out", follow=3, redirects=how, credentials=login(f"{origin}/in"))
        carried_out_once([step], tmp_path / "told")

    assert told_in(seen) == [("/out", ""), ("/in", MOLE[1])]


@pytest.mark.parametrize(("how", "after"), [("get", ""), ("library", MOLE[1])])
def test_a_redirect_to_what_no_entry_is_for_tells_it_only_with_a_library_that_has_told_the_server(how, after, tmp_path):
    with answering(redirecting_to("/out")) as (origin, seen):
        step = sending("a", origin, "/in", follow=3, redirects=how, headers=(MOLE,), credentials=login(f"{origin}/in"))
        carried_out_once([step], tmp_path / "told")

    assert told_in(seen) == [("/in", MOLE[1]), ("/out", after)]


def test_an_entry_for_a_server_counts_for_redirects_on_the_one_that_takes_its_place(tmp_path):
    with answering(redirecting_to("/in")) as (origin, seen):
        entries = login("http://shop.example/in")
        step = sending("a", origin, "/", follow=3, redirects="get", credentials=entries, named="http://shop.example")
        carried_out_once([step], tmp_path / "told")

    assert told_in(seen) == [("/", ""), ("/in", MOLE[1])]


def test_what_a_page_embeds_is_told_by_where_it_is(tmp_path):
    page = {"Content-Type": "text/html"}, b'<img src="/p/a.png"><img src="/b.png">'
    with answering(lambda *_asked: (200, *page)) as (origin, seen):
        step = sending("page", origin, "/in", resources=Resources(), credentials=login(f"{origin}/p"))
        carried_out_once([step], tmp_path / "told")

    assert sorted(told_in(seen)) == [("/b.png", ""), ("/in", ""), ("/p/a.png", MOLE[1])]


def redirecting_to(place):
    return lambda _method, path, _fields, _body: (200, {}, b"") if path == place else (302, {"Location": place}, b"")


def told_in(seen):
    return [(path, fields.get("authorization", "")) for _, path, fields, _ in seen.requests]
