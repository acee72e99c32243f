"""Cookies, redirects and embedded resources, as a server and the journey see them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from travelling import Reply, answering, carried_out, crew, experiment_of, labels_of, reasons_of, sending

from holdfast.engine.cookies import MOST_OF_A_HOST
from holdfast.journeys.steps import NewVisitor, Sending, Walk
from holdfast.loadtest.rows import chunks
from holdfast.loadtest.run import FinishedLoad
from holdfast.model.journey import Crew
from holdfast.model.journey_request import Resources

COOKIES = {"keeps_cookies": True}
ALL = Resources()


def outcomes_of(finished: FinishedLoad) -> list[str]:
    return [outcome for rows in chunks(finished) for outcome in rows.outcome]


def carried_out_once(
    steps: list[Sending | NewVisitor], told_in: Path, **of_crew: Any
) -> tuple[FinishedLoad, list[dict[str, Any]]]:
    """What comes of one client with these steps, and what it is told of each request."""

    def walk(_crew: Crew, _number: int) -> Walk:
        # The walk is in another process.
        with told_in.open("w") as file:
            for step in steps:
                answer = (yield step).answer
                if answer is not None:
                    fields = ("url", "answered", "status", "message", "request_head", "size", "took_ms")
                    parts = [(each.url.rpartition("/")[2], each.status, each.size) for each in answer.parts]
                    print(json.dumps({name: getattr(answer, name) for name in fields} | {"parts": parts}), file=file)

    finished = carried_out(experiment_of(crew(**of_crew)), walk)
    return finished, [json.loads(line) for line in told_in.read_text().splitlines()]


def redirecting(_method: str, path: str, _fields: dict[str, str], _body: bytes) -> Reply:
    """`/STATUS/PLACE` redirects with that status to that place, or to the URL in its query; all else is a page."""
    parts = path.partition("?")[0].split("/")
    if len(parts) == 3 and parts[1].isdecimal():
        return int(parts[1]), {"Location": path.partition("?")[2] or f"../{parts[2]}"}, b"moved"
    return 200, {}, b"there"


def test_a_redirect_is_followed_and_is_a_result_of_its_own(tmp_path):
    with answering(redirecting) as (origin, seen):
        step = sending("start", origin, "/302/place", follow=5)
        finished, told = carried_out_once([step], tmp_path / "told")

    assert seen.paths == ["/302/place", "/place"]
    assert outcomes_of(finished) == ["answered", "answered"]
    assert labels_of(finished) == ["start", "start, redirected"]
    assert finished.result.redirects == 1
    assert finished.result.statuses == {"200": 1, "302": 1}
    assert (told[0]["url"], told[0]["status"]) == (f"{origin}/place", 200)


def test_redirects_that_do_not_count_are_one_result_from_the_first_begin_to_the_last_end(tmp_path):
    with answering(redirecting) as (origin, seen):
        step = sending("start", origin, "/302/next?/302/place", follow=5, hops_count=False)
        finished, told = carried_out_once([step], tmp_path / "told")

    assert seen.paths == ["/302/next?/302/place", "/302/place", "/place"]
    (rows,) = chunks(finished)
    assert (rows.outcome, rows.status, rows.label) == (["answered"], [200], ["start"])
    assert finished.result.redirects == 2
    # It was opened once, at the begin, and has the bytes of all three replies.
    assert rows.due_ns[0] <= rows.opened_ns[0] < rows.connected_ns[0] <= rows.sent_ns[0] < rows.done_ns[0]
    assert rows.received_bytes[0] == told[0]["size"] > 3 * len(b"HTTP/1.0 200 OK\r\n")
    assert told[0]["took_ms"] == pytest.approx((rows.done_ns[0] - rows.due_ns[0]) / 1e6)


@pytest.mark.parametrize(
    ("status", "method", "after"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (302, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "PUT", "PUT"),
    ],
)
def test_a_redirect_keeps_method_and_body_as_its_status_says(status, method, after, tmp_path):
    """RFC 9110, 15.4."""
    body = None if method == "HEAD" else b"a=1"
    headers = (("Content-Type", "application/x-www-form-urlencoded"), ("X-Mine", "1"))
    with answering(redirecting) as (origin, seen):
        step = sending("form", origin, f"/{status}/place", method=method, body=body, headers=headers, follow=1)
        carried_out_once([step], tmp_path / "told")

    sent, path, fields, content = seen.requests[1]
    assert (sent, path, content) == (after, "/place", body if after == method and body else b"")
    assert ("content-type" in fields) is (status in (307, 308))
    assert fields["x-mine"] == "1"


def test_a_content_type_that_is_not_of_the_body_goes_with_redirects_and_resources(tmp_path):
    """As JMeter 5.5 sends one that a Header Manager sets."""
    page = {"Content-Type": "text/html"}, b'<img src="a.png">'
    with answering(lambda *asked: redirecting(*asked) if "302" in asked[1] else (200, *page)) as (origin, seen):
        more = {"method": "POST", "body": b"a=1", "headers": (("Content-Type", "text/x"),), "resources": ALL}
        step = sending("form", origin, "/302/x?/place", follow=1, kept=frozenset({"content-type"}), **more)
        carried_out_once([step], tmp_path / "t")

    assert [(method, fields.get("content-type")) for method, _, fields, _ in seen.requests] == [
        ("POST", "text/x"),
        ("GET", "text/x"),
        ("GET", "text/x"),
    ]


def test_a_loop_of_redirects_ends_with_a_reason(tmp_path):
    with answering(lambda _method, path, _fields, _body: (302, {"Location": path}, b"")) as (origin, seen):
        finished, told = carried_out_once([sending("loop", origin, "/loop", follow=3)], tmp_path / "told")

    assert seen.paths == ["/loop"] * 4
    assert outcomes_of(finished) == ["answered"] * 3 + ["rejected"]
    assert reasons_of(finished)[-1] == "It was redirected more than 3 times, at last to /loop"
    assert (told[0]["answered"], told[0]["message"]) == (False, reasons_of(finished)[-1])


def test_a_redirect_leads_over_several_servers_without_the_credentials_of_the_first(tmp_path):
    with answering(redirecting) as (there, second), answering(redirecting) as (here, first):
        headers = (("Authorization", "Basic eDp5"), ("Host", "shop.example"), ("X-Mine", "1"))
        step = sending("login", here, f"/302/x?{there}/302/y?{there}/place", headers=headers, follow=5)
        finished, told = carried_out_once([step], tmp_path / "told")

    assert first.paths == [f"/302/x?{there}/302/y?{there}/place"]
    assert second.paths == [f"/302/y?{there}/place", "/place"]
    assert first.requests[0][2]["authorization"] == "Basic eDp5"
    assert "authorization" not in second.requests[0][2]
    assert second.requests[0][2]["host"] == there.removeprefix("http://")
    assert second.requests[1][2]["x-mine"] == "1"
    assert second.connections == first.connections == 1
    assert finished.result.redirects == 2
    assert told[0]["url"] == f"{there}/place"


def test_a_redirect_leads_to_a_server_that_speaks_tls_and_secure_cookies_go_there_alone():
    with answering(setting, tls=True) as (there, second):

        def answer(_method: str, path: str, _fields: dict[str, str], _body: bytes) -> Reply:
            return (302, {"Location": f"{there}/?safe=1;%20Secure"}, b"") if path == "/in" else (200, {}, b"")

        with answering(answer) as (here, first):

            def walk(_crew: Crew, _number: int) -> Walk:
                yield sending("in", here, "/in", follow=1)
                yield sending("safe", there)
                yield sending("plain", here)

            finished = carried_out(experiment_of(crew(keeps_cookies=True), verify=False), walk)

    assert finished.result.outcomes["answered"] == 4
    assert cookies_sent(second) == ["", "safe=1"]
    assert cookies_sent(first) == ["", ""]
    assert (first.connections, second.connections) == (1, 1)


def test_a_redirect_to_a_host_that_may_not_be_loaded_is_not_followed_and_told(tmp_path):
    with answering(redirecting) as (origin, seen):
        step = sending("away", origin, "/302/x?http://shop.example/", follow=5)
        finished, told = carried_out_once([step, sending("after", origin)], tmp_path / "told")

    assert seen.paths == ["/302/x?http://shop.example/", "/"]
    assert outcomes_of(finished) == ["answered", "unsent", "answered"]
    assert "shop.example is not this machine's loopback" in reasons_of(finished)[1]
    assert "--allow-remote shop.example" in reasons_of(finished)[1]
    told_of = [each for each in finished.result.warnings if "shop.example is not this machine's loopback" in each]
    assert len(told_of) == 1
    assert told_of[0].startswith("1 unsent, away, redirected: ")
    assert not told[0]["answered"]
    assert not finished.result.generator_limited


@pytest.mark.parametrize("location", ["ftp://x/", "mailto:a@b", "http://[::1"])
def test_a_redirect_to_what_is_not_a_server_is_told(location, tmp_path):
    with answering(lambda *_: (302, {"Location": location}, b"")) as (origin, _):
        finished, _ = carried_out_once([sending("away", origin, follow=5)], tmp_path / "told")

    assert outcomes_of(finished) == ["rejected"]
    assert reasons_of(finished)[0].startswith("It was redirected, but ")


def test_redirects_are_not_followed_unless_that_is_asked_for(tmp_path):
    with answering(redirecting) as (origin, seen):
        finished, told = carried_out_once([sending("start", origin, "/302/place")], tmp_path / "told")

    assert seen.paths == ["/302/place"]
    assert outcomes_of(finished) == ["answered"]
    assert told[0]["status"] == 302


def setting(_method: str, path: str, _fields: dict[str, str], _body: bytes) -> Reply:
    """The query is what is set, several apart by `&&`."""
    set_ = path.partition("?")[2].replace("%20", " ").replace("&&", "\n")
    return 200, {"Set-Cookie": set_} if set_ else {}, b""


def cookies_sent(seen: Any) -> list[str]:
    return [fields.get("cookie", "") for _, _, fields, _ in seen.requests]


def test_cookies_are_kept_and_sent_as_a_browser_does(tmp_path):
    """RFC 6265: path (5.1.4), Secure, Max-Age and Expires (5.2), removal by a date in the past (5.3)."""
    with answering(setting) as (origin, seen):
        steps = [
            sending("", origin, "/?session=1&&theme=dark;%20Path=/shop&&safe=1;%20Secure&&gone=1;%20Max-Age=0"),
            sending("", origin, "/"),
            sending("", origin, "/shop/cart"),
            sending("", origin, "/shopping"),
            sending("", origin, "/?session=2;%20HttpOnly;%20SameSite=Lax"),
            sending("", origin, "/"),
            sending("", origin, "/?session=;%20Expires=Thu,%2001%20Jan%201970%2000:00:00%20GMT"),
            sending("", origin, "/"),
        ]
        carried_out_once(steps, tmp_path / "told", **COOKIES)

    assert cookies_sent(seen) == [
        "",
        "session=1",
        "theme=dark; session=1",
        "session=1",
        "session=1",
        "session=2",
        "session=2",
        "",
    ]


def test_a_client_that_keeps_no_cookies_sends_none(tmp_path):
    with answering(setting) as (origin, seen):
        carried_out_once([sending("", origin, "/?a=1"), sending("", origin)], tmp_path / "told")

    assert cookies_sent(seen) == ["", ""]


def test_cookies_of_one_host_are_not_sent_to_another(tmp_path):
    with answering(setting) as (origin, seen):
        port = origin.rpartition(":")[2]
        names = [f"http://{host}:{port}" for host in ("127.0.0.1", "localhost")]
        steps = [
            sending("", names[0], "/?address=1"),
            sending("", names[1], "/?name=1;%20Domain=localhost"),
            sending("", names[1], "/?other=1;%20Domain=shop.example"),
            *(sending("", each) for each in names),
        ]
        carried_out_once(steps, tmp_path / "told", **COOKIES)

    assert cookies_sent(seen)[3:] == ["address=1", "name=1"]


def test_each_hop_of_a_redirect_takes_and_sends_cookies(tmp_path):
    def login(_method: str, path: str, fields: dict[str, str], _body: bytes) -> Reply:
        if path == "/login":
            return 302, {"Location": "/home", "Set-Cookie": "session=7; Path=/"}, b""
        return (200 if "session=7" in fields.get("cookie", "") else 401), {}, b""

    with answering(login) as (origin, seen):
        finished, _ = carried_out_once([sending("login", origin, "/login", follow=2)], tmp_path / "told", **COOKIES)

    assert cookies_sent(seen) == ["", "session=7"]
    assert finished.result.outcomes["answered"] == 2


def test_a_crew_begins_with_its_cookies_and_has_them_again_after_its_jar_is_emptied(tmp_path):
    fixed = (("theme", "dark", "127.0.0.1", "/"), ("other", "1", "shop.example", "/"), ("any", "1", "", ""))
    with answering(setting) as (origin, seen):
        steps = [sending("", origin, "/?a=1"), sending("", origin), NewVisitor(True, False), sending("", origin)]
        carried_out_once(steps, tmp_path / "told", **COOKIES, cookies=fixed)

    assert cookies_sent(seen) == ["any=1; theme=dark", "any=1; theme=dark; a=1", "any=1; theme=dark"]


def test_a_jar_that_is_filled_without_end_keeps_what_a_browser_would_and_says_so(tmp_path):
    with answering(setting) as (origin, seen):
        each = 30
        steps = [
            sending("", origin, "/?" + "&&".join(f"c{at * each + more}=1" for more in range(each))) for at in range(8)
        ]
        long = sending("", origin, f"/?long={'x' * 5000}")
        finished, _ = carried_out_once([*steps, long, sending("", origin)], tmp_path / "told", **COOKIES)

    sent = cookies_sent(seen)[-1].split("; ")
    assert len(sent) == MOST_OF_A_HOST
    assert {"c239=1", "c238=1"} <= set(sent)
    assert "c0=1" not in sent
    assert any(f"{8 * each - MOST_OF_A_HOST + 1} cookies were not kept" in each_ for each_ in finished.result.warnings)


def test_each_client_has_cookies_of_its_own(tmp_path):
    with answering(setting) as (origin, seen):

        def walk(_crew: Crew, number: int) -> Walk:
            yield sending("", origin, f"/?client={number}")
            yield sending("", origin, f"/{number}")

        carried_out(experiment_of(crew(4, keeps_cookies=True)), walk)

    later = {path: fields.get("cookie") for _, path, fields, _ in seen.requests if "?" not in path}
    assert later == {f"/{client}": f"client={client}" for client in range(1, 5)}


PAGE = b"""<html><head><base href="/static/"><link rel=stylesheet href="main.css"><link rel="canonical" href="/no">
<style>@import "more.css"; body { background: url( 'back.png' ) }</style>
<script src=app.js></script><script>var x = "<img src=not.png>";</script></head>
<body background="body.gif"><img src="a.png"><IMG SRC="a.png#again"><img src="data:image/png;base64,AA">
<input type=image src="button.png"><input type=text src="no.png"><div style="background:url(div.png)">
<a href="/no.html">x</a><iframe src="/frame.html"></iframe><img src="/missing.png">
<img src="http://cdn.example/x.png"><!-- <img src="comment.png"> --></body></html>"""
EMBEDDED = [
    "/static/main.css",
    "/static/more.css",
    "/static/back.png",
    "/static/app.js",
    "/static/body.gif",
    "/static/a.png",
    "/static/button.png",
    "/static/div.png",
    "/frame.html",
    "/missing.png",
]


def embedding(_method: str, path: str, _fields: dict[str, str], _body: bytes) -> Reply:
    html = {"Content-Type": "text/html; charset=utf-8"}
    if path == "/":
        return 200, html, PAGE
    if path == "/frame.html":
        return 200, html, b"<img src=inner.png><img src=/static/a.png>"
    if path.endswith(".css"):
        return 200, {"Content-Type": "text/css"}, b"/* url(comment.png) */ a { background: url(of-css.png) }"
    return (404 if "missing" in path else 200), {}, b""


def test_what_a_page_embeds_is_fetched_with_it_each_once(tmp_path):
    with answering(embedding) as (origin, seen):
        finished, told = carried_out_once([sending("page", origin, resources=ALL)], tmp_path / "told")

    assert seen.paths == ["/", *EMBEDDED, "/static/of-css.png", "/inner.png"]
    assert labels_of(finished) == ["page"] + ["page, embedded"] * (len(seen.paths) - 1)
    assert finished.result.embedded == len(seen.paths) - 1
    # As in JMeter, a page is not answered where something that it embeds is not.
    assert outcomes_of(finished).count("rejected") == 2
    assert (told[0]["answered"], told[0]["status"]) == (False, 200)
    assert told[0]["message"] == f"{origin}/missing.png, which it embeds, was not answered"
    assert outcomes_of(finished)[0] == "rejected"
    assert [each for each in finished.result.warnings if "1 resources that pages embed were not fetched" in each]


def test_patterns_choose_among_what_a_page_embeds(tmp_path):
    chosen = Resources(matching=(r".*\.(png|css)",), not_matching=(r".*missing.*",))
    with answering(embedding) as (origin, seen):
        carried_out_once([sending("page", origin, resources=chosen)], tmp_path / "told")

    png_or_css = [each for each in EMBEDDED if each.endswith((".png", ".css")) and "missing" not in each]
    assert seen.paths == ["/", *png_or_css, "/static/of-css.png"]


def test_a_pattern_that_does_not_end_is_given_up_and_told(tmp_path):
    page = f"<img src=/{'a' * 40}!>".encode()

    def answer(_method: str, _path: str, _fields: dict[str, str], _body: bytes) -> Reply:
        return 200, {"Content-Type": "text/html"}, page

    with answering(answer) as (origin, seen):
        step = sending("page", origin, resources=Resources(matching=(r".*/(a+)+b",)))
        finished, _ = carried_out_once([step], tmp_path / "told")

    assert seen.paths == ["/"]
    assert any("too long" in each and "(a+)+b" in each for each in finished.result.warnings)
