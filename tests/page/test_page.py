"""A page is one file with nothing but our own scripts in it, whatever a server calls its threads."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from holdfast.page.document import Document, Fact, PlaceBar, Sheet
from holdfast.page.render import json_in_html, page

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'><b>&lt;!--\x1b[2J\u2028]]>{{ 7 * 7 }}"


class Elements(HTMLParser):
    """Each element with its attributes, and what is in it up to the next tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))
        self.inside = True

    def handle_endtag(self, _tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)


def document(text: str) -> Document:
    """A page on which everything that may come from outside is this text."""
    return Document(
        kind="probe",
        title=text,
        headline=text,
        sentences=[text],
        warnings=[text],
        places=[PlaceBar("in_service", text, text, 50.0, text)],
        sheets=[Sheet(text, (text, text), ((text, text),), frozenset({1}))],
        command=text,
        facts=[Fact(text, text)],
        unknown=[Fact(text, text)],
        log=text,
        data={"areas": None, text: text, "lanes": {"threads": [text]}},
    )


def elements(text: str) -> list[tuple[str, dict[str, str | None], str]]:
    return Elements(page(document(text)).decode()).found


def test_text_from_outside_adds_no_element_and_no_attribute() -> None:
    tame, hostile = elements("tame"), elements(HOSTILE)

    assert [(tag, sorted(attributes)) for tag, attributes, _ in hostile] == [
        (tag, sorted(attributes)) for tag, attributes, _ in tame
    ]
    assert [attributes for tag, attributes, _ in hostile if tag == "script"] == [
        {"type": "application/json", "id": "data"},
        {},
    ]


def test_text_from_outside_is_shown_as_it_was_with_control_characters_as_escapes() -> None:
    (shown,) = [text for tag, _, text in elements(HOSTILE) if tag == "h1"]

    assert shown == HOSTILE.replace("\x1b", "\\x1b").replace("\u2028", "\\u2028")


@given(st.text())
def test_json_in_a_page_ends_no_element_and_says_the_same(text: str) -> None:
    written = json_in_html({"text": text, text: [text]})

    assert not set("<>&") & set(written)
    assert json.loads(written) == {"text": text, text: [text]}


def test_only_the_scripts_and_styles_of_the_page_itself_may_run() -> None:
    found = elements("tame")
    (policy,) = [attributes["content"] for tag, attributes, _ in found if tag == "meta" and "http-equiv" in attributes]
    (script,) = [text for tag, attributes, text in found if tag == "script" and not attributes]
    (style,) = [text for tag, _, text in found if tag == "style"]

    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    for name, text in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"


def test_a_page_refers_to_nothing_outside_of_itself() -> None:
    references = {
        value
        for _, attributes, _ in elements("tame")
        for name, value in attributes.items()
        if name in {"src", "href", "action", "srcset", "poster", "data"}
    }
    (style,) = [text for tag, _, text in elements("tame") if tag == "style"]

    assert all(value is not None and value.startswith(("#", "data:")) for value in references)
    assert not re.search(r"@import|url\(", style)


def test_the_licence_of_the_charts_library_is_in_the_page() -> None:
    (script,) = [text for tag, attributes, text in elements("tame") if tag == "script" and not attributes]

    assert "The above copyright notice and this permission notice shall be included" in script
