"""Assertions judge as JMeter's do.

Expected: apache/jmeter 5.5, org.apache.jmeter.assertions.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Literal

import pytest
from journeys.known_client import known_client
from journeys.walks import crew, request

from holdfast.journeys.assertions import unmet
from holdfast.journeys.steps import Judged, Sending, Told
from holdfast.journeys.walk import Shared, walk
from holdfast.model.answers import Answer, Assertion
from holdfast.model.journey import Journeys
from holdfast.model.scenario import Timeouts

HEAD = "HTTP/1.1 200 OK\r\nX-Lane: B4\r\n"
BODY = b'{"ok": true, "lane": "B4", "kg": 1.50, "list": [7, 9], "none": null, "empty": []}'
ANSWER = Answer("http://h/p?a=1", True, 200, "OK", HEAD, BODY, took_ms=100.9, size=len(HEAD) + 2 + len(BODY))


def why(*assertions: Assertion, answer: Answer = ANSWER, **known: object) -> str:
    return unmet(assertions, answer, known_client(**known))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "how", "text"),
    [
        ("body", "contains", '"lane": "B4"'),
        ("body", "finds", r'"kg": [\d.]+'),
        ("body", "matches", "(?s).*"),
        ("status", "equals", "200"),
        ("message", "equals", "OK"),
        ("head", "contains", "X-Lane: B4\n"),
        ("url", "finds", "a=1$"),
    ],
)
def test_each_field_is_compared(what: str, how: str, text: str) -> None:
    assertion = Assertion(what, how, ((text,),))  # type: ignore[arg-type]

    assert why(assertion) == ""
    assert "not to" in why(replace(assertion, wanted=False))


@pytest.mark.parametrize(
    ("assertion", "words"),
    [
        (Assertion("body", "contains", (("mole",),)), "text expected to contain /mole/"),
        (Assertion("status", "equals", (("404",),)), "code expected to equal /404/, but was /200/"),
        (Assertion("head", "finds", (("B4",),), wanted=False), "headers expected not to contain /B4/"),
        (Assertion("duration", "<=", (("100",),)), ""),
        (Assertion("duration", "<=", (("99",),)), "It took 100 ms, but should have been less than or equal to 99 ms"),
        (Assertion("body size", "==", ((str(len(BODY)),),)), ""),
        (
            Assertion("head size", "<", (("9",),)),
            f"It was {len(HEAD) + 2} bytes, but should have been less than 9 bytes",
        ),
        (Assertion("size", ">", ((str(len(BODY)),),)), ""),
        (Assertion("size", ">", (("x",),)), "size: 'x' is not a whole number"),
        (Assertion("md5", "equals", ((hashlib.md5(BODY).hexdigest().upper(),),)), ""),
        (Assertion("body", "finds", (("(?<=a)",),), name="look"), "look: "),
    ],
)
def test_what_does_not_hold_is_said_in_words(assertion: Assertion, words: str) -> None:
    found = why(assertion)

    assert found.startswith(words)
    assert bool(found) is bool(words)


def test_all_texts_must_hold_or_one_of_them() -> None:
    both = Assertion("body", "contains", (("B4",), ("mole",)))

    assert why(both) == "text expected to contain /mole/"
    assert why(replace(both, any_of=True)) == ""
    assert why(replace(both, texts=(("mole",), ("vole",)), any_of=True)).count("contain") == 2


def test_a_message_of_its_own_is_said() -> None:
    assert why(Assertion("status", "equals", (("201",),), message=("made of clay",))) == "made of clay"


def test_an_empty_field_holds_only_what_is_not_wanted() -> None:
    empty = replace(ANSWER, body=b"")

    assert why(Assertion("body", "contains", (("x",),)), answer=empty) == "Response was null"
    assert why(Assertion("body", "contains", (("x",),), wanted=False), answer=empty) == ""


def test_an_assertion_that_ignores_the_status_makes_good_what_was_before_it() -> None:
    bad = Assertion("body", "contains", (("mole",),))
    ignores = Assertion("status", "equals", (("200",),), ignores_status=True)

    assert why(bad, ignores) == ""
    assert why(ignores, bad) != ""


@pytest.mark.parametrize(
    ("path", "how", "value", "holds"),
    [
        ("$.lane", "equals", '"B4"', True),
        ("$.lane", "equals", "B4", True),
        ("$.lane", "matches", "B.", True),
        ("$.lane", "matches", "B", False),
        ("$.kg", "equals", "1.5", True),
        ("$.kg", "matches", r"1\.5", True),
        ("$.ok", "matches", "true", True),
        ("$.list[0]", "equals", "7", True),
        ("$.list[0]", "equals", "7.0", False),
        ("$.list", "equals", "9", True),
        ("$.list", "equals", "[7,9]", True),
        ("$.list.length()", "equals", "2", True),
        ("$.none", "equals", "null", True),
        ("$.none", "exists", "", True),
        ("$.nope", "exists", "", False),
        ("$..nope", "exists", "", False),
        ("$.empty", "exists", "", True),
        ("$.empty", "equals", "[]", True),
        ("$[", "exists", "", False),
    ],
)
def test_json_paths_are_compared_by_value_or_by_pattern(path: str, how: str, value: str, *, holds: bool) -> None:
    texts = ((path,),) if how == "exists" else ((path,), (value,))
    assertion = Assertion("json path", how, texts)  # type: ignore[arg-type]

    assert (why(assertion) == "") is holds
    if path != "$[":
        assert (why(replace(assertion, wanted=False)) == "") is not holds


@pytest.mark.parametrize(
    ("texts", "how", "holds"),
    [
        (("lane",), "exists", True),
        (("none",), "exists", False),
        (("none",), "equals", True),
        (("lane",), "equals", False),
        (("lane", "B4"), "equals", True),
        (("kg", "1.50"), "equals", True),
        (("list[0]", "7"), "equals", True),
        (("list[0]", "7.0"), "equals", False),
        (("{b: lane, a: kg}", '{"a": 1.5, "b": "B4"}'), "equals", True),
        (("lane", "B."), "matches", True),
        (("lane", "B"), "matches", False),
    ],
)
def test_jmespath_is_compared_by_value_or_by_pattern(texts: tuple[str, ...], how: str, *, holds: bool) -> None:
    assertion = Assertion("jmespath", how, tuple((each,) for each in texts))  # type: ignore[arg-type]

    assert (why(assertion) == "") is holds
    assert (why(replace(assertion, wanted=False)) == "") is not holds


def test_what_jmespath_cannot_look_for_fails_unless_the_contrary_is_asserted() -> None:
    assertion = Assertion("jmespath", "exists", (("abs(lane)",),))

    assert "cannot be looked for" in why(assertion)
    assert why(replace(assertion, wanted=False)) == ""


@pytest.mark.parametrize(
    ("how", "value", "holds"),
    [
        ("matches", ".*zeta.*beta.*alpha.*", True),
        ("matches", ".*zeta.*alpha.*beta.*", False),
        ("equals", '{"beta":{"x":2,"y":1},"alpha":2,"zeta":1}', True),
        ("equals", '{"beta":{"x":2,"y":1},"alpha":2,"zeta":1.0}', False),
    ],
)
def test_an_object_has_the_order_of_a_hash_map_for_a_pattern_and_none_for_a_value(
    how: Literal["matches", "equals"], value: str, *, holds: bool
) -> None:
    """As with JMeter 5.5 (tests/oracle, json-objects)."""
    answer = replace(ANSWER, body=b'{"o":{"zeta":1,"alpha":2,"beta":{"y":1,"x":2}}}')

    assert (why(Assertion("json path", how, (("$.o",), (value,))), answer=answer) == "") is holds


def test_what_is_not_json_has_no_path() -> None:
    found = why(Assertion("json path", "exists", (("$.a",),)), answer=replace(ANSWER, body=b"<p>"))

    assert found.startswith("The body is not JSON")


def test_xpath_holds_where_nodes_are_found_or_it_is_true() -> None:
    xml = replace(ANSWER, body=b"<a><b>1</b></a>")

    assert why(Assertion("xpath", "exists", (("//b",),)), answer=xml) == ""
    assert why(Assertion("xpath", "exists", (("//c",),)), answer=xml) == "No nodes matched //c"
    assert why(Assertion("xpath", "exists", (("count(//b) = 1",),)), answer=xml) == ""
    assert why(Assertion("xpath", "exists", (("//b",),), wanted=False), answer=xml) == "Nodes matched //b"
    assert "not XML" in why(Assertion("xpath", "exists", (("//b",),)))


def test_a_variable_and_the_request_can_be_looked_at() -> None:
    sent = Sending("l", "POST", "http://h", "/p", (), b"who=mole", None, 0, True, None, True, Timeouts(), 0)

    assert why(Assertion("body", "equals", (("x",),), of_variable="v"), variables={"v": "x"}) == ""
    assert "variable(v)" in why(Assertion("body", "equals", (("x",),), of_variable="v"), variables={"v": "y"})
    assert why(Assertion("request data", "contains", (("who=mole",),)), sent=sent) == ""


def test_a_status_without_a_reason_phrase_is_an_error_too() -> None:
    nothing = Answer("http://127.0.0.1:8000/a", False, 404, "", "HTTP/1.1 404 \r\n", b"x")
    looks = request("/a", assertions=(Assertion("body", "equals", (("x",),)),))
    only = crew(looks)
    walker = walk(only, 1, Shared(Journeys((only,))))

    steps = [next(walker), walker.send(Told(0))]
    steps.append(walker.send(Told(0, nothing)))

    assert steps[-1] == Judged(False, "The status is 404")


@pytest.mark.parametrize(("charset", "text"), [("utf-8", "ü"), ("iso-8859-1", "Ã¼")])
def test_an_answer_is_judged_in_the_charset_of_its_crew(charset: str, text: str) -> None:
    answer = Answer("http://h/a", True, 200, "OK", "HTTP/1.1 200 OK\r\n\r\n", "ü".encode())
    looks = request("/a", assertions=(Assertion("body", "equals", ((text,),)),))
    only = crew(looks, charset=charset)
    walker = walk(only, 1, Shared(Journeys((only,))))

    steps = [next(walker), walker.send(Told(0)), walker.send(Told(0, answer))]

    assert steps[-1] == Judged(True, "")


@pytest.mark.parametrize("charset", ["undefined", "a\0b", "nothing-known", "zlib", "punycode"])
@pytest.mark.parametrize("of_page", [False, True])
def test_an_answer_in_a_charset_that_is_none_is_read_nevertheless(charset: str, of_page: bool) -> None:  # noqa: FBT001
    said = f'<meta http-equiv="content-type" content="text/html; charset={charset}">' if of_page else ""
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/html" + ("" if of_page else f"; charset={charset}") + "\r\n\r\n"
    answer = Answer("http://h/a", True, 200, "OK", head, f"{said}\xfc".encode("latin-1"))

    assert why(Assertion("body", "contains", (("\xfc",),)), answer=answer) == ""


def test_redirects_and_embedded_resources_are_judged_too_where_that_is_asked_for() -> None:
    """JMeter 5.5: JMeterThread.java (checkAssertions, recurseAssertionChecks)."""
    hop = replace(ANSWER, url="http://h/hop", status=302)
    whole = replace(ANSWER, parts=(hop, ANSWER))
    is_200 = Assertion("status", "equals", (("200",),))

    assert why(is_200, answer=whole) == ""
    assert why(replace(is_200, where="both"), answer=whole) == (
        "http://h/hop: code expected to equal /200/, but was /302/"
    )
    is_302 = Assertion("status", "equals", (("302",),), where="parts")
    assert why(is_302, answer=replace(whole, parts=(hop,))) == ""
    assert why(is_302, answer=ANSWER) == ""
