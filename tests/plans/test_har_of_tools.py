"""What tools write into recordings each in its own way: caches, bodies, lists beside headers, frames.

Expected: HAR 1.2, and the writers that `plans/har_*.py` name.
"""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from holdfast.plans.differences import in_words
from holdfast.plans.har import read_har

HOST = {"name": "Host", "value": "shop.example"}


def of_posted(text, size=None, *more, **posted):
    """The body that is sent for a POST with this text, what is told, and its fields."""
    fields = [HOST, *([{"name": "Content-Length", "value": str(size)}] if size is not None else []), *more]
    request = {"method": "POST", "headers": fields, "postData": {"mimeType": "", "text": text, **posted}}
    entries = [
        {"request": {**request, "url": "http://shop.example/x"}},
        {"request": {"method": "GET", "url": "http://shop.example/last", "headers": [HOST]}},
    ]
    found = read_har(json.dumps({"log": {"entries": entries}}).encode(), "made.har")
    return (found.steps[0].body if len(found.steps) > 1 else None), in_words(found.notes)


def test_a_body_whose_characters_are_bytes_is_sent_as_these_bytes():
    # Firefox and proxies write one so that is not UTF-8.
    assert of_posted("\x00\xe9\xff", 3) == (b"\x00\xe9\xff", [])
    assert of_posted("\xe9", 2) == ("é".encode(), [])
    # mitmproxy 12, addons/savehar.py: get_text(strict=False), which keeps bytes as surrogates.
    assert of_posted("a\udce9b") == (b"a\xe9b", [])


def test_a_form_of_firefox_is_sent_without_the_fields_of_its_stream():
    # devtools/client/netmonitor/src/har/har-builder.js: appendHeadersPostData, and the text as it was read.
    form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 6\r\n\r\na=1&b="
    assert of_posted(form, 6) == (b"a=1&b=", [])
    assert of_posted(form) == (b"a=1&b=", [])
    assert of_posted("Content-Type: multipart/form-data; boundary=x\r\n\r\n\xe9--x", 4) == (b"\xe9--x", [])
    mail = "Content-Type: text/plain\r\n\r\nHello"
    assert of_posted(mail, len(mail)) == (mail.encode(), [])
    assert of_posted(mail) == (mail.encode(), [])
    message = "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nHello"
    assert of_posted(message, len(message)) == (message.encode(), [])


def test_a_type_that_is_listed_twice_is_sent_once():
    content_type = {"name": "Content-Type", "value": "text/plain"}
    request = {"method": "POST", "url": "http://shop.example/", "headers": [HOST, content_type, content_type]}
    found = read_har(json.dumps({"log": {"entries": [{"request": request}]}}).encode(), "made.har")

    assert found.steps[0].headers == (("Content-Type", "text/plain"),)


def test_a_body_that_was_damaged_by_the_recording_is_not_sent():
    damaged, words = of_posted("PNG\ufffd\ufffd", 5)

    assert damaged is None
    assert words == [
        'left out: request "POST /x": the file contains replacement characters in place of bytes of its body'
    ]
    assert of_posted("\ufffd", 3) == ("\ufffd".encode(), [])
    assert of_posted("a\ud800")[0] is None


def test_a_body_that_was_compressed_is_compressed_again():
    gzipped, words = of_posted('{"jar": 3}', 30, {"name": "Content-Encoding", "value": "gzip"})

    assert gzip.decompress(gzipped) == b'{"jar": 3}'
    assert words == ['differs: request "POST /x": its body is encoded as gzip anew']
    as_sent = base64.b64encode(gzip.compress(b"{}", mtime=0)).decode()
    kept, words = of_posted(as_sent, None, {"name": "Content-Encoding", "value": "gzip"}, encoding="base64")
    assert (gzip.decompress(kept), words) == (b"{}", [])
    lost, words = of_posted("{}", 9, {"name": "Content-Encoding", "value": "br"})
    assert lost is None
    assert "as it was before it was encoded as br" in words[0]


def test_a_body_that_is_longer_than_it_was_is_sent_and_told():
    assert of_posted("token=REMOVED", 9) == (
        b"token=REMOVED",
        ['differs: request "POST /x": its body has 13 bytes in the file, and had 9 when it was recorded'],
    )


@pytest.mark.parametrize(
    ("browser", "entry", "status", "is_sent"),
    [
        ("Firefox", {"cache": {"afterRequest": None}}, 200, False),
        ("Firefox", {"cache": {"afterRequest": {"hitCount": 2}}}, 304, True),
        ("HttpWatch", {"cache": {"afterRequest": {"hitCount": 2}}}, 200, True),
        ("WebInspector", {"_resourceType": "websocket"}, 304, True),
        ("WebInspector", {"_resourceType": "websocket"}, 0, False),
        ("WebKit Web Inspector", {"_fetchType": "Memory Cache"}, 200, False),
        ("WebKit Web Inspector", {"_fetchType": "Service Worker"}, 200, False),
        ("WebKit Web Inspector", {"_fetchType": "Network Load"}, 200, True),
    ],
)
def test_each_browser_says_in_its_own_way_what_was_on_the_wire(browser, entry, status, is_sent):
    asked = {"method": "GET", "url": "http://shop.example/x", "headers": [HOST]}
    log = {
        "creator": {"name": browser},
        "entries": [
            {"request": asked, "response": {"status": status}, **entry},
            {"request": {**asked, "url": "http://shop.example/last"}},
        ],
    }

    found = read_har(json.dumps({"log": log}).encode(), "made.har")

    assert [step.path for step in found.steps] == (["/x", "/last"] if is_sent else ["/last"])


