"""Expectations for GitHub Actions: the summary of a job, and annotations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.model.check import FAILS, BaselineCheck, Checked, CheckResult
from holdfast.report.expectations import not_compared, sum_up, sum_up_baseline, value
from holdfast.report.junit import ReportedCase
from holdfast.report.marking import block, code, escaped, row


def summary_markdown(command: str, found: CheckResult, picture: str) -> str:
    """What is appended to the summary of a job: a table of the expectations, and the verdict as a terminal has it.

    Args:
        picture: of the result, without escape sequences.
    """
    lines = [f"### holdfast {command}", ""]
    if found.checked:
        lines += [sum_up(found.checked), "", *_table(found.checked), ""]
        lines += [*(f"- {escaped(each.why)}" for each in found.checked if each.why), ""]
    if found.baseline is not None:
        lines += [escaped(sum_up_baseline(found.baseline)), "", *_moved(found.baseline), ""]
        lines += [*(f"- {escaped(each)}" for each in not_compared(found.baseline)), ""]
    return "\n".join([*lines, block(picture), "", ""])


def failure_markdown(command: str, words: str) -> str:
    """The same of a run that ended without a result."""
    return "\n".join([f"### holdfast {command}", "", "No result.", "", block(words), "", ""])


def annotation_lines(command: str, found: CheckResult, cases: Sequence[ReportedCase] = ()) -> Iterator[str]:
    """A line for each expectation that is not met and each field that fails the baseline; or one that all is well.

    Args:
        cases: what else was expected: thresholds of a load, and what a file of a study expects of its rows.
    """
    title = f"holdfast {command}"
    others = [each for each in cases if each.expected]
    for case in others:
        if case.end:
            yield workflow_command("error", title, f"{case.name}: {case.why}")
    for each in found.checked:
        if not each.met:
            of = f"{each.of}: " if each.of else ""
            yield workflow_command("error", title, f"{of}{each.expression}: {each.why or f'found {each.shown}'}")
    if found.baseline is not None:
        for moved in found.baseline.moved:
            if moved.against in FAILS:
                words = f"{moved.field} was {value(moved.before)} in the baseline, and is {value(moved.after)}"
                yield workflow_command("error", title, f"{words} ({moved.against}: {moved.why})")
    if (found or others) and found.met and not any(each.end for each in others):
        sentences = [f"Expected and found: {', '.join(each.name for each in others)}."] if others else []
        sentences += [sum_up(found.checked)] if found.checked else []
        sentences += [sum_up_baseline(found.baseline)] if found.baseline is not None else []
        yield workflow_command("notice", title, " ".join(sentences))


def workflow_command(kind: str, title: str, message: str) -> str:
    """A line that GitHub's runner takes for an annotation.

    Source: `escapeData` and `escapeProperty` of actions/toolkit, packages/core/src/command.ts.
    """
    return f"::{kind} title={_property(title)}::{_data(message)}"


def _table(checked: Sequence[Checked]) -> Iterator[str]:
    of = any(each.of for each in checked)
    yield f"| |{' of |' if of else ''} expected | found |"
    yield f"| :-- |{' :-- |' if of else ''} :-- | :-- |"
    for each in checked:
        cells = [*([each.of] if of else []), each.expression, each.shown]
        yield row(["✅ met" if each.met else "❌ not met", *map(code, cells)])


def _moved(baseline: BaselineCheck) -> Iterator[str]:
    shown = [each for each in baseline.moved if each.against != "not compared"]
    if not shown:
        return
    yield "| | field | before | now | why |"
    yield "| :-- | :-- | :-- | :-- | :-- |"
    for each in shown:
        cells = (code(each.field), code(value(each.before)), code(value(each.after)), escaped(each.why))
        yield row([f"{'❌ ' if each.against in FAILS else ''}{each.against}", *cells])


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
