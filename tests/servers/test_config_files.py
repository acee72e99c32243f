"""What a server's configuration file says is read off its text, and its text with another value says that."""

from __future__ import annotations

import contextlib
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.servers.effective import python_with, toml_with
from holdfast.servers.python_constants import constants_in


def test_the_constants_of_a_python_file():
    text = (
        "A = 3\nB = A * 2 + 1\nC = D = 'x'\nimport E\nF: int = 5\nG, H = 1, 2\nI = 1\nI += 1\n"
        "def f():\n    J = 2\nfor K in (1, 2):\n    pass\nL = 1 // 0\nM = -1\nN = unknown\n"
    )
    assert constants_in(text, "ABCDEFGHIJKLMNO", {}) == {
        "A": 3, "B": 7, "C": "x", "D": "x", "E": None, "F": 5, "G": None, "H": None, "I": None, "K": None, "L": None,
        "M": None, "N": None,
    }  # fmt: skip
    assert constants_in("A = 1\nfrom base import *\nB = 2\n", ("A", "B", "C"), {}) == {"A": None, "B": 2, "C": None}


@given(st.text(max_size=200))
def test_no_python_text_is_too_much(text):
    found_names: set[str] = set()
    # What is no Python is refused with one of these.
    with contextlib.suppress(SyntaxError, ValueError):
        found_names |= constants_in(text, ("workers",), {}).keys()
    assert found_names <= {"workers"}


@given(
    st.integers(min_value=0, max_value=10**6),
    st.sampled_from(["", "a = 1\n", "[t]\nb = 2\n", "n = 1\n[t]\nn = 3\n", "a = [\n  [1],\n  [2]\n]\n'n' = 4\n"]),
)
def test_a_toml_file_has_the_new_value_at_its_top_and_the_rest_as_it_was(new, text):
    before, after = tomllib.loads(text), tomllib.loads(toml_with(text, "n", new))
    assert after == {**before, "n": new}


@given(st.integers(min_value=0, max_value=10**6), st.sampled_from(["", "n = 1", "if True:\n    n = 2"]))
def test_a_python_file_has_the_new_value_in_the_end(new, text):
    assert constants_in(python_with(text, "n", new), ("n",), {}) == {"n": new}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("int(os.environ.get('WEB', 2))", 2),
        ("int(os.environ.get('SIX', 2))", 6),
        ("int(os.getenv('SIX', '2')) * 2", 12),
        ("int(os.environ['SIX'])", 6),
        ("int(os.environ.get('WEB') or 3)", 3),
        ("max(2, int(os.getenv('SIX', '1')))", 6),
        ("os.environ.get('WEB')", None),
        ("int(os.environ['WEB'])", None),
        ("int('x')", None),
        ("int(os.cpu_count() or 1)", None),
        ("__import__('os').cpu_count()", None),
        ("max()", None),
        ("10 ** 10 ** 10", None),
        ("'a' * 10", None),
    ],
)
def test_a_value_of_a_variable_is_read_as_the_file_would(expression, expected):
    assert constants_in(f"import os\nn = {expression}\n", ("n",), {"SIX": "6"}) == {"n": expected}
