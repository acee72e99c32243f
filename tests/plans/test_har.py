"""What is sent of a recording, and what is listed: by the HAR specification, and by what browsers write.

The recordings in `har/` were written by hand; what a careful replay sends of each is told beside it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from holdfast.errors import UsageError
from holdfast.plans.differences import in_words
from holdfast.plans.har import read_har
from holdfast.plans.origins import base, mapped, origins

HAR = Path(__file__).parent / "har"
HOST = {"name": "Host", "value": "shop.example"}


def recorded(name, url=None, *maps):
    (file,) = HAR.glob(f"{name}-*.har")
    return read_har(file.read_bytes(), name, origins(url, tuple(map(mapped, maps))))


def read(name):
    found = recorded(name)
    (url,) = set(found.servers)
    return url, [(step.method, step.path, step.body) for step in found.steps], in_words(found.notes), found.steps


def sent(found):
    return [f"{server}{step.path}" for server, step in zip(found.servers, found.steps, strict=True)]


def of_one(request=(), answer=(), **entry):
    """What is read of an archive with this entry, and an ordinary one behind it."""
    known = {"method": "GET", "url": "http://shop.example/x", "headers": [HOST], **dict(request)}
    entries = [
        {"request": known, "response": {"status": 200, **dict(answer)}, **entry},
        {"request": {"method": "GET", "url": "http://shop.example/last", "headers": [HOST]}},
    ]
    found = read_har(json.dumps({"log": {"entries": entries}}).encode(), "made.har")
    return [(step.label, step.body) for step in found.steps[:-1]], in_words(found.notes)


def test_the_pages_server_is_loaded_although_another_got_more_requests():
    url, sent, words, _ = read("01")

    assert url == "https://shop.example"
    assert sent == [("POST", "/jars?kind=clay", b"q=lid&n=2"), ("GET", "/jars/more?after=%2F3&x=a+b", None)]
    assert recorded("01").choice == (
        "01: 2 requests to https://shop.example, the page's server, are sent; 6 are left out: "
        "5 to https://static.example, 1 to https://count.example:8443."
    )
    assert any("pauses: up to 1.6 s between requests are not kept; --pauses 1" in line for line in words)


def test_without_a_page_the_server_with_most_requests_is_loaded_and_a_missing_begin_is_told():
    url, sent, words, _ = read("02")

    assert url == "https://www.shop.example"
    assert sent == [("GET", "/start", None), ("GET", "/start/nl", None), ("POST", "/basket", b'{"jar":3}')]
    assert recorded("02").choice == (
        "02: 3 requests to https://www.shop.example, the server with most of them, are sent; 3 are left out: "
        "2 to https://shop.example, 1 to http://shop.example."
    )
    assert any("the recording begins at http://shop.example" in line for line in words)


def test_only_what_was_on_the_wire_is_sent():
    _, sent, words, steps = read("03")

    assert [path for _, path, _ in sent] == ["/lids", "/lids.css", "/gone-away", "/lids/broken"]
    assert [name for name, _ in steps[1].headers] == ["If-None-Match", "If-Modified-Since"]
    assert 'left out: request "GET /lids.js", "GET /logo.png": the browser\'s cache answered it' in words
    assert 'left out: request "GET /blocked.js": it never left the browser' in words
    assert 'differs: request "GET /gone-away": sent, although it had no answer when it was recorded' in words
    assert 'left out: requests to "data:", "blob:": only http and https are sent' in words


def test_tunnels_and_websockets_are_named_where_nothing_is_left_to_send():
    with pytest.raises(UsageError) as caught:
        read("04")

    assert 'CONNECT "shop.example:443", "static.example:8443"' in caught.value.why
    assert 'WebSocket "wss://shop.example/ticker", "https://shop.example/ticker"' in caught.value.why


def test_forms_are_made_from_their_fields_and_files_without_content_are_not_sent():
    _, sent, words, _ = read("05")

    assert sent == [
        (
            "POST",
            "/returns",
            (
                b'----jar7\r\nContent-Disposition: form-data; name="reason"\r\n\r\ncracked & dry\r\n'
                b'----jar7\r\nContent-Disposition: form-data; name="photo"; filename="jar.txt"\r\n'
                b"Content-Type: text/plain\r\n\r\na jar\nwith a crack\r\n"
                b'----jar7\r\nContent-Disposition: form-data; name="again"\r\n\r\n\r\n----jar7--\r\n'
            ),
        ),
        ("POST", "/returns/3", b'--q\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n--q--\r\n'),
        ("POST", "/vote", b"lid=red+%26+blue&lid=%C3%A9&none="),
    ]
    assert words == ['left out: request "POST /returns/2": the file does not contain the content of jar.jpg']


def test_bodies_follow_from_the_method_and_from_what_was_recorded():
    _, sent, words, steps = read("06")

    assert [(method, body) for method, _, body in sent] == [
        ("POST", b""),
        ("POST", b""),
        ("POST", b""),
        ("GET", None),
        ("OPTIONS", b'{"ask":1}'),
        ("DELETE", b'{"why":"dropped"}'),
        ("DELETE", None),
        ("PATCH", bytes([0x00, 0xFF, 0x0A, 0x0D, 0x80])),
        ("HEAD", None),
        ("PUT", "naïve {jar} {id}".encode()),
    ]
    assert steps[3].headers == (("Accept", "*/*"),)
    assert words == []
    assert recorded("06").choice == ""


def test_what_was_http_2_is_sent_as_http_1_1_with_one_cookie_field():
    _, sent, words, steps = read("07")

    assert sent[2][1] == "/lists/%7Bid%7D/a%20b/%C3%BC?f=[1]&g=%7B%7D&empty=&bare"
    assert [field for field in steps[1].headers if field[0] == "cookie"] == [("cookie", "seat=a; row=3")]
    assert steps[2].headers == (("x-twice", "1"), ("x-twice", "2"))
    assert "differs: requests recorded as HTTP/2 or HTTP/3: sent as HTTP/1.1" in words


def test_requests_are_sent_in_the_order_in_which_they_began():
    url, sent, words, _ = read("08")

    assert url == "https://shop.example"
    assert [path for _, path, _ in sent if path != "/bare"] == ["/a", "/b", "/c", "/d", "/e"]
    assert "differs: order: by the instants at which requests began, not as in the file" in words
    assert any('"GET /bare": its instant is not recorded' in line for line in words)
    assert 'differs: method "get": sent as GET, as browsers do' in words


def test_another_server_takes_the_place_of_the_pages_and_the_rest_is_left_out():
    found = recorded("01", "http://127.0.0.1:8000")

    assert sent(found) == ["http://127.0.0.1:8000/jars?kind=clay", "http://127.0.0.1:8000/jars/more?after=%2F3&x=a+b"]
    assert "are sent to http://127.0.0.1:8000; 6 are left out: 5 to https://static.example" in found.choice
    assert found.elsewhere == ("https://static.example", "https://count.example:8443")


def test_servers_that_are_mapped_are_sent_in_the_recorded_order_and_the_others_are_counted():
    here = "http://127.0.0.1:8001"
    found = recorded("01", None, "shop.example", f"static.example={here}", "count.example:8443")

    assert sent(found) == [
        "https://shop.example/jars?kind=clay",
        *(f"{here}/icon/{number}.svg" for number in (1, 2, 3)),
        "https://shop.example/jars/more?after=%2F3&x=a+b",
        *(f"{here}/icon/{number}.svg" for number in (4, 5)),
        "https://count.example:8443/seen.gif?u=1",
    ]
    assert found.choice == (
        "01: 8 requests are sent: 5 to https://static.example (http://127.0.0.1:8001 instead), "
        "2 to https://shop.example, 1 to https://count.example:8443."
    )
    assert recorded("01", None, f"static.example={here}").choice == (
        f"01: 5 requests to https://static.example are sent to {here}; 3 are left out: 2 to https://shop.example, "
        "1 to https://count.example:8443. The page itself, on https://shop.example, is not sent."
    )


def test_a_host_stands_for_all_its_origins_and_an_origin_for_itself_alone():
    both, one = "http://127.0.0.1:1", "http://127.0.0.1:2"

    assert sent(recorded("02", None, f"shop.example={both}", f"www.shop.example={both}")) == [
        f"{both}{path}" for path in ("/", "/", "/start", "/start/nl", "/basket", "/basket")
    ]
    assert sent(recorded("02", None, f"shop.example={both}", f"https://SHOP.example:443/={one}")) == [
        f"{both}/",
        f"{one}/",
        f"{one}/basket",
    ]
    assert [step.label for step in recorded("02", None, f"shop.example={both}").steps] == [
        "GET /",
        "GET /",
        "POST /basket",
    ]
    assert [step.label for step in recorded("02", None, "shop.example").steps] == [
        "GET http://shop.example/",
        "GET https://shop.example/",
        "POST /basket",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("shop.example=http://127.0.0.1:8000/base", "The paths are those of the file: write http://127.0.0.1:8000."),
        ("shop.example=127.0.0.1:8000", "is not the URL of a server"),
        ("shop.example=", "is not the URL of a server"),
        ("shop.example=ftp://127.0.0.1", "is not the URL of a server"),
        ("=http://127.0.0.1:8000", "is not HOST=URL"),
        ("shop.example/jars=http://127.0.0.1:8000", "is not HOST=URL"),
        ("shop.example:99999=http://127.0.0.1:8000", "is not HOST=URL"),
        ("https://shop.example/jars=http://127.0.0.1:8000", "is not a scheme, a host and a port"),
    ],
)
def test_what_is_not_a_map_is_told(text, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        mapped(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("HTTPS://Shop.Example:443", "https://shop.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("unix:/run/app.sock", "unix:/run/app.sock"),
    ],
)
def test_the_url_of_a_server_is_taken_as_it_is_meant(text, url):
    assert base(text) == url


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1/a", "http://127.0.0.1?a", "http://u@h", "unix:/run/app.sock:/a", "127.0.0.1", "http://"]
)
def test_a_url_that_is_more_or_less_than_a_server_is_refused(text):
    with pytest.raises(ValueError, match="http"):
        base(text)


def test_a_map_that_matches_nothing_and_one_that_is_there_twice_are_refused():
    with pytest.raises(UsageError, match="matches nothing in 01") as caught:
        recorded("01", None, "shop.exampel=http://127.0.0.1:8000")
    assert caught.value.remedy == "Did you mean shop.example?"
    with pytest.raises(ValueError, match=r"shop\.example is mapped twice"):
        origins(None, tuple(map(mapped, ("shop.example=http://127.0.0.1:1", "SHOP.example=http://127.0.0.1:2"))))


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        # What Playwright writes for bytes, and for the request that follows a 307.
        ({"bodySize": 256, "postData": {"mimeType": "x/y", "text": ""}}, "does not contain its body of 256 bytes"),
        ({"bodySize": -1, "postData": {"mimeType": "x/y", "text": ""}, "length": "256"}, "of 256 bytes"),
        ({"bodySize": 0, "length": "535"}, "does not contain its body of 535 bytes"),
        ({"postData": {"mimeType": "x/y", "text": "abc"}, "length": "10"}, "contains 3 of the 10 bytes of its body"),
        ({"method": "DELETE", "bodySize": 12}, "does not contain its body of 12 bytes"),
        ({"postData": {"mimeType": "multipart/form-data", "params": [{"name": "a", "value": "b"}]}}, "its body"),
    ],
)
def test_a_body_that_the_recording_lacks_is_never_taken_for_empty(request_, says):
    length = request_.pop("length", None)
    headers = [HOST] if length is None else [HOST, {"name": "content-length", "value": length}]

    sent, words = of_one({"method": "POST", "headers": headers, **request_})

    assert sent == []
    assert any(says in line for line in words)


@pytest.mark.parametrize(
    ("request_", "answer", "entry", "says"),
    [
        ({"headers": [{"name": "Accept", "value": "*/*"}]}, {"_transferSize": 0}, {}, "cache answered"),
        ({}, {}, {"_fromCache": "disk"}, "cache answered"),
        ({}, {"_fetchedViaServiceWorker": True, "_serviceWorkerResponseSource": "cache-storage"}, {}, "service worker"),
        ({"headers": []}, {"status": -1}, {}, "never left"),
        ({"headers": []}, {"status": 0}, {}, "never left"),
        ({}, {"status": 0, "_error": "net::ERR_NAME_NOT_RESOLVED"}, {}, "never left"),
        (
            {"method": "OPTIONS", "headers": [HOST, {"name": "Access-Control-Request-Method", "value": "PUT"}]},
            {"status": 204},
            {},
            "preflight",
        ),
    ],
)
def test_what_the_browser_did_by_itself_is_left_out_and_listed(request_, answer, entry, says):
    sent, words = of_one(request_, answer, **entry)

    assert sent == []
    assert any(says in line for line in words)


@pytest.mark.parametrize(
    ("answer", "entry"),
    [
        ({"status": 304, "_transferSize": 120}, {"cache": {"beforeRequest": {"hitCount": 1}}}),
        ({"_transferSize": -1}, {}),
        ({"_fetchedViaServiceWorker": True, "_serviceWorkerResponseSource": "network"}, {}),
        ({"status": 0}, {}),
    ],
)
def test_what_was_on_the_wire_is_sent_whatever_came_of_it(answer, entry):
    sent, _ = of_one({}, answer, **entry)

    assert sent == [("GET /x", None)]


def test_a_pause_lasts_from_the_end_of_all_requests_before_to_the_begin_of_the_next():
    began_and_took = [("00.000", 200), ("00.100", 900), ("00.500", -1), ("03.000", 10), (None, 5), ("03.010", 5)]
    entries = [
        {"request": {"method": "GET", "url": f"http://shop.example/{at}", "headers": [HOST]}, "time": took}
        | ({} if began is None else {"startedDateTime": f"2026-01-01T00:00:{began}Z"})
        for at, (began, took) in enumerate(began_and_took)
    ]

    found = read_har(json.dumps({"log": {"entries": entries}}).encode(), "made.har")

    # The second one ends at 1.0 s, and the third began while it ran.
    assert [round(each, 6) for each in found.pauses_s] == [0, 0, 0, 2.0, 0, 0]


@pytest.mark.parametrize("time", [None, "soon", float("nan"), True, [], 1e308])
def test_a_time_that_is_none_is_no_pause(time):
    entries = [
        {"request": {"method": "GET", "url": "http://shop.example/", "headers": [HOST]}, "time": time}
        | {"startedDateTime": f"2026-01-01T00:00:0{at}Z"}
        for at in (1, 3)
    ]

    found = read_har(json.dumps({"log": {"entries": entries}}).encode(), "made.har")

    assert all(0 <= each <= 2 for each in found.pauses_s)


def test_a_bar_in_a_path_is_sent_as_browsers_send_it():
    """WHATWG URL, path percent-encode set: it has no `|`; shops join the names of style sheets so."""
    request = {"method": "GET", "url": "http://shop.example/I/a.css|b.css,c.css?x=1|2", "headers": [HOST]}
    archive = {"log": {"entries": [{"request": request, "response": {"status": 200}}]}}

    (step,) = read_har(json.dumps(archive).encode(), "bar.har").steps

    assert step.path == "/I/a.css|b.css,c.css?x=1|2"
