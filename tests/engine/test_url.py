"""URLs as people write them, and as they mistype them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.url import Url, parse_url
from holdfast.errors import UsageError
from holdfast.model.address import url_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://127.0.0.1:8000", Url("http", "127.0.0.1", 8000, "/")),
        ("http://localhost:8000/slow?n=1", Url("http", "localhost", 8000, "/slow?n=1")),
        ("HTTP://shop.example", Url("http", "shop.example", 80, "/")),
        ("https://shop.example?n=1", Url("https", "shop.example", 443, "/?n=1")),
        ("http://[::1]:8000/", Url("http", "::1", 8000, "/")),
        ("unix:/run/shop.sock", Url("unix", "", 0, "/", "/run/shop.sock")),
        ("unix:///run/shop.sock", Url("unix", "", 0, "/", "/run/shop.sock")),
        ("unix:/run/shop.sock:/orders?n=1", Url("unix", "", 0, "/orders?n=1", "/run/shop.sock")),
        ("unix:/run/a:b.sock:/c", Url("unix", "", 0, "/c", "/run/a:b.sock")),
        ("unix:shop.sock:/orders", Url("unix", "", 0, "/orders", "shop.sock")),
        ("unix:@abstract", Url("unix", "", 0, "/", "@abstract")),
    ],
)
def test_a_url_names_a_server_and_a_path(text, expected):
    assert parse_url(text) == expected


@pytest.mark.parametrize(
    ("text", "host_field"),
    [
        ("http://shop.example", "shop.example"),
        ("https://shop.example:443", "shop.example"),
        ("https://shop.example:80", "shop.example:80"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("unix:/run/shop.sock", "localhost"),
    ],
)
def test_the_host_field_has_the_port_unless_it_is_the_schemes_own(text, host_field):
    # RFC 9110, 7.2 and 4.2.
    assert parse_url(text).host_field == host_field


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not begin with"),
        ("localhost:8000/x", "Did you mean http://localhost:8000/x?"),
        ("shop.example", "Did you mean http://shop.example?"),
        ("/run/shop.sock", "unix:/run/shop.sock"),
        ("ftp://shop.example/", "ftp: is not supported"),
        ("ws://shop.example/", "ws: is not supported"),
        ("http:/shop.example", "two slashes"),
        ("http://", "names no host"),
        ("http://:8000", "not a host"),
        ("http://a_b c/", "space"),
        ("http://shop.example:http", "not a port"),
        ("http://shop.example:", "not a port"),
        ("http://shop.example:0", "not a port"),
        ("http://shop.example:65536", "not a port"),
        ("http://me:secret@shop.example", "password"),
        ("http://[::1", "not a host"),
        ("http://shop.example/#top", "#"),
        ("http://shop.example/ü", "ASCII"),
        ("unix:", "names no socket"),
        ("unix:///", "names no socket"),
    ],
)
def test_what_is_no_url_is_refused_with_the_reason(text, said):
    with pytest.raises(UsageError) as refusal:
        parse_url(text)

    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("address", "port", "server"),
    [
        ("127.0.0.1", 8000, "http://127.0.0.1:8000"),
        ("::1", 8000, "http://[::1]:8000"),
        ("/a:/b.sock", 0, "unix:/a:/b.sock"),
    ],
)
def test_what_a_person_is_told_to_attach_to_is_read_as_it_was_meant(address, port, server):
    url = parse_url(url_of(address, port, "/orders?a=1"))

    assert (url.server, url.path) == (server, "/orders?a=1")


@given(st.text() | st.text(alphabet="http:/[]@.unix#?%80a"))
def test_any_text_is_a_url_or_refused_by_name(text):
    try:
        url = parse_url(text)
    except UsageError:
        return
    assert url.path.startswith("/")
    assert bool(url.socket) != bool(url.host)
