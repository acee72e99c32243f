"""What a client says of itself when a server asks.

Expected: RFC 7616, section 3.9.1 (an example with both hashes), RFC 7617, section 2; and, for what neither says, what
JMeter 5.5 sent in tests/oracle.
"""

from __future__ import annotations

import pytest

from holdfast.engine.challenges import answered
from holdfast.engine.fetching import Exchange
from holdfast.model.logins import Credentials

SENT = Exchange("http://www.example.org", "GET", "/dir/index.html", (("Accept", "*/*"),), None, "index")
MUFASA = Credentials("http://", "Mufasa", "Circle of Life", "", "asked")
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
OWN = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


def asking(*fields: str) -> str:
    return "".join(["HTTP/1.1 401 Unauthorized\r\n", *(f"WWW-Authenticate: {each}\r\n" for each in fields)])


def said(head: str, credentials: Credentials = MUFASA, sent: Exchange = SENT) -> str | None:
    again = answered(sent, head, credentials, OWN)
    assert again is None or again.goes_on
    return dict(again.headers).get("Authorization") if again is not None else None


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_the_standard(algorithm: str, response: str) -> None:
    head = asking(
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="{NONCE}", '
        f'opaque="{OPAQUE}"'
    )

    assert said(head) == (
        f'Digest username="Mufasa", realm="http-auth@example.org", nonce="{NONCE}", uri="/dir/index.html", '
        f'response="{response}", qop=auth, nc=00000001, cnonce="{OWN}", algorithm={algorithm}, opaque="{OPAQUE}"'
    )


def test_a_realm_of_the_persons_own_is_the_servers() -> None:
    head = asking('Digest realm="shelf", nonce="n"')

    assert said(head, MUFASA._replace(realm="shelf")) is not None
    assert said(head, MUFASA._replace(realm="other")) is None


def test_of_several_challenges_the_safer_one_is_answered_and_of_one_field_the_first() -> None:
    digest = 'Digest realm="s", nonce="n"'

    assert (said(asking('Basic realm="s"', digest)) or "").startswith("Digest ")
    assert said(asking(f'Basic realm="s", {digest}'), MUFASA._replace(name="Aladdin", password="open sesame")) == (
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    )


def test_what_cannot_be_answered_is_sent_once_more_and_what_was_answered_is_not() -> None:
    again = answered(SENT, asking('Digest realm="s", nonce="n", qop="other"'), MUFASA, OWN)

    assert again is not None
    assert again.headers == SENT.headers
    assert said(asking('Bearer realm="s"')) is None
    answered_before = SENT._replace(headers=(("Authorization", "Digest x"),))
    assert said(asking('Digest realm="s", nonce="n"'), sent=answered_before) is None
