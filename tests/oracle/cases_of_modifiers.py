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


LINKS = (
    '<html><head><base href="/deep/"></head><body><a href="javascript:go()">j</a><a href="mailto:a@b.example">m</a>'
    '<a href="http://other.example/list/1?item=9">o</a><a name="top">t</a><a href="list/7?item=a%20b&c=1+2&flag">l</a>'
    '<form action="/form/in?x=1"><input name="user" value="ann%26b"><select name="lid"><option value="red">r</option>'
    "<option>blue</option></select><textarea name='note'>two words</textarea></form>"
    '<input name="behind" value="1"><form action="/form/other"><input name="other" value="1"></form></body></html>'
)


def linked(path: str, *items: str, method: str = "GET", domain: str = "127.0.0.1") -> str:
    parser = e.simple("AnchorModifier", "Links")
    return page(LINKS) + e.request(path, e.arguments(*items), method=method, domain=domain, below=parser)


def of_links() -> list[Case]:
    """Of each request there is one link or none that is like it, since which one is by chance."""
    return [
        Case(
            "links",
            "HTML Link Parser",
            linked("/deep/list/7")
            + linked(".*/list/.*", e.argument("item", "1"))
            + linked("list.*", e.argument("c", "9"), method="POST")
            + linked("/nothing", e.argument("a", "1"))
            + linked("/deep/.*", e.argument("it[e]m", ".*"), domain="127.0.0.[0-9]")
            + linked("/form/in", e.argument("user", ".*"), e.argument("note", ".* words", encode=True), method="POST")
            + linked("/form/in", e.argument("behind", "1"), e.argument("user", "other"), method="POST")
            + linked("/form/.*", e.argument("other", ".*", encode=True))
            + e.request("/xml")
            + e.request("/deep/.*", below=e.simple("AnchorModifier", "Links"), name="no page"),
        ),
    ]


def of_modifiers() -> list[Case]:
    return [
        *of_links(),
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
