"""What every test must be: a function that can fail by an assertion that is read in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ASSERTS_BY_NAME = re.compile(r"_*(assert|check|expect)_\w+")


def every_test(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def asserts(node: ast.AST) -> bool:
    """Whether this is an assertion: `assert`, `pytest.raises(...)`, or a call of what says so by its name."""
    match node:
        case ast.Assert():
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name("pytest"), attr="raises" | "fail")):
            return True
        case ast.Call(func=ast.Name(name) | ast.Attribute(attr=name)):
            return ASSERTS_BY_NAME.fullmatch(name) is not None
    return False


def without_assertion(source: str) -> list[str]:
    """Names of the tests that only a time-out or an exception could make fail."""
    return [test.name for test in every_test(ast.parse(source)) if not any(map(asserts, ast.walk(test)))]


def test_every_test_asserts_something() -> None:
    found = {
        str(file.relative_to(TESTS)): names
        for file in sorted(TESTS.rglob("test_*.py"))
        if (names := without_assertion(file.read_text()))
    }

    assert not found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def test_a():\n    run()", ["test_a"]),
        ("def run():\n    assert True\ndef test_a():\n    run()", ["test_a"]),
        ("def test_a():\n    assert run()", []),
        ("def test_a():\n    with pytest.raises(ValueError):\n        run()", []),
        ("def test_a():\n    check_adapter(ADAPTER)", []),
        ("async def test_a():\n    await run()", ["test_a"]),
        ("class TestA:\n    def test_a(self):\n        self.run()", ["test_a"]),
    ],
)
def test_a_test_without_an_assertion_is_found(source: str, found: list[str]) -> None:
    assert without_assertion(source) == found
