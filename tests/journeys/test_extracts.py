"""Extracts give the client's variables what JMeter's extractors do.

Expected: apache/jmeter 5.5, org.apache.jmeter.extractor, and what plans of tests/oracle sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from journeys.known_client import known_client

from holdfast.journeys.extracts import Finding, between, take
from holdfast.model.answers import (
    Answer,
    BoundaryExtract,
    HeaderExtract,
    JsonExtract,
    MarkupExtract,
    RegexExtract,
)

PAGE = Answer(
    url="http://127.0.0.1:8000/desk?a=1",
    answered=True,
    status=200,
    message="OK",
    head="HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nX-Lane: B4 \r\n",
    body=(
        "<h1>Möle &amp; Co</h1><p>n=<b>7</b></p><p>n=<b>9</b></p><a href='/t/1'>one</a><a href='/t/2'>two</a>"
    ).encode(),
    request_head="GET /desk?a=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: a=b\r\nX-Own: y\r\n",
)
KEYS = replace(PAGE, body=b'{"grant": {"key": "k001"}, "spare": [{"no": 11}, {"no": 12}], "none": null}')


def taken(extract: Finding, answer: Answer = PAGE, **before: str) -> tuple[str, dict[str, str]]:
    client = known_client(before)
    return take(extract, answer, client), client.variables


def test_a_pattern_gives_its_first_group_and_all_groups_by_number() -> None:
    why, variables = taken(RegexExtract("v", ("(n)=<b>(.)",), template="$2$-$1$"))

    assert why == ""
    assert variables == {"v": "7-n", "v_g": "2", "v_g0": "n=<b>7", "v_g1": "n", "v_g2": "7"}


def test_all_matches_are_numbered_and_those_of_before_are_gone() -> None:
    extract = RegexExtract("v", ("<b>(.)",), match=-1)

    _, variables = taken(extract, v_matchNr="3", v_3="old", v_3_g="1", v_3_g0="x", v_3_g1="y")

    assert {name: value for name, value in variables.items() if "_g" not in name} == {
        "v_matchNr": "2",
        "v_1": "7",
        "v_2": "9",
    }


def test_a_match_by_chance_is_one_of_them() -> None:
    client = known_client()
    found = set()
    for _ in range(30):
        take(RegexExtract("v", ("<b>(.)",), match=0), PAGE, client)
        found.add(client.variables["v"])

    assert found == {"7", "9"}


def test_what_is_not_found_leaves_the_variable_or_sets_its_default() -> None:
    missing = RegexExtract("v", ("nothing(.)",))

    assert taken(missing, v="old") == ("v was not found", {"v": "old"})
    assert taken(replace(missing, required=False), v="old") == ("", {"v": "old"})
    assert taken(replace(missing, default=("none",)), v="old") == ("", {"v": "none"})
    assert taken(replace(missing, default=()), v="old") == ("", {"v": ""})


@pytest.mark.parametrize(
    ("source", "pattern", "found"),
    [
        ("head", "X-Lane: (.+)", "B4 "),
        ("head", "OK\n(.{7})", "Content"),
        ("request head", "^(.*)", "Host: 127.0.0.1"),
        ("request head", "(Cookie)", None),
        ("url", r"\?(.*)", "a=1"),
        ("status", "2(.*)", "00"),
        ("message", "(.*)", "OK"),
        ("body", "M(.)le (.....)", "ö"),
        ("unescaped body", "le (..)", "& "),
    ],
)
def test_each_source_is_looked_in(source: str, pattern: str, found: str | None) -> None:
    extract = RegexExtract("v", (pattern,), source=source, required=False)  # type: ignore[arg-type]

    assert taken(extract)[1].get("v") == found


@pytest.mark.parametrize(
    ("kind", "charset", "page", "found"),
    [
        ("text/html", "utf-8", b"", "\u00fc"),
        ("text/html", "iso-8859-1", b"", "\u00c3\u00bc"),
        ("text/html; charset=utf-8", "iso-8859-1", b"", "\u00fc"),
        ("text/html", "iso-8859-1", b'<META http-equiv="Content-Type" content="text/html; charset=UTF-8">', "\u00fc"),
        (
            "text/plain",
            "iso-8859-1",
            b'<meta http-equiv="Content-Type" content="text/html; charset=utf-8">',
            "\u00c3\u00bc",
        ),
        ("text/html", "iso-8859-1", b'<meta charset="utf-8">', "\u00c3\u00bc"),
        (
            "text/html",
            "utf-8",
            b'<meta http-equiv="Content-Type" content="text/html; charset=nothing">',
            "\u00c3\u00bc",
        ),
    ],
)
def test_a_body_is_read_in_the_charset_of_its_head_or_its_page_or_its_own(kind, charset, page, found) -> None:
    """As by JMeter 5.5 (tests/oracle, answers-of-5.5)."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n"
    answer = replace(PAGE, head=head, body=page + b"<b>\xc3\xbc</b>", charset=charset)

    assert taken(RegexExtract("v", ("<b>(.*)</b>",)), answer)[1]["v"] == found


