"""What a JMeter plan's assertions, counters, files and references mean; the sources are files of apache/jmeter."""

from __future__ import annotations

import pytest
from writing import (
    FILE,
    assertion,
    collection,
    counter,
    csv,
    element,
    group,
    header,
    http,
    loop,
    only,
    read,
    sent,
    variables,
)

from holdfast.errors import UsageError
from holdfast.model.scenario import Check
from holdfast.model.shapes import Clients
from holdfast.plans.xml import parse_xml

SUCCESS = frozenset(range(200, 400))


@pytest.mark.parametrize(
    ("kind", "texts", "expected"),
    [
        (8, ("200",), {200}),  # equals
        (2, ("^20",), set(range(200, 210))),  # contains, a pattern
        (1, ("3..",), set(range(300, 400))),  # matches, as a whole
        (16, ("04",), {204, 304}),  # substring
        (8 | 4, ("200",), SUCCESS - {200}),  # not
        (8 | 32, ("200", "201"), {200, 201}),  # or
        (8, ("200", "201"), set()),  # all of them
    ],
)
def test_an_assertion_of_the_code_says_which_statuses_are_good(kind, texts, expected):
    (step,) = only(read(group(http() + assertion("response_code", kind, *texts)))).steps
    assert step.expected == frozenset(expected)


def test_an_assertion_that_ignores_the_status_lets_errors_be_good():
    # ResponseAssertion.evaluateResponse sets the sample good before it compares.
    (step,) = only(read(group(http() + assertion("response_code", 8, "404", ignore_status=True)))).steps
    assert step.expected == frozenset({404})


@pytest.mark.parametrize(
    ("kind", "texts", "checks"),
    [
        (16, ("a.b",), (Check("a.b"),)),
        (2, ("a.b",), (Check("a.b", pattern=True),)),
        (1, ("a.b",), (Check("a.b", pattern=True, whole=True),)),
        (8, ("a.b",), (Check("a.b", whole=True),)),
        (16 | 4, ("a", "b"), (Check("a", wanted=False), Check("b", wanted=False))),
        (16 | 32, ("a.", "b"), (Check(r"(?:a\.)|(?:b)", pattern=True),)),
    ],
)
def test_an_assertion_of_the_text_checks_the_body(kind, texts, checks):
    (step,) = only(read(group(http() + assertion("response_data", kind, *texts)))).steps
    assert (step.expected, step.checks) == (None, checks)


def test_a_counter_goes_on_begins_again_and_is_written_out():
    # CounterConfig.iterationStart.
    assert sent(only(read(group(counter("n", "5", "2") + http("/${n}")))), 3) == ["GET /5", "GET /7", "GET /9"]
    wraps = counter("n", "5", "2", "8", "u_00")
    assert sent(only(read(group(wraps + http("/${n}")))), 3) == ["GET /u_05", "GET /u_07", "GET /u_05"]
    own = only(read(group(counter("n", per_user="true") + http("/${n}"), threads="2", loops="2")))
    assert sent(own, 4, clients=2) == ["GET /1", "GET /1", "GET /2", "GET /2"]
    looped = only(read(group(loop("3", counter("n", "0", "1", "3") + http("/${n}")), loops="3")))
    assert sent(looped, 9) == [f"GET /{number % 4}" for number in range(9)]


def test_a_counter_is_the_same_for_all_requests_of_a_pass():
    body = counter("n") + http("/a/${n}") + loop("2", http("/b/${n}"))
    assert sent(only(read(group(body))), 6) == ["GET /a/1", "GET /b/1", "GET /b/1", "GET /a/2", "GET /b/2", "GET /b/2"]


def test_the_rows_of_a_csv_file_end_the_load_or_begin_again():
    again = read(group(csv("f.csv") + http("/${a}?${b}")), FILE)
    assert sent(only(again), 4) == ["GET /1?x%20y", "GET /2?z", "GET /3?%C3%BC", "GET /1?x%20y"]
    # For ever, until the rows end: two threads share three rows.
    ends = read(group(csv("f.csv", recycle="false", stopThread="true") + http("/${a}"), loops="-1", threads="2"), FILE)
    assert only(ends).shape == Clients(2, iterations=2)
    assert (only(ends).values[0].again, ends.notes) == (False, ())
    eof = read(group(csv("f.csv", recycle="false") + http("/${a}")), FILE)
    assert ["<EOF>" in note.meaning for note in eof.notes] == [True]