@pytest.mark.parametrize(("tool", "paths"), [("Insomnia REST Client", ["/x", "/last"]), ("WebInspector", ["/last"])])
def test_a_request_of_a_collection_is_sent_though_it_was_not_yet_and_none_that_a_browser_blocked(tool, paths):
    # Insomnia, common/har.ts: without a response, and without the fields that it adds when it sends.
    new = {"request": {"method": "GET", "url": "http://shop.example/x", "headers": []}, "response": {"status": 0}}
    old = {
        "request": {"method": "GET", "url": "http://shop.example/last", "headers": [HOST]},
        "response": {"status": 200},
    }

    found = read_har(json.dumps({"log": {"creator": {"name": tool}, "entries": [new, old]}}).encode(), "made.har")

    assert [step.path for step in found.steps] == paths


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://shop.example/x?", "/x?"),
        ("http://shop.example/x?a={%221%22:[2]}|^`'", "/x?a={%221%22:[2]}|^`'"),
        ("http://shop.example/x?a=b#c?d", "/x?a=b"),
        ("http://shop.example/x?a b=%C3%A9é", "/x?a%20b=%C3%A9%C3%A9"),
    ],
)
def test_a_query_is_sent_as_browsers_write_it(url, path):
    entries = [{"request": {"method": "GET", "url": url, "headers": [HOST]}}]

    (step,) = read_har(json.dumps({"log": {"entries": entries}}).encode(), "made.har").steps

    assert step.path == path


def test_what_a_recording_has_in_a_list_alone_is_sent_and_noted():
    request = {
        "method": "GET",
        "url": "http://shop.example/x",
        "headers": [HOST],
        "queryString": [{"name": "a", "value": "1 &"}, {"name": "b", "value": ""}],
        "cookies": [{"name": "seat", "value": "a"}, {"name": "row", "value": "3"}],
    }

    found = read_har(json.dumps({"log": {"entries": [{"request": request}]}}).encode(), "made.har")

    assert found.steps[0].path == "/x?a=1+%26&b="
    assert found.steps[0].headers == (("Cookie", "seat=a; row=3"),)
    assert in_words(found.notes)[:2] == [
        'note: request "GET /x": its query is that of the recording\'s list, which its URL does not have',
        "note: cookies: made from the list of the recording, whose headers have none",
    ]


def test_fields_that_cannot_be_are_left_out_and_others_are_sent_as_their_bytes():
    fields = [
        HOST,
        {"name": "Accept;charset=UTF-8", "value": "*/*"},
        {"name": "X-Name", "value": "Ōji"},
        {"name": "X-Two", "value": "a\nb"},
        {"name": "X-Bell", "value": "\x07"},
    ]
    entries = [{"request": {"method": "GET", "url": "http://shop.example/x", "headers": fields}}]

    found = read_har(json.dumps({"log": {"entries": entries}}).encode(), "made.har")

    assert found.steps[0].headers == (("X-Name", "Ōji".encode().decode("latin-1")), ("X-Two", "a"), ("X-Two", "b"))
    assert in_words(found.notes) == [
        'left out: header "Accept;charset=UTF-8", "X-Bell": no header field has such a name or value'
    ]


def test_a_frame_from_another_server_is_not_the_page():
    def entry(url, *fields, kind="text/html"):
        return {
            "pageref": "page_1",
            "request": {"method": "GET", "url": url, "headers": [{"name": n, "value": v} for n, v in fields]},
            "response": {"status": 200, "content": {"mimeType": kind}},
        }

    entries = [
        entry("https://notes.example/widget", ("Host", "n"), ("Referer", "https://shop.example/")),
        entry("https://notes.example/more", ("Host", "n"), ("Sec-Fetch-Dest", "iframe")),
        entry("https://shop.example/", ("Host", "s")),
        entry("https://notes.example/x.js", ("Host", "n"), kind="text/javascript"),
    ]
    log = {"pages": [{"id": "page_1", "title": "Shop"}], "entries": entries}

    found = read_har(json.dumps({"log": log}).encode(), "made.har")

    assert found.servers == ("https://shop.example",)


def test_without_a_document_the_page_is_what_most_requests_refer_to():
    def entry(url, referer):
        return {"request": {"method": "GET", "url": url, "headers": [HOST, {"name": "Referer", "value": referer}]}}

    page = "https://shop.example/jars"
    entries = [entry(f"https://icons.example/{number}", page) for number in range(5)]
    entries += [entry("https://shop.example/x.js", page), entry("https://shop.example/y.js", "https://ads.example/")]

    found = read_har(json.dumps({"log": {"entries": entries}}).encode(), "made.har")

    assert found.servers == ("https://shop.example",) * 2
    assert "the page's server" in found.choice


@pytest.mark.parametrize(
    ("pairs", "body"),
    [
        ([("a%5B1%5D", "1%20x"), ("b", "2")], b"a%5B1%5D=1%20x&b=2"),
        ([("a", "100% x"), ("b", "%41")], b"a=100%25+x&b=%2541"),
        ([("a", "x~*"), ("b", "")], b"a=x%7E*&b="),
    ],
)
def test_fields_of_a_form_that_are_all_encoded_are_not_encoded_again(pairs, body):
    params = [{"name": name, "value": value} for name, value in pairs]
    posted = {"mimeType": "application/x-www-form-urlencoded", "params": params}
    request = {"method": "POST", "url": "http://shop.example/x", "headers": [HOST], "postData": posted}

    (step,) = read_har(json.dumps({"log": {"entries": [{"request": request}]}}).encode(), "made.har").steps

    assert step.body == body