def test_a_variable_can_be_looked_in() -> None:
    assert taken(RegexExtract("v", ("(.)$",), of_variable="w"), w="abc")[1]["v"] == "c"


def test_json_paths_give_one_or_all_values() -> None:
    one = JsonExtract("key", ("$.grant.key",), default=("none",))
    every = JsonExtract("no", ("$.spare[*].no",), match=-1, join=True)

    assert taken(one, KEYS)[1] == {"key": "k001", "key_matchNr": "1"}
    assert taken(every, KEYS, no_3="old")[1] == {
        "no_1": "11",
        "no_2": "12",
        "no_3": "old",
        "no_ALL": "11,12",
        "no_matchNr": "2",
    }
    assert taken(JsonExtract("no", ("$.spare[*].no",), match=2), KEYS)[1]["no"] == "12"
    assert taken(JsonExtract("whole", ("$.spare",)), KEYS)[1]["whole"] == '[{"no":11},{"no":12}]'


def test_jmespath_gives_each_value_of_an_array_and_a_single_one_whatever_its_number() -> None:
    one = JsonExtract("key", ("grant.key",), match=5, default=("none",), language="jmespath")
    every = JsonExtract("no", ("spare[].no",), match=-1, language="jmespath")

    assert taken(one, KEYS)[1] == {"key": "k001", "key_matchNr": "1"}
    assert taken(every, KEYS, no_3="old", no_2="older", no_1="oldest")[1] == {
        "no_1": "11",
        "no_2": "12",
        "no_matchNr": "2",
    }
    assert taken(replace(every, match=2), KEYS)[1]["no"] == "12"
    assert taken(replace(one, path=("{n: spare[0].no, t: 'a/b'}",)), KEYS)[1]["key"] == '{"n":11,"t":"a/b"}'


@pytest.mark.parametrize(
    ("path", "body", "variables"),
    [
        ("nope", KEYS.body, {"v": "none", "v_matchNr": "0"}),
        ("none", KEYS.body, {"v": "none", "v_matchNr": "0"}),
        ("abs(grant)", KEYS.body, {"v": "none"}),
        ("nope", b"<p>", {"v": "none"}),
        ("nope", b"", {"v": "none"}),
        ("a", b'{"a": 1} and more', {"v": "1", "v_matchNr": "1"}),
    ],
)
def test_jmespath_that_finds_nothing_sets_the_default(path: str, body: bytes, variables: dict[str, str]) -> None:
    extract = JsonExtract("v", (path,), default=("none",), required=False, language="jmespath")

    assert taken(extract, replace(KEYS, body=body)) == ("", variables)


def test_json_without_the_value_sets_the_default_as_does_null_and_what_is_not_json() -> None:
    extract = JsonExtract("v", ("$.nope",), default=("none",))

    assert taken(extract, KEYS)[1] == {"v": "none", "v_matchNr": "0"}
    assert taken(replace(extract, path=("$.none",)), KEYS)[1] == {"v": "none", "v_matchNr": "1"}
    assert taken(extract, PAGE)[1] == {"v": "none", "v_matchNr": "0"}
    assert taken(extract, replace(PAGE, body=b'{"nope": '))[1] == {"v": "none"}
    assert taken(extract, replace(PAGE, body=b""))[1] == {"v": "none"}


def test_the_plugin_s_extractor_gives_an_array_as_a_whole_and_by_elements() -> None:
    # Source: undera/jmeter-plugins, plugins/json, JSONPathExtractor.java (process).
    extract = JsonExtract("v", ("$..no",), default=("-",), whole=True)

    assert taken(extract, KEYS)[1] == {"v": "[11,12]", "v_matchNr": "2", "v_1": "11", "v_2": "12"}
    assert taken(replace(extract, path=("$.grant.key",)), KEYS, v_1="old")[1] == {"v": "k001"}
    assert taken(replace(extract, path=("$.none",)), KEYS)[1] == {"v": "null"}
    assert taken(replace(extract, path=("$..nope",)), KEYS, v_1="old")[1] == {"v": "-", "v_matchNr": "0"}


def test_boundaries_find_what_is_between_them() -> None:
    extract = BoundaryExtract("v", ("<b>",), ("</b>",), match=2)

    assert taken(extract)[1] == {"v": "9"}
    assert taken(replace(extract, match=-1), v_matchNr="3", v_3="x")[1] == {"v_matchNr": "2", "v_1": "7", "v_2": "9"}
    assert taken(replace(extract, match=3, default=("-",)))[1] == {"v": "-"}


