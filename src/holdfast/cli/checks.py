"""What is expected of a result: the options, the expressions in them, and whom it is told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast import console
from holdfast.cli.click_types import put_out
from holdfast.cli.option_groups import CHECKS, option
from holdfast.console import say, tell
from holdfast.errors import EXIT_ANSWERED, EXIT_EXPECTATION_FAILED, EnvironmentFailure, HoldfastError, UsageError
from holdfast.model.check import NOTHING_EXPECTED, CheckResult

if TYPE_CHECKING:
    from holdfast.checks.evaluate import Result
    from holdfast.checks.expectation import Expectation
    from holdfast.checks.fields import Fields
    from holdfast.checks.syntax import Name
    from holdfast.cli.results import Result as Baseline
    from holdfast.model.check import BaselineCheck
    from holdfast.model.difference import Kind
    from holdfast.report.junit import ReportedCase
    from holdfast.report.layout import Renderable

# Most runs expect nothing, and import nothing for it.

_COLUMNS = 100
"""Of the verdict in the summary of a job."""


def check_options(example: str = "in_service >= 16") -> list[Any]:
    """What to expect, and whom to tell.

    Args:
        example: of an expression, for the help; its field is one that the command's result has.
    """
    return [
        option(
            CHECKS,
            "--expect",
            "expect",
            multiple=True,
            metavar="EXPRESSION",
            help=f"Exit with 1 unless this holds of the result, as {example!r} (repeatable).",
        ),
        option(
            CHECKS,
            "--baseline",
            "baseline",
            metavar="RUN|FILE",
            help="Exit with 1 where the result is worse than that of this saved run or --json file, or has changed, by "
            "more than noise.",
        ),
        option(
            CHECKS,
            "--junit",
            "junit_target",
            metavar="FILE",
            callback=_junit_file,
            help="Write what was expected and what came of it as JUnit XML to FILE.",
        ),
        option(
            CHECKS,
            "--github/--no-github",
            "github",
            default=None,
            help="Add it to the summary of a GitHub job, and annotate the run.  [default: in GitHub Actions, where "
            "anything is expected]",
        ),
    ]


def _junit_file(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """As `target_file`; standard output has the result."""
    if value == console.STDOUT:
        raise click.BadParameter("it needs the name of a file.")
    console.check_target(value)
    return value


class Checks:
    """What is expected of one run, and whom it is told.

    Attributes:
        expectations: in the order in which they were written.
    """

    def __init__(
        self,
        command: str,
        expectations: Sequence[Expectation] = (),
        baseline: Baseline | None = None,
        junit: str | None = None,
        *,
        github: bool | None = False,
    ) -> None:
        self.expectations = tuple(expectations)
        self._baseline = baseline
        self._command = command
        self._junit = junit
        self._github = github
        self._cases: Sequence[ReportedCase] = ()
        self._began = time.monotonic()
        self._failed = EXIT_ANSWERED

    @property
    def expects(self) -> bool:
        """Whether anything is expected."""
        return bool(self.expectations) or self._baseline is not None

    def check(self, result: Result, part: Callable[[Name], Result | None] | None = None) -> CheckResult:
        """What came of what is expected.

        Args:
            result: as its JSON has it.
            part: the result that a name is about; None where each is about the whole.
        """
        if not self.expects:
            return NOTHING_EXPECTED
        from holdfast.checks.evaluate import check

        checked = tuple(check(each, part or (lambda _name: result)) for each in self.expectations)
        return CheckResult(checked, self.against(result))

    def against(self, result: Result) -> BaselineCheck | None:
        """The result against the baseline; None where there is none, or where it cannot be compared, which is told."""
        if self._baseline is None:
            return None
        from holdfast.infer.difference import difference_of
        from holdfast.infer.regression import against_baseline
        from holdfast.model.difference import Side

        try:
            sides = self._baseline.side, Side("this run")
            return against_baseline(difference_of(self._baseline.fields, result, sides))
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            # A file of JSON may hold anything; the result, which took a run, is still shown.
            self._fail(_not_comparable(self._baseline.side.name, error))
            return None

    def check_parts(self, selector: str, known: Sequence[str]) -> None:
        """Makes sure that the result will have each part that an expectation names.

        Args:
            known: those that it will have, such as the labels of a load.

        Raises:
            UsageError: it will not.
        """
        for each in self.expectations:
            if selector == "row":
                from holdfast.checks.study_fields import check_names

                check_names(each)
            for name in each.selected:
                if name.selector == selector and name.selected not in known:
                    from holdfast.checks.expectation import unknown_part

                    raise unknown_part(each, name, dict.fromkeys(known))

    def publish(
        self,
        result: object,
        json_target: str | None,
        picture: Callable[[], Renderable],
        json: Callable[[CheckResult], bytes],
    ) -> CheckResult:
        """Shows a result and what came of the expectations, and writes both where that was asked for.

        Args:
            result: as `report.json` writes it.
        """
        found = self.check(_as_json(result)) if self.expects else NOTHING_EXPECTED
        self.write(found, picture)
        put_out(partial(with_table, picture, found), (json_target, partial(json, found)))
        self.tell(found, json_target)
        return found

    def write(self, found: CheckResult, picture: Callable[[], Renderable], cases: Sequence[ReportedCase] = ()) -> None:
        """Writes what came of it into the files that were asked for.

        A file that cannot be written is told, and keeps nothing else back.

        Args:
            picture: of the whole result.
            cases: what else there is to say in a test report.
        """
        if self._junit is not None:
            from holdfast.report.junit import cases_of

            self._write_junit([*cases, *cases_of(self._command, found)])
        self._cases = cases
        if self._tells_github():
            from holdfast.report.github import summary_markdown
            from holdfast.report.layout import rendered

            text = rendered(picture(), _COLUMNS, styled=False)
            self._add_to_summary(summary_markdown(self._command, found, text))

    def tell(self, found: CheckResult, taken: str | None) -> None:
        """Tells on standard error what is not met, where standard output has no table, and annotates the run.

        Args:
            taken: where another form of the result went; `-` is standard output.
        """
        if taken == console.STDOUT and not found.met:
            from holdfast.report.expectations import render_expectations
            from holdfast.report.layout import rendered

            say(rendered(render_expectations(found), _COLUMNS, styled=False).rstrip("\n"))
        if self._tells_github():
            from holdfast.report.github import annotation_lines

            for line in annotation_lines(self._command, found, self._cases):
                say(line)

    def exit_code(self, code: int, found: CheckResult) -> int:
        """The exit code of a result that alone would have ended with this one.

        An inconclusive run stays one: what it did not find out says nothing of the server.
        """
        if self._failed != EXIT_ANSWERED:
            return self._failed
        return EXIT_EXPECTATION_FAILED if code == EXIT_ANSWERED and not found.met else code

    @contextmanager
    def told_without_result(self) -> Iterator[None]:
        """Tells of an error that ends the run without a result, and raises it again."""
        try:
            yield
        except HoldfastError as error:
            if self._junit is not None:
                from holdfast.report.junit import errors_of

                names = [each.text for each in self.expectations]
                names += [] if self._baseline is None else ["as in the baseline"]
                self._write_junit(errors_of(self._command, names, str(error)))
            if self._tells_github():
                from holdfast.report.github import failure_markdown, workflow_command

                self._add_to_summary(failure_markdown(self._command, str(error)))
                say(workflow_command("error", f"holdfast {self._command}", error.what))
            raise

    def _tells_github(self) -> bool:
        if self._github is not None:
            return self._github
        return _in_actions() and (self.expects or any(each.expected for each in self._cases))

    def _write_junit(self, cases: Sequence[ReportedCase]) -> None:
        from holdfast.report.junit import junit_xml

        assert self._junit is not None
        # The schema knows no zone; the time is that of the machine.
        content = junit_xml(self._command, cases, time.strftime("%Y-%m-%dT%H:%M:%S"), time.monotonic() - self._began)
        with self._told():
            console.write_file(self._junit, content)

    def _add_to_summary(self, text: str) -> None:
        target = os.environ.get("GITHUB_STEP_SUMMARY")
        if not target:
            return
        with self._told():
            try:
                with Path(target).open("ab") as stream:
                    stream.write(text.encode())
            except OSError as error:
                raise EnvironmentFailure(f"Cannot add to the job's summary {target}.", str(error)) from error

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except EnvironmentFailure as error:
            self._fail(error)

    def _fail(self, error: HoldfastError) -> None:
        tell(error)
        self._failed = max(self._failed, error.exit_code)


def checks_of(options: dict[str, Any], command: str, fields: Callable[[], Fields], kind: Kind) -> Checks:
    """Takes the options of `check_options` out of these, and reads what is expected.

    Args:
        kind: of the result.

    Raises:
        UsageError: an expression or a baseline cannot be used, or a file cannot be there.
        EnvironmentFailure: a file may not be read or written.
    """
    texts, named, junit, github = (options.pop(name) for name in ("expect", "baseline", "junit_target", "github"))
    expectations: list[Expectation] = []
    if texts:
        from holdfast.checks.expectation import expectation_of

        known = fields()
        expectations = [expectation_of(each, known) for each in texts]
    baseline = None
    if named is not None:
        from holdfast.cli.baseline import read_baseline

        baseline = read_baseline(named, kind)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary and (github or (github is None and _in_actions())):
        console.check_target(summary)
    return Checks(command, expectations, baseline, junit, github=github)


def _in_actions() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def verdict_fields() -> Fields:
    """What can be expected of a verdict."""
    from holdfast.checks import verdict_fields as of_verdict

    return of_verdict.verdict_fields()


def no_checks(command: str) -> Checks:
    """Those of a run of which nothing is expected."""
    return Checks(command)


def with_table(picture: Callable[[], Renderable], found: CheckResult) -> Renderable:
    """A result's picture, with the expectations below it where there are any."""
    if not found:
        return picture()
    from holdfast.report.expectations import with_expectations

    return with_expectations(picture(), found)


def _not_comparable(name: str, error: Exception) -> UsageError:
    return UsageError(
        f"The baseline {name} cannot be compared.",
        f"It does not hold what holdfast writes ({type(error).__name__}: {error}).",
        "Write it anew with --json.",
    )


def _as_json(result: object) -> Result:
    from holdfast.report.json import as_json

    return as_json(result)
