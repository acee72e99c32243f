"""Cookies as JMeter's policies take and send them.

Expected values follow from Apache HttpClient 4.5 (RFC6265CookieSpec, NetscapeDraftSpec, DefaultCookieSpec, RFC2109Spec)
and JMeter's CookieManager, and are what JMeter 5.5 sent (tests/oracle).
"""

from __future__ import annotations

import pytest

from holdfast.engine.cookies import Cookies
from holdfast.model.journey import CookieForm

SHOP = "http://www.shop.example/account/login"
DATE = "Wed, 09 Jun 2100 10:18:14 GMT"


def sent(form: CookieForm, *values: str, url: str = SHOP) -> str:
    """What a client sends that was given these one after the other."""
    cookies = Cookies((), form)
    for each in values:
        cookies.take(SHOP, f"HTTP/1.1 200 OK\r\nSet-Cookie: {each}\r\n")
    return cookies.field(url)


@pytest.mark.parametrize(
    ("given", "standard", "draft", "default", "rfc2109"),
    [
        ("c=1", "c=1", "c=1", "c=1", "$Version=0; c=1"),
        ("c=1; Path=/", "c=1", "c=1", "c=1", "$Version=0; c=1; $Path=/"),
        ("c=x y; Path=/", 'c="x y"', "c=x y", "c=x y", "$Version=0; c=x y; $Path=/"),
        ("c=a  b", 'c="a b"', "c=a b", "c=a b", "$Version=0; c=a b"),
        ('c="q"', "c=q", 'c="q"', 'c="q"', "$Version=0; c=q"),
        ('c="a;b"', 'c="a;b"', 'c="a', 'c="a', "$Version=0; c=a;b"),
        ("c=a\\b", 'c="a\\\\b"', "c=a\\b", "c=a\\b", "$Version=0; c=a\\b"),
        ("c=a,b; Path=/", 'c="a,b"', "c=a,b", "c=a,b", "$Version=0; c=a"),
        ("c=1, d=2; Path=/", 'c="1, d=2"', "c=1, d=2", "c=1, d=2", "$Version=0; c=1; d=2; $Path=/"),
        ("c=; Path=/", "", "", "", ""),
        ("c", "", "", "", ""),
        ("$c=1", "$c=1", "$c=1", "$c=1", ""),
        (f"c=1; Expires={DATE}; Path=/", "c=1", "", "", "$Version=0; c=1"),
        ("c=1; Expires=Wed, 09-Jun-2100 10:18:14 GMT", "c=1", "c=1", "c=1", "$Version=0; c=1"),
        ("c=1; Version=1; Path=/", "c=1", "c=1", '$Version=1; c="1"; $Path="/"', '$Version=1; c="1"; $Path="/"'),
        ("c=1; Path=/other", "", "", "", ""),
        ("c=1; Path=/; Max-Age=-1", "", "c=1", "c=1", ""),
        ("c=1; Domain=.shop.example", "c=1", "", "", "$Version=0; c=1; $Domain=.shop.example"),
        ("c=1; Domain=shop.example", "c=1", "", "", ""),
        ("c=1; Secure", "", "", "", ""),
    ],
)
def test_each_policy_has_a_form_of_its_own(given: str, standard: str, draft: str, default: str, rfc2109: str) -> None:
    forms: tuple[CookieForm, ...] = ("standard", "draft", "default", "rfc 2109")

    assert [sent(form, given) for form in forms] == [standard, draft, default, rfc2109]


def test_what_is_set_again_comes_last() -> None:
    assert sent("standard", "a=1", "b=1", "a=2") == "b=1; a=2"


def test_what_came_before_stays_before_where_some_of_a_reply_were_not_understood() -> None:
    cookies = Cookies((), "draft")
    for values in (("=0", "b=1"), ("a=1",)):
        cookies.take(SHOP, "HTTP/1.1 200 OK\r\n" + "".join(f"Set-Cookie: {each}\r\n" for each in values))

    assert cookies.field(SHOP) == "b=1; a=1"


def test_longer_paths_come_first_but_not_in_netscapes_draft() -> None:
    given = ("a=1; Path=/", "b=1; Path=/account")

    assert sent("standard", *given) == "b=1; a=1"
    assert sent("rfc 2109", *given) == "$Version=0; b=1; $Path=/account; a=1; $Path=/"
    assert sent("draft", *given) == "a=1; b=1"


def test_an_empty_value_removes_a_cookie() -> None:
    assert sent("standard", "a=1; Path=/", "b=1; Path=/", "a=; Path=/") == "b=1"


def test_one_cookie_without_a_version_takes_it_from_all() -> None:
    assert sent("default", "a=1; Version=1; Path=/", "b=1; Path=/") == "a=1; b=1"
    assert sent("rfc 2109", "a=1; Version=1", "b=1") == "$Version=0; a=1; b=1"


def test_a_browser_sends_values_as_they_were_set() -> None:
    assert sent("as set", 'c="q"', "d=x y") == 'c="q"; d=x y'
