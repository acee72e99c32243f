"""Redirects, as clients of several kinds follow them."""

from __future__ import annotations

import pytest
from test_following import carried_out_once, outcomes_of, redirecting
from travelling import answering, reasons_of, sending

from holdfast.model.journey_request import Resources


@pytest.mark.parametrize(
    ("how", "status", "method", "after"),
    [
        ("get", 308, "POST", "GET"),
        ("get", 307, "POST", None),
        ("get", 307, "HEAD", "HEAD"),
        ("get", 302, "PUT", "GET"),
        ("library", 307, "POST", "POST"),
        ("library", 302, "PUT", None),
        ("library", 303, "PUT", "GET"),
    ],
)
def test_other_clients_than_browsers_follow_redirects_in_their_own_way(how, status, method, after, tmp_path):
    """As JMeter 5.5 does (tests/oracle, redirect-methods)."""
    body = None if method == "HEAD" else b"a=1"
    with answering(redirecting) as (origin, seen):
        step = sending("form", origin, f"/{status}/place", method=method, body=body, follow=3, redirects=how)
        finished, _ = carried_out_once([step], tmp_path / "told")

    assert [each for each, *_ in seen.requests] == [method, *([after] if after else [])]
    assert set(outcomes_of(finished)) == {"answered"}


@pytest.mark.parametrize(("how", "outcome"), [("browser", "answered"), ("get", "rejected"), ("library", "rejected")])
def test_a_redirect_without_a_location_is_the_answer_in_a_browser_and_told(how, outcome, tmp_path):
    with answering(lambda *_asked: (302, {}, b"")) as (origin, seen):
        finished, told = carried_out_once([sending("lost", origin, follow=3, redirects=how)], tmp_path / "told")

    assert seen.paths == ["/"]
    assert outcomes_of(finished) == [outcome]
    assert told[0]["answered"] is (outcome == "answered")
    noted = "1 redirect named no Location, so it was not followed. It counts as answered, as in a browser."
    assert (noted in finished.result.warnings) is (how == "browser")
    assert reasons_of(finished) == ["" if how == "browser" else "It is a redirect without a Location"]


def test_a_redirect_in_a_circle_ends_at_once_with_a_client_library(tmp_path):
    with answering(lambda _method, path, _fields, _body: (302, {"Location": path}, b"")) as (origin, seen):
        step = sending("loop", origin, "/loop", follow=20, redirects="library", hops_count=False)
        finished, _ = carried_out_once([step], tmp_path / "told")

    assert seen.paths == ["/loop"] * 2
    assert reasons_of(finished) == [f"It was redirected, but in a circle, to {origin}/loop"]


def test_the_answers_of_redirects_and_of_what_a_page_embeds_are_told_to_who_looks_at_them(tmp_path):
    """As sub-results of JMeter 5.5 (tests/oracle, parts-taken): each exchange by itself, and the page among them."""

    def embedding(method, path, fields, body):
        status, more, content = redirecting(method, path, fields, body)
        return status, {**more, "Content-Type": "text/html"}, b'<img src="/i.png">' if path == "/page" else content

    with answering(embedding) as (origin, _):
        of_page = {"redirects": "get", "hops_count": False, "with_parts": True}
        steps = [
            sending("two hops", origin, "/302/page?/301/page", follow=5, **of_page),
            sending("page", origin, "/page", resources=Resources(), follow=5, **of_page),
            sending("both", origin, "/302/page", resources=Resources(), follow=5, **of_page),
            sending("alone", origin, "/other", resources=Resources(), follow=5, **of_page),
            sending("unseen", origin, "/302/page", follow=5, **(of_page | {"redirects": "library"})),
            sending("not looked at", origin, "/302/page", follow=5, **(of_page | {"with_parts": False})),
        ]
        _, told = carried_out_once(steps, tmp_path / "told")

    parts = [[(url, status) for url, status, _ in each["parts"]] for each in told]
    page, image = ("page", 200), ("i.png", 200)
    assert parts[:2] == [[("page", 302), ("page", 301), page], [page, image]]
    assert parts[2:] == [[("page", 302), page, image], [], [], []]
    sizes = [size for *_, size in told[0]["parts"]]
    assert sum(sizes) == told[0]["size"]
    assert sizes[2] == told[1]["parts"][0][2]


@pytest.mark.parametrize("kept", [frozenset(), frozenset({"authorization"})])
def test_what_another_server_embeds_is_sent_credentials_only_if_they_are_for_every_server(kept, tmp_path):
    with answering(lambda *_asked: (200, {}, b"")) as (there, second):
        page = {"Content-Type": "text/html"}, f'<img src="{there}/a.png"><img src="/b.png">'.encode()
        with answering(lambda *_asked: (200, *page)) as (here, first):
            headers = (("Authorization", "Basic eDp5"), ("X-Mine", "1"))
            step = sending("page", here, headers=headers, resources=Resources(), kept=kept)
            carried_out_once([step], tmp_path / "told")

    assert [fields["authorization"] for _, _, fields, _ in first.requests] == ["Basic eDp5"] * 2
    assert [("authorization" in fields, fields["x-mine"]) for _, _, fields, _ in second.requests] == [(bool(kept), "1")]
