"""Cases of what changes requests by the last answer."""

from __future__ import annotations

import jmx_elements as e
from oracle_case import Case

PAGES = {
    "link": '<a href="/x;sid=a%2Fb?y=1">',
    "query": "<a href='/x?b=1&sid=q+1&c'>",
    "hidden": '<input type="hidden" name="sid" value="h 1">',
    "turned round": '<input value="t&1" name="sid">',
    "without a sign": "/x;sidN-1?y",
    "without one": "<p>",
}


def page(text: str) -> str:
    return e.request("/text", e.arguments(e.argument("is", text, encode=True)), name="page")


def rewriting(encode: str = "false", kept: str = "true", path: str = "false", sign: str = "false", ends: str = "false"):
    return e.simple(
        "URLRewritingModifier",
        "Rewriting",
        argument_name="sid",
        path_extension=path,
        path_extension_no_equals=sign,
        path_extension_no_questionmark=ends,
        cache_value=kept,
        encode=encode,
    )


def _within(modifier: str, *requests: str) -> str:
    return e.controller("GenericController", modifier + "".join(requests))


def _arguments_of(encode: str, kept: str) -> str:
    asked = [
        page(text)
        + e.request(f"/a{number}", e.arguments(e.argument("x", "1"), e.argument("sid", "old")))
        + e.request(f"/b{number}", e.arguments(e.argument("x", "é&", encode=True)), method="POST")
        for number, text in enumerate(PAGES.values())
    ]
    return _within(rewriting(encode=encode, kept=kept), *asked)


def _paths_of(sign: str, ends: str) -> str:
    asked = [
        page(text) + e.request("/p;sid=old?q=1") + e.request("/p?q=1", e.arguments(e.argument("x", "1")))
        for text in PAGES.values()
    ]
    return _within(rewriting(path="true", sign=sign, ends=ends), *asked)


def of_modifiers() -> list[Case]:
    return [
        Case(
            "rewriting",
            "HTTP URL Re-writing Modifier: the id of a session in arguments",
            "".join(_arguments_of(encode, kept) for encode in ("true", "false") for kept in ("true", "false")),
            loops="2",
        ),
        Case(
            "rewriting-paths",
            "HTTP URL Re-writing Modifier: the id of a session in paths",
            "".join(_paths_of(sign, ends) for sign in ("true", "false") for ends in ("true", "false")),
        ),
        Case(
            "parameters",
            "RegEx User Parameters",
            e.request("/page", below=e.regex("p", '(src|name)="(.)', match="-1"))
            + e.controller(
                "GenericController",
                e.simple(
                    "RegExUserParameters",
                    "Parameters",
                    RegExUserParameters__regex_ref_name="p",
                    RegExUserParameters__param_names_gr_nr="1",
                    RegExUserParameters__param_values_gr_nr="2",
                )
                + e.request("/a", e.arguments(e.argument("src", "1"), e.argument("x", "2")))
                + e.request("/b", e.arguments(e.argument("name", "1"), e.argument("src", "2")), method="POST"),
            )
            + e.controller(
                "GenericController",
                e.simple("RegExUserParameters", "Parameters", RegExUserParameters__regex_ref_name="nothing")
                + e.request("/c", e.arguments(e.argument("src", "1"))),
            ),
        ),
    ]
