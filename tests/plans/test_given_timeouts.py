"""How long requests of a plan may take: what the plan says, what the command line says, and `--for`."""

from __future__ import annotations

import pytest

from holdfast.api.load_arguments import load_arguments
from holdfast.cli.load import load_
from holdfast.cli.load_plan import given_timeouts
from holdfast.model.scenario import DEFAULT_TIMEOUT_S, Timeouts

NONE = Timeouts(whole_s=None)


@pytest.mark.parametrize(
    ("options", "of_the_plan", "expected"),
    [
        ((), NONE, NONE),
        (("--for", "2s"), NONE, Timeouts(whole_s=DEFAULT_TIMEOUT_S)),
        (("--for", "2s"), Timeouts(first_byte_s=90, whole_s=120), Timeouts(first_byte_s=90, whole_s=120)),
        (("--for", "2s", "--timeout", "5s"), NONE, Timeouts(whole_s=5)),
        (("--connect-timeout", "3s"), NONE, Timeouts(connect_s=3, whole_s=None)),
    ],
)
def test_a_load_that_has_an_end_waits_for_no_answer_without_one(tmp_path, options, of_the_plan, expected):
    plan = tmp_path / "plan.jmx"
    plan.touch()
    with load_.make_context("load", ["--jmx", str(plan), *options]) as context:
        given = given_timeouts(context, load_arguments(None, context.params))

    assert given(of_the_plan) == expected
