"""Cases of extractors and assertions that also look at redirects and at what pages embed."""

from __future__ import annotations

from itertools import product

import jmx_elements as e
from oracle_case import Case, seen

_REDIRECTED, _TWICE, _TO_JSON = "/go?to=/page", "/go?to=/hops?n=1", "/go?to=/json"
_A = "Assertion"


def _follows(path: str, below: str, name: str = "", **more: str) -> str:
    return e.request(path, below=below, name=name, follow_redirects="true", **more)


def _taken(scope: str) -> str:
    """One extractor of each kind, of which each finds something in some of the answers, or has its default."""
    of = {"Sample__scope": scope}
    return (
        e.regex("a", "Location: (.+)", useHeaders="true", **of)
        + e.regex("b", "X-Lane: (.+)", match="-1", useHeaders="true", **of)
        + e.regex("c", "(.*)", match="2", useHeaders="code", **of)
        + e.regex("d", "(n)=", match="3", **of)
        + e.regex("f", "http://[^/]+(/.*)", match="-1", useHeaders="URL", **of)
        + e.scoped(e.boundary("g", "Location: ", "/", useHeaders="true"), scope)
        + e.scoped(e.json("h", "$..id", "-1"), scope)
        + e.scoped(e.css("i", "p", match="-1"), scope)
    )


def of_parts() -> list[Case]:
    shown = seen("a", "b_matchNr", "b_1", "b_2", "b_9", "c", "d", "f_matchNr", "f_1", "f_2", "f_3", "g") + seen(
        "h", "h_1", "h_2", "h_matchNr", "i", "i_1", "i_matchNr"
    )
    looked = [
        *product(("response_code",), (2, 8, 12), ("200", "302")),
        *product(("response_data",), (2, 6), ("TRAY|tray", "ok")),
        ("response_headers", 2, "X-Lane"),
        ("response_headers", 2, "Location"),
        ("response_headers", 6, "Location"),
        ("response_message", 8, "OK"),
        ("sample_label", 2, "/page|/json"),
    ]
    return [
        Case(
            "parts-taken",
            "Extractors on redirects and embedded resources, with the main sample or without",
            "".join(
                send(path, _taken(scope)) + shown
                for scope in ("all", "children")
                for send, path in (
                    (_follows, "/page"),
                    (_follows, _REDIRECTED),
                    (_follows, _TWICE),
                    (_follows, _TO_JSON),
                    (lambda path, below: _follows(path, below, image_parser="true"), "/page"),
                    (lambda path, below: _follows(path, below, image_parser="true"), _REDIRECTED),
                )
            ),
            ordered=False,
        ),
        Case(
            "parts-judged",
            "Response Assertion on redirects and embedded resources, with the main sample or without",
            "".join(
                _follows(path, e.response_assertion(*each, Assertion__scope=scope), f"{number} {scope} {path}")
                for number, each in enumerate(looked)
                for scope in ("all", "children")
                for path in ("/json", _REDIRECTED, _TO_JSON)
            ),
        ),
        Case(
            "parts-embedded",
            "Assertions on embedded resources, with the page or without",
            "".join(
                e.request(path, below=below, name=f"{number} {path}", image_parser="true")
                for number, below in enumerate(
                    [
                        *(
                            e.response_assertion(field, kind, text, ignore=ignore, Assertion__scope=scope)
                            for field, kind, text, ignore in (
                                ("response_data", 16, "tray", False),
                                ("response_code", 8, "200", False),
                                ("response_code", 2, "200|404", True),
                                ("response_code", 2, "200", True),
                            )
                            for scope in ("all", "children")
                        ),
                        e.response_assertion("response_code", 2, "200", ignore=True)
                        + e.response_assertion("response_code", 2, "200", Assertion__scope="all"),
                        e.scoped(e.size_assertion(100, 3), "all", _A),
                        e.scoped(e.size_assertion(100, 4), "children", _A),
                        e.scoped(e.simple("DurationAssertion", "D", DurationAssertion__duration="30000"), "all", _A),
                        e.scoped(e.simple("XPathAssertion", "X", XPath__xpath="//p"), "all", _A),
                    ]
                )
                for path in ("/page", "/broken", "/json")
            ),
            ordered=False,
        ),
    ]
