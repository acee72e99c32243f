"""Cases of cookies: what each policy of the HTTP Cookie Manager takes, and how it sends it."""

from __future__ import annotations

from urllib.parse import quote

import jmx_elements as e
from oracle_case import Case
from plans.writing import group

_DATES = ("Wed, 09 Jun 2100 10:18:14 GMT", "Wed, 09-Jun-2100 10:18:14 GMT")
_SET = (
    "c=1", "c=1; Path=/", "c=x y; Path=/", 'c="q"; Path=/', 'c="a b"', "c=a,b; Path=/", "c=a  b", "c=a\\b; Path=/",
    *(f"c=1; Expires={each}; Path=/" for each in _DATES), "c=1; Path=/other", "c=1; Domain=127.0.0.1; Path=/",
    "c=1; Domain=localhost; Path=/", "c=1; Version=1; Path=/", 'c="v q"; Version=1', "c=; Path=/", "c", "$c=1; Path=/",
    'c=1; Max-Age=60; Path="/"; HttpOnly; SameSite=Lax', "c=1; Path=/; Secure", "c=1; path=/kept", "c=a=b==; Path=/",
    'c=1;Version=1;Comment="x";Path=/;Max-Age=100', "c=1; Path=", 'c="a;b"; Path=/', "c=1, d=2; Path=/",
    "c=1; Path=/; Path=/kept", 'c="un; Path=/', f"c=1; Version=1; Expires={_DATES[0]}; Path=/",
)  # fmt: skip
_AGAIN = ("a=1; Path=/", "b=1; Path=/kept", "a=2; Path=/kept", "c=1; Path=/", "b=2; Path=/", "a=; Path=/")


def _given(value: str) -> str:
    return e.request(f"/kept/give?Set-Cookie={quote(value)}", name="give")


def of_cookies() -> list[Case]:
    own = [e.cookie(f"o{number}", each) for number, each in enumerate(("x y", "a,b", "a\\b", "1"))]
    return [
        Case(
            f"cookies-of-{policy}",
            f"HTTP Cookie Manager: policy {policy}",
            "".join(
                group(
                    e.cookie_manager(policy=policy)
                    + _given(each)
                    + e.request(f"/kept/{number}")
                    + _given("z=9; Path=/")
                    + e.request(f"/kept/with/{number}"),
                    name=f"group {number}",
                )
                for number, each in enumerate(_SET)
            )
            + group(e.cookie_manager(policy=policy) + "".join(map(_given, _AGAIN)) + e.request("/kept/y"), name="order")
            + (
                group(e.cookie_manager(*own, policy=policy) + e.request("/own"), name="own")
                if policy in ("standard", "netscape")
                else ""
            ),
            whole=True,
        )
        for policy in ("standard", "standard-strict", "netscape", "default", "compatibility", "rfc2109")
    ]
