"""How large a function of src and a file of the tests may be; that of a file of src is in test_architecture.py."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "holdfast"
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60
MOST_PARAMETERS = 6
# Why a function is larger stands behind its first line: `# lines: WHY` or `# parameters: WHY`.
REASON = re.compile(r"#.*\b(lines|parameters): \w")


def larger_functions(source: str) -> Iterator[tuple[str, str]]:
    """Functions that are too long or take too much without a reason behind their first line: name, what."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        reasons = {each[1] for each in REASON.finditer(lines[node.lineno - 1])}
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        number = sum(each.arg not in {"self", "cls"} for each in taken)
        if length > MOST_LINES_OF_A_FUNCTION and "lines" not in reasons:
            yield node.name, f"{length} lines, more than {MOST_LINES_OF_A_FUNCTION}"
        if number > MOST_PARAMETERS and "parameters" not in reasons:
            yield node.name, f"{number} parameters, more than {MOST_PARAMETERS}"


def test_no_function_of_src_is_larger_than_it_may_be_without_a_reason() -> None:
    found = {
        f"{path.relative_to(SOURCE)}: {name}": what
        for path in sorted(SOURCE.rglob("*.py"))
        for name, what in larger_functions(path.read_text())
    }

    assert not found


def test_no_file_of_the_tests_has_more_lines_than_one_of_src_may() -> None:
    lengths = {file: len(file.read_text().splitlines()) for file in TESTS.rglob("*.py")}

    assert not {str(file): length for file, length in lengths.items() if length > MOST_LINES}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(a, b, c, d, e, g, h): ...", [("f", "7 parameters, more than 6")]),
        ("def f(self, a, b, c, *, d, e, g): ...", []),
        ("def f(  # parameters: one for each variable\n    a, b, c, d, e, g, h\n): ...", []),
        ("def f(a, b, c, d, e, g, h): ...  # lines: none to spare", [("f", "7 parameters, more than 6")]),
        ("async def f():\n" + "    await g()\n" * 60, [("f", "61 lines, more than 60")]),
        ("def f():  # lines: one for each outcome\n" + "    g()\n" * 60, []),
        ("def f():\n" + "    g()\n" * 59, []),
    ],
)
def test_a_larger_function_needs_a_reason_behind_its_first_line(source: str, found: list[tuple[str, str]]) -> None:
    assert list(larger_functions(source)) == found
