"""Cookies of a client for hosts that no test can connect to; expected values are those of RFC 6265."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from holdfast.engine.cookies import MOST_BYTES, MOST_OF_A_HOST, Cookies

SHOP = "http://shop.example/account/login"


def after(*values: str, url: str = SHOP) -> Cookies:
    """The cookies of a client that was given these by the server of this URL."""
    cookies = Cookies()
    cookies.take(url, "HTTP/1.1 200 OK\r\n" + "".join(f"Set-Cookie: {each}\r\n" for each in values))
    return cookies


@pytest.mark.parametrize(
    ("value", "url", "sent"),
    [
        ("a=1", "http://shop.example/account/x", True),  # 5.1.4: the default path is that of the folder
        ("a=1", "http://shop.example/", False),
        ("a=1; Path=/", "http://shop.example/", True),
        ("a=1; Path=/", "http://www.shop.example/", False),  # 5.3: without a domain, for this host alone
        ("a=1; Path=/; Domain=shop.example", "http://www.shop.example/", True),
        ("a=1; Path=/; Domain=.shop.example", "http://shop.example/", True),
        ("a=1; Path=/; Domain=shop.example", "http://othershop.example/", False),
        ("a=1; Path=/; Domain=other.example", "http://other.example/", False),  # set by another host
        ("a=1; Path=/; Domain=example", "http://example/", False),  # of all hosts of a top level domain
        ("a=1; Path=/; Secure", "http://shop.example/", False),
        ("a=1; Path=/; Secure", "https://shop.example/", True),
        ("a=1; Path=/", "http://shop.example:8080/", True),  # 8.5: ports are not told apart
        ("a=1; Path=/; Max-Age=60", "http://shop.example/", True),
        ("a=1; Path=/; Max-Age=-1", "http://shop.example/", False),
        ("a=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://shop.example/", True),  # 5.3
        ("a=1; Path=/; Expires=Thu, 01 Jan 2099 00:00:00 GMT", "http://shop.example/", True),
    ],
)
def test_a_cookie_is_sent_where_it_belongs(value, url, sent):
    assert after(value).field(url) == ("a=1" if sent else "")


def test_what_is_set_again_after_another_value_counts():
    cookies = after("a=1; Path=/")
    for value, sent in (("a=2; Path=/", "a=2"), ("a=1; Path=/", "a=1"), ("a=; Max-Age=0; Path=/", ""), ("a=1", "a=1")):
        assert cookies.field(SHOP) != sent
        cookies.take(SHOP, f"HTTP/1.1 200 OK\r\nSet-Cookie: {value}\r\n")
        assert cookies.field(SHOP) == cookies.field(f"{SHOP}?page=2") == sent


def test_what_expires_is_not_sent_once_it_has(monkeypatch):
    cookies = after("a=1; Max-Age=60", "b=1")
    assert cookies.field(SHOP) == "a=1; b=1"

    # `http.cookiejar` asks the wall clock.
    now_s = time.time()
    monkeypatch.setattr("http.cookiejar.time.time", lambda: now_s + 61)
    assert cookies.field(SHOP) == "b=1"


def test_longer_paths_come_first():
    """RFC 6265, 5.4."""
    assert after("a=1; Path=/", "b=2; Path=/account").field(SHOP) == "b=2; a=1"


def test_values_are_kept_to_the_letter():
    odd = 'a="x y"; Path=/'
    assert after(odd, "b=p%3D=q; Path=/").field(SHOP) == 'a="x y"; b=p%3D=q'


def test_one_that_is_too_long_is_dropped():
    cookies = after(f"a={'x' * MOST_BYTES}", "b=1")
    assert (cookies.field(SHOP), cookies.dropped) == ("b=1", 1)


@given(some.lists(some.text(max_size=80), max_size=5))
def test_whatever_a_server_sets_is_sent_back_as_one_line_or_not_at_all(values):
    cookies = after(*(each.replace("\r", "").replace("\n", "") for each in values))

    assert not set(cookies.field(SHOP)) & set("\r\n")


@given(some.lists(some.integers(min_value=0, max_value=400), max_size=60))
def test_no_more_than_a_browser_would_are_kept_of_a_host(numbers):
    cookies = after(*(f"c{each}=1" for each in numbers), *(f"d{each}=1" for each in range(150)))

    sent = [each for each in cookies.field(SHOP).split("; ") if each]
    assert len(sent) == min(MOST_OF_A_HOST, len({*numbers}) + 150)
    assert len(sent) + cookies.dropped == len({*numbers}) + 150
