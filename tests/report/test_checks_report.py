"""What is told of expectations: a table, JUnit XML, and what GitHub reads."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.check import BaselineCheck, Checked, CheckResult, Moved
from holdfast.model.load import Expectation
from holdfast.model.study import Circumstances, Finding, Outcome, Row, StudyResult
from holdfast.report.expectations import render_expectations, with_expectations
from holdfast.report.github import annotation_lines, failure_markdown, summary_markdown, workflow_command
from holdfast.report.junit import ReportedCase, cases_of, cases_of_rows, cases_of_thresholds, errors_of, junit_xml
from holdfast.report.layout import Text, rendered
from holdfast.report.marking import escaped

MET = Checked("in_service >= 4", True, {"ceiling.in_service": 8}, shown="8")
UNMET = Checked("client_sees != 'reset'", False, {"overflow.client_sees": "reset"}, shown="reset")
NULL = Checked("call.bodies > 3", False, {"call.bodies": None}, "call.bodies is null: not asked for", shown="null")
BASELINE = BaselineCheck(
    "run 17",
    (
        Moved("ceiling.in_service", "worse", 8, 4, "counted exactly"),
        Moved("overflow.then", "changed", ["syn"], [], "named exactly"),
        Moved("cost.memory_bytes", "better", 4096.0, 1024.0, "further apart than the spread"),
        Moved("target.version", "elsewhere", "26", "27", "it is what was asked for"),
        Moved("ceiling.interval", "not compared", None, [1, 2], "one side does not have it"),
        Moved("pressure", "not compared", None, [], "one side does not have it"),
    ),
    40,
    3,
)
ALL = CheckResult((MET, UNMET, NULL), BASELINE)
VERDICT = cast("Any", object())  # only whether there is one counts
HOSTILE = "<script>alert(1)</script> | `x` ]]> \x1b[31m \x00 \u202e & \" ' %0A ::error::x\nsecond, line: a=b"


def shown(found: CheckResult, width: int = 60) -> str:
    return rendered(render_expectations(found), width, styled=False)


def test_all_expectations_are_listed_with_what_was_found() -> None:
    assert shown(CheckResult((MET, UNMET, NULL))).splitlines() == [
        "2 of 3 expectations are not met.",
        "           expected                found",
        "  met      in_service >= 4         8",
        "  not met  client_sees != 'reset'  reset",
        "  not met  call.bodies > 3         null",
        "  ! call.bodies is null: not asked for.",
    ]
    assert shown(CheckResult((MET,))).startswith("The expectation is met.")
    assert shown(CheckResult((MET, MET))).startswith("All 2 expectations are met.")


def test_what_is_not_as_in_the_baseline_is_listed() -> None:
    assert shown(CheckResult(baseline=BASELINE)).splitlines() == [
        "Not as in the baseline (run 17): 2 fields are different.",
        "             field               before  now",
        "  worse      ceiling.in_service  8       4",
        "  changed    overflow.then       [syn]   []",
        "  better     cost.memory_bytes   4096    1024",
        "  elsewhere  target.version      26      27",
        "  ! Not compared: ceiling.interval, pressure: one side does",
        "    not have it.",
    ]


@pytest.mark.parametrize("width", [40, 60, 120])
def test_the_tables_stay_within_the_terminal(width: int) -> None:
    wide = Checked("in_service >= 4 and " * 9 + "bounded", False, {}, "why not " * 20, "a row", "found " * 30)

    assert max(map(len, shown(CheckResult((*ALL.checked, wide), BASELINE), width).splitlines())) <= width


def test_nothing_is_added_where_nothing_is_expected() -> None:
    picture = Text("a verdict")

    assert with_expectations(picture, CheckResult()) is picture


# --- JUnit XML -------------------------------------------------------------------------------------------------------

# Of each element: the attributes that it must have, those that it may have too, and its children in their order.
# Ant's schema: JUnit.xsd of github.com/windyroad/JUnit-Schema. Jenkins': junit-10.xsd of github.com/jenkinsci/
# xunit-plugin, which asks for less (the names of suites and cases, and three counts) and for no order.
ANT = {
    "testsuites": ((), (), ("testsuite",)),
    "testsuite": (
        ("name", "package", "id", "timestamp", "hostname", "tests", "failures", "errors", "time"),
        ("skipped",),
        ("properties", "testcase", "system-out", "system-err"),
    ),
    "properties": ((), (), ("property",)),
    "testcase": (("name", "classname", "time"), (), ("skipped", "error", "failure")),
    "failure": (("type",), ("message",), ()),
    "error": (("type",), ("message",), ()),
    "skipped": ((), (), ()),
    "system-out": ((), (), ()),
    "system-err": ((), (), ()),
}
JENKINS = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {
        *("name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package"),
        *("file", "log", "url"),
    },
    "properties": set(),
    "testcase": {"name", "time", "classname", "group"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
    "system-err": set(),
}


def read(document: bytes) -> ET.Element:
    """The document, as far as both schemas allow it."""
    root = ET.fromstring(document)
    for element in root.iter():
        required, allowed, children = ANT[element.tag]
        names = set(element.keys())
        assert set(required) <= names <= {*required, *allowed}, element.tag
        assert names <= JENKINS[element.tag]
        order = [children.index(child.tag) for child in element]
        assert all(one <= other for one, other in pairwise(order))
    suite = root[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))
    # SUREFIRE_TIME of Jenkins, xs:decimal of Ant.
    assert re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?", suite.get("time", ""))
    assert [child.tag for child in suite if child.tag != "testcase"] == ["properties", "system-out", "system-err"]
    cases = suite.findall("testcase")
    assert int(suite.get("tests", "")) == len(cases)
    for count, end in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(count, "")) == sum(case.find(end) is not None for case in cases)
    assert all(len(case) <= 1 for case in cases)
    # GitLab shows one of those with the same name (docs.gitlab.com/ci/testing/unit_test_reports).
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)
    return suite


def suite_of(*cases: ReportedCase, command: str = "probe", seconds: float = 1234.5) -> ET.Element:
    return read(junit_xml(command, cases, "2026-01-31T12:00:00", seconds))


def test_a_report_has_a_case_for_each_expectation_and_one_for_the_baseline() -> None:
    met, unmet, null, baseline = suite_of(*cases_of("probe", ALL)).findall("testcase")

    assert (met.get("classname"), met.get("name"), len(met)) == ("holdfast.probe", "in_service >= 4", 0)
    assert (unmet[0].tag, unmet[0].get("message")) == ("failure", "found reset")
    assert (unmet[0].text or "").splitlines() == ["expected: client_sees != 'reset'", "found: reset"]
    assert null[0].get("message") == "call.bodies is null: not asked for"
    assert (baseline.get("name"), baseline[0].tag) == ("as in the baseline", "failure")
    assert (baseline[0].text or "").splitlines() == [
        "ceiling.in_service: 8 -> 4 (worse: counted exactly)",
        "overflow.then: [syn] -> [] (changed: named exactly)",
    ]


def test_a_run_without_a_result_is_an_error_of_each_expectation() -> None:
    suite = suite_of(*errors_of("exec", ["bounded", "in_service >= 4"], "The server did not start.\nport taken"))

    assert [(case.get("name"), case[0].tag) for case in suite.findall("testcase")] == [
        ("bounded", "error"),
        ("in_service >= 4", "error"),
    ]
    assert suite.findall("testcase")[0][0].get("message") == "The server did not start."
    assert [case.get("name") for case in suite_of(*errors_of("exec", [], "why")).findall("testcase")] == ["result"]


def test_thresholds_are_cases_too() -> None:
    cases = cases_of_thresholds((Expectation("p99<1s", 3.0, True), Expectation("rate>9/s", None, False)))

    assert [(each.name, each.end, each.why) for each in cases] == [
        ("p99<1s", "", ""),
        ("rate>9/s", "failure", "nothing to compare"),
    ]


def test_a_study_has_a_case_for_each_row_and_for_what_its_file_expects() -> None:
    findings = (Finding("ceiling.in_service", "2", "1", False, ""), Finding("bounded", "", "true", True, ""))
    rows = (
        study_row("slow", "measured", findings),
        study_row("none", "not installed"),
        study_row("broken", "failed", (Finding("x", "1", None, None, ""),)),
    )
    result = StudyResult("mine.toml", rows, 1.0, "", Circumstances("2026-01-31", "0.1", "Linux", 2, None))

    cases = cases_of_rows(result)

    assert [(each.name, each.end, each.expected) for each in cases] == [
        ("slow", "", False),
        ("slow: ceiling.in_service 2", "failure", True),
        ("slow: bounded", "", True),
        ("none", "skipped", False),
        ("broken", "error", False),
        ("broken: x 1", "failure", True),
    ]
    suite_of(*cases)
    # What the source of a bundled study claims is not expected here.
    assert not any(each.expected for each in cases_of_rows(replace(result, source="a paper")))


def study_row(name: str, outcome: Outcome, findings: tuple[Finding, ...] = ()) -> Row:
    verdict = VERDICT if outcome == "measured" else None
    return Row(name, name, "flask", None, (), "", None, outcome, findings, "why", "", "", 0, 1.0, verdict=verdict)


def test_cases_of_the_same_name_are_told_apart() -> None:
    suite = suite_of(ReportedCase("a", "x"), ReportedCase("a", "x"), ReportedCase("a", "x  "), ReportedCase("b", "x"))

    assert [case.get("name") for case in suite.findall("testcase")] == ["x", "x (2)", "x   (3)", "x"]


@given(text=st.one_of(st.text(), st.just(HOSTILE)))
def test_any_text_keeps_the_document_whole(text: str) -> None:
    suite = suite_of(ReportedCase(text, text, "failure", text, text), ReportedCase(text, text))

    failure = suite.findall("testcase")[0][0]
    visible = [each for each in text if each.isprintable()]
    assert [each for each in failure.get("message", "") if each in visible] == visible or not text.isprintable()
    if text.isprintable():
        assert (failure.get("message"), failure.text or "") == (text, text)
    assert "\x00" not in (failure.text or "")


# --- GitHub ----------------------------------------------------------------------------------------------------------


def test_what_is_not_met_is_an_annotation_and_that_all_is_well_is_one_too() -> None:
    assert list(annotation_lines("probe", ALL)) == [
        "::error title=holdfast probe::client_sees != 'reset': found reset",
        "::error title=holdfast probe::call.bodies > 3: call.bodies is null: not asked for",
        "::error title=holdfast probe::ceiling.in_service was 8 in the baseline, and is 4 (worse: counted exactly)",
        "::error title=holdfast probe::overflow.then was [syn] in the baseline, and is [] (changed: named exactly)",
    ]
    assert list(annotation_lines("load", CheckResult((MET,)))) == [
        "::notice title=holdfast load::The expectation is met."
    ]
    assert list(annotation_lines("load", CheckResult())) == []
    thresholds = cases_of_thresholds((Expectation("p99<1s", 3.0, True), Expectation("rate>9/s", 8.5, False)))
    assert list(annotation_lines("load", CheckResult(), thresholds)) == [
        "::error title=holdfast load::rate>9/s: found 8.5/s"
    ]
    assert list(annotation_lines("load", CheckResult((MET,)), thresholds[:1])) == [
        "::notice title=holdfast load::Expected and found: p99<1s. The expectation is met."
    ]


def test_a_workflow_command_is_escaped_as_githubs_own_library_does() -> None:
    # escapeProperty and escapeData of actions/toolkit, packages/core/src/command.ts: `%` first, so that it stays one.
    assert workflow_command("error", "a:b,c%\n", "100%\r\n::x, y") == (
        "::error title=a%3Ab%2Cc%25%0A::100%25%0D%0A::x, y"
    )


@given(text=st.one_of(st.text(), st.just(HOSTILE)))
def test_no_text_begins_an_annotation_of_its_own(text: str) -> None:
    checked = Checked(f"client_sees == '{text}'", False, {}, "", text, text)

    for line in annotation_lines("probe", CheckResult((checked,))):
        # The runner reads lines, as .NET does: CR, LF and CRLF end one.
        assert re.split(r"[\r\n]", line) == [line]
        assert line.startswith("::error title=holdfast probe::")


def test_a_summary_has_the_tables_and_the_result() -> None:
    lines = summary_markdown("probe", ALL, "8 requests at once\n").splitlines()

    assert lines[:3] == ["### holdfast probe", "", "2 of 3 expectations are not met."]
    assert "| ✅ met | `in_service >= 4` | `8` |" in lines
    assert "| ❌ not met | `client_sees != 'reset'` | `reset` |" in lines
    assert "| ❌ worse | `ceiling.in_service` | `8` | `4` | counted exactly |" in lines
    assert "- Not compared: ceiling.interval, pressure: one side does not have it." in lines
    assert lines[-4:-1] == ["```text", "8 requests at once", "```"]


def test_text_from_outside_is_no_markup_in_a_summary() -> None:
    hostile = Checked("x", False, {}, HOSTILE, HOSTILE, HOSTILE)
    text = summary_markdown("probe", CheckResult((hostile,)), f"```\n{HOSTILE}\n````")

    table = next(line for line in text.splitlines() if line.startswith("| ❌"))
    # In a code span nothing is interpreted, but a | ends a cell of a table wherever it is not escaped (GFM 4.10).
    assert len(re.findall(r"(?<!\\)\|", table)) == 5
    assert "<script>" not in re.sub(r"``+.*?``+", "", table)
    why = next(line for line in text.splitlines() if line.startswith("- "))
    assert "<" not in why
    assert "\x1b" not in text
    assert text.splitlines().count("`````") == 1  # the end of the block, which nothing in it ends
    assert escaped("a_b*c`d") == "a\\_b\\*c\\`d"
    assert escaped("&lt; is <") == "\\&lt; is &lt;"
    assert "No result." in failure_markdown("probe", "why")
