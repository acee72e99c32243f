"""Expectations as JUnit XML, which CI systems show beside the tests.

There is no one schema. This is valid by Jenkins' (junit-10.xsd of its xunit plugin) and by Ant's (JUnit.xsd of
windyroad/JUnit-Schema), which asks for more attributes and for an order. GitLab reads of it the name, class name and
time of a case, and the text of its failure; of cases with the same names it shows one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from holdfast.model.check import FAILS, BaselineCheck, Checked, CheckResult
from holdfast.model.frozen import frozen
from holdfast.model.load import Expectation
from holdfast.model.study import Finding, Row, StudyResult
from holdfast.report.expectations import sum_up_baseline, value
from holdfast.report.load import shown_value

# What XML 1.0 does not allow even as a reference (2.2, Char), and what turns or hides text.
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")

End = Literal["", "failure", "error", "skipped"]


@frozen
class ReportedCase:
    """One line of a test report.

    Attributes:
        within: a class name, as such reports call it: `holdfast.probe`.
        end: "" passed; "failure" is an expectation that is not met, "error" one that could not be looked at.
        why: one sentence; "" where it passed.
        more: what more there is to read of it.
        expected: a person expects it, so that it can fail the command; False for what is only reported.
    """

    within: str
    name: str
    end: End = ""
    why: str = ""
    more: str = ""
    expected: bool = True


def cases_of(command: str, found: CheckResult) -> tuple[ReportedCase, ...]:
    """A test case for each expectation, and one for the baseline."""
    baseline = [] if found.baseline is None else [_of_baseline(command, found.baseline)]
    return (*(_of_expectation(command, each) for each in found.checked), *baseline)


def _of_expectation(command: str, checked: Checked) -> ReportedCase:
    within = f"holdfast.{command}"
    name = f"{checked.of}: {checked.expression}" if checked.of else checked.expression
    if checked.met:
        return ReportedCase(within, name)
    more = f"expected: {checked.expression}\nfound: {checked.shown}\n{checked.why}".rstrip()
    return ReportedCase(within, name, "failure", checked.why or f"found {checked.shown}", more)


def _of_baseline(command: str, baseline: BaselineCheck) -> ReportedCase:
    within, name = f"holdfast.{command}", "as in the baseline"
    if baseline.met:
        return ReportedCase(within, name)
    lines = [
        f"{each.field}: {value(each.before)} -> {value(each.after)} ({each.against}: {each.why})"
        for each in baseline.moved
        if each.against in FAILS
    ]
    return ReportedCase(within, name, "failure", sum_up_baseline(baseline), "\n".join(lines))


def cases_of_thresholds(thresholds: Sequence[Expectation]) -> tuple[ReportedCase, ...]:
    """A test case for each threshold of a load."""
    return tuple(
        ReportedCase("holdfast.load.threshold", each.text)
        if each.held
        else ReportedCase("holdfast.load.threshold", each.text, "failure", _of_threshold(each), _of_threshold(each))
        for each in thresholds
    )


def _of_threshold(threshold: Expectation) -> str:
    found = shown_value(threshold)
    return f"found {found}" if found else "nothing to compare"


def cases_of_rows(result: StudyResult) -> tuple[ReportedCase, ...]:
    """A test case for each row of a study, and for each thing that its file expects of it.

    What the source of a bundled study claims is compared, and is not an expectation.
    """
    return tuple(case for row in result.rows for case in _of_row(row, () if result.source else row.findings))


def _of_row(row: Row, expected: Sequence[Finding]) -> Iterator[ReportedCase]:
    within = "holdfast.study.rows"
    if row.verdict is None:
        end: End = "skipped" if row.outcome == "not installed" else "error"
        why = "\n".join(filter(None, (row.skipped, row.why, row.remedy)))
        yield ReportedCase(within, row.id, end, row.skipped, why, expected=False)
    else:
        yield ReportedCase(within, row.id, expected=False)
    for finding in expected:
        name = f"{row.id}: {finding.what} {finding.claimed}".rstrip()
        found = finding.why_not or "not measured" if finding.here is None else f"found {finding.here}"
        more = "\n".join(filter(None, (f"expected: {finding.claimed}", found, finding.why_not)))
        yield ReportedCase(within, name) if finding.same else ReportedCase(within, name, "failure", found, more)


def errors_of(command: str, names: Sequence[str], why: str) -> tuple[ReportedCase, ...]:
    """A test case for each expectation of a run that ended without a result, or one where nothing was expected."""
    what = why.splitlines()[0] if why else ""
    return tuple(ReportedCase(f"holdfast.{command}", each, "error", what, why) for each in names or ("result",))


def junit_xml(command: str, cases: Sequence[ReportedCase], at: str, seconds: float) -> bytes:
    """One document with one suite.

    Args:
        command: of holdfast.
        at: when it was made, as 2026-01-31T12:00:00; the schema has no zone.
        seconds: that the run took; the time of each case is 0, since all are looked at together at its end.
    """
    counts = {end: sum(case.end == end for case in cases) for end in ("failure", "error", "skipped")}
    suite = {
        "name": f"holdfast {command}",
        "package": "holdfast",
        "id": "0",
        "timestamp": at,
        "hostname": "localhost",  # nothing that says whose machine it was
        "tests": str(len(cases)),
        "failures": str(counts["failure"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
        "time": f"{seconds:.3f}",
    }
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<testsuites>",
        f"  <testsuite{_attributes(suite)}>",
        "    <properties/>",
        *_cases(cases),
        "    <system-out/>",
        "    <system-err/>",
        "  </testsuite>",
        "</testsuites>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _cases(cases: Sequence[ReportedCase]) -> Iterator[str]:
    for case in _with_own_names(cases):
        attributes = _attributes({"classname": case.within, "name": case.name, "time": "0"})
        if not case.end:
            yield f"    <testcase{attributes}/>"
            continue
        # Ant's `skipped` may have neither attributes nor a text of its own in some readers; all take one that has none.
        told = {} if case.end == "skipped" else {"type": "expectation", "message": case.why}
        text = "" if case.end == "skipped" else _text(case.more)
        yield f"    <testcase{attributes}>"
        yield f"      <{case.end}{_attributes(told)}>{text}</{case.end}>"
        yield "    </testcase>"


def _with_own_names(cases: Sequence[ReportedCase]) -> Iterator[ReportedCase]:
    """The same, those of the same name with numbers behind it: of these GitLab would show one."""
    seen: dict[tuple[str, str], int] = {}
    for case in cases:
        key = case.within, " ".join(case.name.split())
        seen[key] = number = seen.get(key, 0) + 1
        yield case if number == 1 else replace(case, name=f"{case.name} ({number})")


def _attributes(values: dict[str, str]) -> str:
    # A line break in an attribute is a reference, or a reader makes a space of it (XML 1.0, 3.3.3).
    return "".join(
        f" {name}={quoteattr(_allowed(value), {chr(10): '&#10;', chr(13): '&#13;', chr(9): '&#9;'})}"
        for name, value in values.items()
    )


def _text(text: str) -> str:
    return escape(_allowed(text), {"\r": "&#13;"})


def _allowed(text: str) -> str:
    return _NOT_XML.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