def test_a_csv_file_of_each_thread_begins_anew_in_it_and_a_loop_reads_one_row_a_pass():
    own = only(read(group(csv("f.csv", shareMode="shareMode.thread") + http("/${a}"), threads="2", loops="2"), FILE))
    assert sent(own, 4, clients=2) == ["GET /1", "GET /1", "GET /2", "GET /2"]
    looped = only(read(group(loop("2", csv("f.csv") + http("/${a}"))), FILE))
    assert sent(looped, 6) == [f"GET /{row % 3 + 1}" for row in range(6)]


def test_names_for_columns_and_how_lines_are_cut():
    named = read(group(csv("f.csv", "n, m", ignoreFirstLine="true") + http("/${n}-${m}")), FILE)
    assert sent(only(named), 1) == ["GET /1-x%20y"]
    tabs = read(group(csv("t", "n,m", delimiter="\\t") + http("/${n}-${m}")), {"t": b"1\t2\t3\r\n4\t5"})
    assert sent(only(tabs), 2) == ["GET /1-2", "GET /4-5"]
    with pytest.raises(UsageError, match=r"row 2 of f\.csv has 1 value for 2 variables"):
        read(group(csv("f.csv", "n,m") + http()), {"f.csv": b"1,2\n3\n"})
    with pytest.raises(UsageError, match="has no rows"):
        read(group(csv("f.csv") + http()), {"f.csv": b"a,b\n"})
    with pytest.raises(UsageError, match="cannot be read as utf-16"):
        read(group(csv("f.csv", fileEncoding="utf-16") + http()), {"f.csv": b"a"})


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("${__P(p)}", "1"),  # Property2: the default is 1
        ("${__P(p,a b)}", "a b"),
        ("${__P(given,x)}", "yes"),
        ("${__property(p)}", "p"),  # Property: the default is the name
        ("${__property(p,,d)}", "d"),
        (r"${__P(p,a\,b)}", "a,b"),
        ("${__P(p,${v})}", "value"),
        (r"\${v} ${v}", "${v} value"),
        (r"\${v}", r"\${v}"),  # without any reference, nothing is unescaped
        ("${__threadGroupName}/${__samplerName}", "Group/Request"),
        ("${unclosed", "${unclosed"),
    ],
)
def test_references_have_jmeters_values(reference, value):
    body = element("HeaderManager", "H", collection("HeaderManager.headers", header("X", reference)))
    (step,) = only(read(variables(v="value") + group(http() + body), given="yes")).steps
    assert step.headers == (("X", value),)


def test_thread_numbers_begin_with_one_and_iterations_too():
    found = only(read(group(http("/${__threadNum}/${__iterationNum}"), threads="2", loops="2")))
    assert sent(found, 4, clients=2) == ["GET /1/1", "GET /2/1", "GET /1/2", "GET /2/2"]


def test_variables_are_defined_once_wherever_they_stand():
    # PreCompiler: user defined variables of the whole tree, in its order, before anything is sent.
    below = group(http("/${a}/${b}") + variables(a="2", b="${a}"))
    assert sent(only(read(variables(a="1") + below)), 1) == ["GET /2/1"]


def test_disabled_elements_are_not_there():
    found = read(group(http("/1") + http("/2", enabled=False)) + group(http(), enabled=False, name="Off"))

    assert [step.path for step in only(found).steps] == ["/1"]
    assert found.notes == ()


def test_names_of_samplers_are_labels():
    found = only(read(counter("n") + group(http(name="A ${n}") + http(name="B ${__P(x,y)}") + http("/p", name=""))))
    assert [step.label for step in found.steps] == ["A ${n}", "B y", "GET /p"]


def test_characters_that_xml_does_not_allow_are_what_their_numbers_say() -> None:
    # JMeter 5.5 sent these, of a body with bytes that are no text: 1f 00 01 EF BF BE F0 9F 98 80 for the last two.
    said = "&#x1f;&#0;&#1;&#xFFFE;&#xD83D;&#xDE00;&#x1F600;&#x41;"
    root = parse_xml(f'<a n="{said}">{said}</a>'.encode(), "test.jmx")

    assert root.text == root.attributes["n"] == "\x1f\x00\x01\ufffe\U0001f600\U0001f600A"
