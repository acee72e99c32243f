"""What a Python file assigns to names, as far as that can be read off it without running it. Pure."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Mapping
from typing import Any

Constant = int | float | str | None

_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def constants_in(text: str, names: Collection[str]) -> dict[str, Constant]:
    """The last value that a module gives to each of these names.

    Returns:
        Only names that it gives a value to, or may; None where the value is computed.

    Raises:
        SyntaxError: it is not Python.
    """
    known: dict[str, Constant] = {}
    for statement in ast.parse(text).body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    known[target.id] = _value(statement.value, known)
                else:
                    known |= dict.fromkeys(_stored(target))
        elif isinstance(statement, ast.ImportFrom) and any(each.name == "*" for each in statement.names):
            known |= dict.fromkeys(names)
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            known |= dict.fromkeys((each.asname or each.name).partition(".")[0] for each in statement.names)
        elif not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            # In one of its branches, or several times over.
            known |= dict.fromkeys(_stored(statement))
    return {name: value for name, value in known.items() if name in names}


def _stored(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _value(node: ast.expr, known: Mapping[str, Constant]) -> Constant:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, (int, float, str)) else None
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _value(node.left, known), _value(node.right, known)
        if isinstance(left, (int, float)) and isinstance(right, (int, float)):
            try:
                result: Constant = _OPERATORS[type(node.op)](left, right)
            except ZeroDivisionError:
                return None
            return result
    return None
