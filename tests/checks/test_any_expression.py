"""Whatever is written as an expression: it has a meaning, or it is a usage error that says where."""

from __future__ import annotations

import re

import pytest
from checked_results import EXPLANATION, LOAD, LOADED, RESULT, VERDICT
from hypothesis import given
from hypothesis import strategies as st

from holdfast.checks.evaluate import check
from holdfast.checks.expectation import Expectation, expectation_of
from holdfast.checks.fields import Fields
from holdfast.errors import UsageError
from holdfast.model.check import Checked

# fmt: off
WORDS = [
    "and", "or", "not", "in", "(", ")", "[", "]", ",", "==", "!=", "<", ">=", "true", "null", "in_service", "kind",
    "client_sees", "then", "bounded", "total_s", "call.bodies", "statuses.503", "label('x').p99", "'reset'", "8",
    "-1.5", "200ms", "3MiB", "1%", "nothing", "=", '"', "'", ".", "\\", "中", "\x00", "\n",
]
# fmt: on


@pytest.mark.parametrize("fields", [VERDICT, LOAD, EXPLANATION], ids=["verdict", "load", "explanation"])
@given(text=st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)))
def test_any_text_is_an_expectation_or_a_usage_error(fields: Fields, text: str) -> None:
    error = None
    try:
        expectation = expectation_of(text, fields)
    except UsageError as caught:
        error = caught
    if error is None:
        found = evaluated(expectation)
        assert not (found.met and found.why)
    else:
        _, marks = error.why.split("\n")
        assert re.fullmatch(r" *\^+", marks)
        assert error.remedy


def evaluated(expectation: Expectation) -> Checked:
    return check(expectation, lambda _name: {**LOADED, **RESULT, "verdict": RESULT, "errors": 3})


OPERANDS = st.sampled_from(["bounded", "not bounded", "in_service == 8", "in_service == 1", "client_sees == 'x'"])


@given(left=OPERANDS, right=OPERANDS)
def test_and_or_and_not_keep_the_laws_of_logic(left: str, right: str) -> None:
    def truth(text: str) -> bool | None:
        found = check(expectation_of(text, VERDICT), lambda _name: RESULT)
        return None if found.why else found.met

    assert truth(f"({left}) and ({right})") == truth(f"({right}) and ({left})")
    assert truth(f"not (({left}) and ({right}))") == truth(f"not ({left}) or not ({right})")
    assert truth(f"not not ({left})") == truth(left)
