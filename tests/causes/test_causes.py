"""`holdfast explain` names the limit that was planted, or says that it does not know; it never names another one."""

from __future__ import annotations

from pathlib import Path

import pytest
from every_case import CASES
from planted import PATIENCE_S, Planted, missing, no_longer_said, outcome_of
from support.commandline import Holdfast

# A handful of each kind in every run: a server's setting, descriptors, the application, a person's own command.
EVERY_TIME = frozenset(
    {"waitress-threads", "flask-nofile", "waitress-semaphore-in-middleware", "option-overrides-file-and-variable"}
)


def marks(case: Planted) -> tuple[pytest.MarkDecorator, ...]:
    return () if case.id in EVERY_TIME else (pytest.mark.causes,)


@pytest.mark.parametrize("case", [pytest.param(case, marks=marks(case), id=case.id) for case in CASES])
def test_the_planted_limit_is_named(case: Planted, holdfast: Holdfast, tmp_path: Path) -> None:
    if needed := missing(case):
        pytest.skip(f"not here: {needed}")
    case.prepare(tmp_path)

    ended = holdfast.run(*case.command_line(), env=dict(case.environment), within_s=PATIENCE_S)

    assert ended.out, ended.err
    assert not outcome_of(case, ended.out).faults


def test_there_are_enough_cases_and_servers() -> None:
    assert len({each.id for each in CASES}) == len(CASES) >= 48
    assert len({each.server for each in CASES}) >= 14
    assert {each.id for each in CASES} >= EVERY_TIME


@pytest.mark.parametrize("case", CASES, ids=[each.id for each in CASES])
def test_the_installed_sources_still_say_what_a_case_cites(case: Planted) -> None:
    assert case.sources
    if needed := missing(case):
        pytest.skip(f"not here: {needed}")
    assert not no_longer_said(case)
