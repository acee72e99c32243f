"""Cases of Authorization Managers: which entry counts for which URL, also for redirects and embedded resources."""

from __future__ import annotations

import jmx_elements as e
from oracle_case import Case
from plans.writing import variables

HERE = f"http://127.0.0.1:{e.PORT}"
ASKS = "/asks?for=Digest+realm%3D%22shelf%22,+nonce%3D%22n1%22"
TO_ASKS = "/go?code=302&to=" + ASKS.replace("%", "%25").replace("+", "%2B").replace("?", "%3F")
WAYS = ("follow_redirects", "auto_redirects")


def _go(to: str, *ways: str, **more: str) -> str:
    return "".join(e.request(f"/go?to={to}&code=302", name=f"{to} {way}", **{way: "true"}, **more) for way in ways)


def of_logins() -> list[Case]:
    entries = e.authorizations(e.login(f"{HERE}/in/a", "mole", "dig"), e.login(f"{HERE}/in", "vole", "dug"))
    return [
        Case(
            "login-late",
            "HTTP Authorization Manager: URLs that are only known while the plan runs",
            variables(at="/in")
            + e.authorization(f"{HERE}${{at}}", "${who}", "dig")
            + e.request("/in/${__counter(TRUE,)}")
            + e.request("/in${__counter(TRUE,)}")
            + e.request("/${__counter(TRUE,)}")
            + e.request("/out/${__counter(TRUE,)}"),
        ),
        Case(
            "login-of-redirects",
            "HTTP Authorization Manager: redirects, each by its own URL",
            entries
            + _go("/in/a", *WAYS)
            + _go("/out", *WAYS)
            + _go(f"http://localhost:{e.PORT}/in", *WAYS)
            + e.header_manager(Authorization="Own")
            + _go("/in/b", "follow_redirects"),
        ),
        Case(
            "login-redirected-away",
            "HTTP Authorization Manager: redirects to what no entry is for",
            e.authorization(f"{HERE}/go", "mole", "dig")
            + _go("/in/a", *WAYS)
            + _go(f"http://localhost:{e.PORT}/in", *WAYS)
            + _go("/in/a", "follow_redirects", implementation="Java"),
        ),
        Case(
            "login-of-resources",
            "HTTP Authorization Manager: embedded resources, each by its own URL",
            e.authorization(f"{HERE}/p/", "mole", "dig") + e.request("/page", image_parser="true"),
            ordered=False,
        ),
        Case(
            "login-of-the-page",
            "HTTP Authorization Manager: embedded resources for which no entry is",
            e.authorization(f"{HERE}/page", "mole", "dig") + e.request("/page", image_parser="true"),
            ordered=False,
        ),
        Case(
            "login-domain",
            "HTTP Authorization Manager: domain",
            e.authorizations(
                e.login(f"{HERE}/in", "mole", "dig", domain="Shelf"),
                e.login(f"{HERE}/asks", "ann", "p w", "DIGEST", domain="shelf"),
            )
            + e.request("/in/a")
            + e.request("/in/b", implementation="Java")
            + e.request(ASKS),
        ),
        Case(
            "login-written",
            "HTTP Authorization Manager: escapes and queries in the URL of an entry",
            e.authorizations(
                e.login(f"{HERE}/in%20a", "mole", "dig"),
                e.login(f"{HERE}/in a", "vole", "dug"),
                e.login(f"{HERE}/q?x", "toad", "dog"),
            )
            + "".join(e.request(path, implementation=each) for path in ("/in a/b", "/q?x=1") for each in ("", "Java")),
        ),
        Case(
            "login-asked-after-a-redirect",
            "HTTP Authorization Manager: DIGEST, where a redirect leads to it",
            e.authorization(f"{HERE}/asks", "ann", "p w", "DIGEST")
            + "".join(e.request(TO_ASKS, name=way, **{way: "true"}) for way in WAYS),
        ),
    ]
