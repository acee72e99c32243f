"""What is expected on a command line decides its exit code; real servers are measured."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.commandline import Ended, Holdfast
from support.counting import Counting

from holdfast.api import config_file
from holdfast.errors import UsageError
from holdfast.model.study import Finding, check
from holdfast.model.verdict import (
    Abandoned,
    Ceiling,
    ClientGone,
    Cost,
    Limits,
    Model,
    Overflow,
    Places,
    Target,
    Timing,
    Verdict,
)

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)
# Flask's own server with one thread: it holds one request.
ONE = ("probe", "--max-offered", "3", "--server", "flask")
APPART = ("--", "--without-threads")
IN_NO_JOB: dict[str, str | None] = {"GITHUB_ACTIONS": None, "GITHUB_STEP_SUMMARY": None}


def cases(file: Path) -> dict[str, str]:
    """What became of each case of a test report."""
    suite = ET.parse(file).getroot()[0]
    return {case.get("name", ""): case[0].tag if len(case) else "passed" for case in suite.iter("testcase")}


@pytest.fixture(scope="module")
def probed(workshop: Holdfast) -> tuple[Ended, Path]:
    """A probe of one request at once, of which more and less is expected; its result is kept as a baseline."""
    summary = workshop.directory / "summary.md"
    ended = workshop.run(
        *ONE,
        *("--expect", "in_service == 1", "--expect", "in_service >= 2", "--expect", "call.bodies > 1"),
        *("--json", "-", "--junit", "report.xml"),
        *APPART,
        env={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)},
    )
    (workshop.directory / "baseline.json").write_text(ended.out)
    return ended, workshop.directory


def test_an_expectation_that_is_not_met_is_exit_code_1_and_the_verdict_is_there(probed: tuple[Ended, Path]) -> None:
    ended, _ = probed
    verdict = json.loads(ended.out)

    assert ended.exit == FAILED
    assert verdict["ceiling"]["in_service"] == 1
    assert verdict["expectations"] == [
        {"expression": "in_service == 1", "met": True, "found": {"ceiling.in_service": 1}, "why": ""},
        {"expression": "in_service >= 2", "met": False, "found": {"ceiling.in_service": 1}, "why": ""},
        {
            "expression": "call.bodies > 1",
            "met": False,
            "found": {"call.bodies": None},
            "why": "call.bodies is null: --call was not asked for",
        },
    ]
    assert "  not met  in_service >= 2  1" in ended.err.splitlines()


def test_it_is_written_for_ci(probed: tuple[Ended, Path]) -> None:
    ended, directory = probed

    assert cases(directory / "report.xml") == {
        "in_service == 1": "passed",
        "in_service >= 2": "failure",
        "call.bodies > 1": "failure",
    }
    assert "::error title=holdfast probe::in_service >= 2: found 1" in ended.err.splitlines()
    assert "| ❌ not met | `in_service >= 2` | `1` |" in (directory / "summary.md").read_text()


def test_a_result_is_compared_with_a_file_and_with_a_saved_run(
    probed: tuple[Ended, Path], workshop: Holdfast, holdfast: Holdfast
) -> None:
    baseline = probed[1] / "baseline.json"
    older = json.loads(baseline.read_text())
    del older["overflow"]["client_sees"]
    (holdfast.directory / "older.json").write_text(json.dumps(older))
    as_before, other = workshop.run_together(
        [
            (*ONE, "--baseline", "1", *APPART),
            (*ONE, "--baseline", baseline, "--json", "other.json", "--", "--with-threads"),
        ]
    )
    against_older = holdfast.run(*ONE, "--baseline", "older.json", *APPART, env=IN_NO_JOB)

    assert (as_before.exit, as_before.out.splitlines()[-1]) == (
        ANSWERED,
        "As in the baseline (run 1), apart from noise.",
    ), as_before
    assert other.exit == FAILED
    found = json.loads((workshop.directory / "other.json").read_text())["baseline"]
    assert found["met"] is False
    assert {"model.kind": "changed"}.items() <= {each["field"]: each["against"] for each in found["moved"]}.items()
    assert against_older.exit == ANSWERED
    assert "Not compared: overflow.client_sees: one side does not have it" in " ".join(against_older.out.split())


def test_a_load_is_held_to_expectations_of_the_whole_and_of_each_label(
    holdfast: Holdfast, counting: Counting, tmp_path: Path
) -> None:
    load = ("load", counting.url, "--burst", "4")
    met = holdfast.run(*load, "--expect", "errors == 0 and p99 < 60s", "--expect", "label('GET /').p99 < 60s")
    unmet = holdfast.run(
        *(*load, "--expect", "statuses.503 > 0", "--threshold", "p99<60s", "--junit", "load.xml", "--json", "-"),
        env=IN_NO_JOB,
    )

    assert met.exit == ANSWERED, met
    assert "All 2 expectations are met." in met.out
    assert unmet.exit == FAILED
    assert json.loads(unmet.out)["expectations"][0]["found"] == {"statuses.503": 0}
    assert cases(tmp_path / "load.xml") == {"p99<60s": "passed", "statuses.503 > 0": "failure"}
    assert "::error" not in unmet.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("probe", "--expect", "in_servce > 3"), USAGE, "  in_servce > 3\n  ^^^^^^^^^\n  Did you mean in_service"),
        (("exec", "--expect", "in_service >", "--", "true"), USAGE, "it ends too early"),
        (("explain", "--expect", "reachd > 3"), USAGE, "Did you mean reached"),
        (("attach", "http://127.0.0.1:1/", "--expect", "kind == 'serail'"), USAGE, "Did you mean 'serial'?"),
        (("load", "http://127.0.0.1:1/", "--burst", "1", "--expect", "p98 < 3"), USAGE, "Did you mean"),
        (
            ("load", "http://127.0.0.1:1/", "--burst", "1", "--expect", "label('GET /a').p99 < 3"),
            USAGE,
            "Did you mean 'GET /'?",
        ),
        (("study", "servers", "--expect", "row('gunicrn').in_service > 3"), USAGE, "there is no row 'gunicrn'"),
        (
            ("study", "servers", "--only", "flask", "--expect", "row('flask').in_service > offered"),
            USAGE,
            "of which row offered is, is not said",
        ),
        (("probe", "--junit", "nowhere/report.xml"), USAGE, "nowhere does not exist"),
        (("probe", "--junit", "-"), USAGE, "the name of a file"),
        (("probe", "--baseline", "none.json"), USAGE, "There is no file none.json"),
        (("probe", "--baseline", "17"), USAGE, "There is no saved run 17"),
        (("probe", "--baseline", "text.json"), USAGE, "text.json is not JSON"),
        (("probe", "--baseline", "list.json"), USAGE, "list.json holds no result"),
        (("probe", "--baseline", "load.json"), USAGE, "It is the result of a load; this run gives a verdict"),
        (("load", "http://127.0.0.1:1/", "--burst", "1", "--baseline", "verdict.json"), USAGE, "It is a verdict"),
    ],
)
def test_a_mistake_is_said_before_anything_is_started(
    holdfast: Holdfast, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "text.json").write_text("{")
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "load.json").write_text('{"kind": "load"}')
    (tmp_path / "verdict.json").write_text('{"ceiling": {}, "places": {}, "target": {}}')

    ended = holdfast.run(*arguments)

    assert (ended.exit, ended.out) == (code, "")
    assert said in ended.err
    assert not holdfast.runs.exists()


def test_a_file_that_may_not_be_written_is_said_before_anything_is_started(holdfast: Holdfast, tmp_path: Path) -> None:
    (tmp_path / "summary").mkdir()

    ended = holdfast.run("probe", "--github", env={"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")})

    assert (ended.exit, ended.out) == (USAGE, "")
    assert "is a directory" in ended.err


def test_a_baseline_that_holds_something_else_costs_no_result(holdfast: Holdfast, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text('{"ceiling": 3, "places": [], "target": "x"}')

    ended = holdfast.run(*ONE, "--baseline", "odd.json", *APPART)

    assert ended.exit in {USAGE, FAILED}
    assert "1 request at once" in ended.out


def test_a_run_without_a_result_is_an_error_in_the_test_report(holdfast: Holdfast, tmp_path: Path) -> None:
    ended = holdfast.run("exec", "--expect", "in_service > 3", "--junit", "report.xml", "--github", "--", "false")

    assert ended.exit == ENVIRONMENT
    assert cases(tmp_path / "report.xml") == {"in_service > 3": "error"}
    assert "::error title=holdfast exec::" in ended.err


def test_a_project_can_expect_something_of_every_probe(holdfast: Holdfast, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.holdfast]\nmax-offered = 3\nexpect = ["in_service >= 2"]\n')
    own, given = holdfast.run_together([ONE + APPART, (*ONE, "--expect", "in_service == 1", *APPART)])

    assert (own.exit, given.exit) == (FAILED, ANSWERED)
    assert "not met  in_service >= 2  1" in own.out
    # As for every option, the command line wins.
    assert "in_service >= 2" not in given.out


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("[defaults]\nexpect = ['bounded']\n[[case]]\nserver = 'flask'", ["bounded"]),
        ("[defaults]\nexpect = ['bounded']\n[[case]]\nserver = 'flask'\nexpect = ['offered > 1']", ["offered > 1"]),
        ("[[case]]\nserver = 'flask'\nexpect = { in_service = 1 }", ["ceiling.in_service"]),
    ],
)
def test_a_study_can_expect_expressions(tmp_path: Path, file: str, expected: list[str]) -> None:
    (tmp_path / "cases.toml").write_text(file)

    (case,) = config_file.read_study(str(tmp_path / "cases.toml"), [], "/").cases

    assert [claim.what for claim in case.claims] == expected


def test_an_expression_in_a_study_that_cannot_be_used_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "cases.toml").write_text("[[case]]\nserver = 'flask'\nexpect = ['in_servce > 1']\n")

    with pytest.raises(UsageError, match=r"cases\.toml: \[\[case\]\] 1: An expectation cannot be used") as caught:
        config_file.read_study(str(tmp_path / "cases.toml"), [], "/")

    assert caught.value.why == "in_servce > 1\n^^^^^^^^^"


def test_an_expression_in_a_study_is_a_finding_of_its_row(tmp_path: Path, verdict: Verdict) -> None:
    (tmp_path / "cases.toml").write_text(
        "[[case]]\nserver = 'flask'\nexpect = ['in_service >= 1', 'in_service > 9999', 'call.bodies > 1']\n"
    )
    (case,) = config_file.read_study(str(tmp_path / "cases.toml"), [], "/").cases

    met, unmet, null = (check(claim, verdict) for claim in case.claims)

    assert met == Finding("in_service >= 1", "", "8", True, "")
    assert unmet == Finding("in_service > 9999", "", "8", False, "")
    assert (null.here, null.same, null.why_not) == (None, None, "call.bodies is null: --call was not asked for")


@pytest.fixture
def verdict() -> Verdict:
    target = Target("flask", "3.1", ("flask",), "shop:app", None, "/", None, None)
    return Verdict(
        target=target,
        limits=Limits(1024, None, 4096),
        offered=20,
        places=Places(in_service=8, accept_queue=12),
        established=20,
        ceiling=Ceiling(8, True, None, None, None, None),
        model=Model.unknown(),
        overflow=Overflow("accept_queue", (), None),
        abandoned=Abandoned(None, None, ClientGone(None, None)),
        cost=Cost.unknown(),
        binding=None,
        timing=Timing(None, None, None, None),
        confidence="exact",
        unknown={"call": "--call was not asked for"},
    )