@pytest.mark.parametrize(
    ("left", "right", "found"),
    [
        ("[", "]", ["a", "b[c", "c"]),
        ("", "]", ["[a"]),
        ("[", "", ["a] [b[c]"]),
        ("", "", ["[a] [b[c]"]),
        ("<", "]", []),
    ],
)
def test_a_boundary_may_be_empty_and_finds_may_overlap(left: str, right: str, found: list[str]) -> None:
    assert between(left, right, "[a] [b[c]") == found


def test_css_selectors_find_texts_and_attributes() -> None:
    text = MarkupExtract("v", ("p",), "css", match=-1)
    link = MarkupExtract("v", ("a[href$='2']",), "css", attribute="href")

    assert taken(text)[1] == {"v_matchNr": "2", "v_1": "n=7", "v_2": "n=9"}
    assert taken(link)[1] == {"v": "/t/2"}
    assert taken(MarkupExtract("v", ("h1",), "css"))[1] == {"v": "Möle & Co"}


def test_xpath_finds_nodes_attributes_and_numbers() -> None:
    links = MarkupExtract("v", ("//a/@href",), "xpath", match=-1)
    count = MarkupExtract("v", ("count(//b)",), "xpath", match=-1)
    mixed = MarkupExtract("v", ("//p",), "xpath", match=-1, first_text=True)

    assert taken(links)[1] == {"v": "/t/1", "v_1": "/t/1", "v_2": "/t/2", "v_matchNr": "2"}
    assert taken(count)[1]["v"] == "2"
    assert taken(mixed)[1]["v"] == "n="
    assert taken(replace(mixed, first_text=False))[1]["v"] == "n=7"


def test_xpath_in_xml_knows_prefixes_and_what_is_not_xml_has_nothing() -> None:
    extract = MarkupExtract(
        "v", ("//m:mole",), "xpath", match=1, markup="xml", namespaces=(("m", "urn:m"),), default=("-",)
    )
    xml = replace(PAGE, body=b'<a xmlns="urn:m"><mole>dig</mole></a>')

    assert taken(extract, xml)[1]["v"] == "dig"
    assert taken(extract, replace(PAGE, body=b"<a><b></a>"))[1]["v"] == "-"


def test_entities_of_a_document_are_not_read_from_files() -> None:
    xml = b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'
    extract = MarkupExtract("v", ("string(/a)",), "xpath", markup="xml")

    assert taken(extract, replace(PAGE, body=xml))[1].get("v", "") == ""


@pytest.mark.parametrize(
    "extract",
    [
        RegexExtract("v", ("(?<=a)b",)),
        JsonExtract("v", ("$.[",)),
        MarkupExtract("v", ("p[",), "css"),
        MarkupExtract("v", ("//a[",), "xpath"),
    ],
)
def test_what_cannot_be_read_fails_with_its_reason(extract: Finding) -> None:
    why, variables = taken(extract)

    assert why.startswith("v: ")
    assert variables == {}


def test_a_pattern_that_does_not_end_is_said_and_not_tried_again() -> None:
    client = known_client()
    tried = []

    def out_of_time(do: Callable[[], object]) -> object:
        tried.append(do)
        raise TimeoutError

    client.shared.within = out_of_time
    extract = RegexExtract("v", ("(x+x+)+y",), required=False)

    words = [take(extract, PAGE, client) for _ in range(2)]

    assert words == [words[0]] * 2
    assert "'(x+x+)+y' did not come to an end in time" in words[0]
    assert len(tried) == 1


def test_a_header_is_found_whatever_its_case() -> None:
    assert taken(HeaderExtract("v", ("x-lane",)))[1] == {"v": "B4"}
    assert taken(HeaderExtract("v", ("X-Other",)))[0] == "v was not found"


def test_redirects_and_embedded_resources_are_looked_in_too_where_that_is_asked_for() -> None:
    """JMeter 5.5: AbstractScopedTestElement.java (getSampleList), RegexExtractor.java (processMatches)."""
    hop = replace(PAGE, head="HTTP/1.1 302 Found\r\nLocation: /next?code=7\r\n", body=b"")
    whole = replace(PAGE, parts=(hop, replace(PAGE, body=b'{"id": 9}')))
    location = RegexExtract("n", ("code=(.+)",), "head", required=False)

    assert "n" not in taken(location, whole)[1]
    assert taken(replace(location, where="both"), whole)[1]["n"] == "7"
    assert taken(replace(location, where="parts"), whole)[1]["n"] == "7"
    assert "n" not in taken(replace(location, where="parts"), PAGE)[1]
    lanes = RegexExtract("n", ("HTTP/1.1 (.+)",), "head", match=-1, where="both")
    assert taken(lanes, whole)[1]["n_matchNr"] == "3"
    # What is blank is no JSON, and does not count.
    assert taken(JsonExtract("n", ("$.id",), where="parts"), whole)[1]["n"] == "9"
