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
_ENVIRONMENTS = frozenset({"os.environ", "environ"})
_GETTERS = frozenset({"os.environ.get", "environ.get", "os.getenv", "getenv"})
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {"int": int, "max": max, "min": min}


def constants_in(text: str, names: Collection[str], environment: Mapping[str, str]) -> dict[str, Constant]:
    """The last value that a module gives to each of these names.

    Args:
        environment: the variables that it would see.

    Returns:
        Only names that it gives a value to, or may; None where the value is computed by more than arithmetic,
        `int`, `max`, `min` and `or` from constants and variables.

    Raises:
        SyntaxError, ValueError: it is not Python.
    """
    known: dict[str, Constant] = {}
    for statement in ast.parse(text).body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    known[target.id] = _computed(statement.value, known, environment)
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


class _UnknownError(Exception):
    """A part of an expression cannot be read off the file."""


def _stored(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _computed(node: ast.expr, known: Mapping[str, Constant], environment: Mapping[str, str]) -> Constant:
    try:
        found = _value(node, known, environment)
    except (_UnknownError, ArithmeticError, TypeError, ValueError, RecursionError):
        return None
    return found if isinstance(found, (int, float, str)) else None


def _value(node: ast.expr, known: Mapping[str, Constant], environment: Mapping[str, str]) -> Constant:
    """The value of an expression; here None is Python's own.

    Raises:
        _UnknownError, ArithmeticError, TypeError, ValueError: it has none that can be read off.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str, type(None))):
        return node.value
    if isinstance(node, ast.Name) and known.get(node.id) is not None:
        return known[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        sides = [_value(each, known, environment) for each in (node.left, node.right)]
        if all(isinstance(each, (int, float)) for each in sides):
            result: Constant = _OPERATORS[type(node.op)](*sides)
            return result
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        values = (_value(each, known, environment) for each in node.values)
        return next((each for each in values if each), None)
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) in _ENVIRONMENTS:
        variable = _value(node.slice, known, environment)
        if variable in environment:
            return environment[str(variable)]
    if isinstance(node, ast.Call) and not node.keywords:
        arguments = [_value(each, known, environment) for each in node.args]
        return _called(ast.unparse(node.func), arguments, environment)
    raise _UnknownError


def _called(name: str, arguments: list[Any], environment: Mapping[str, str]) -> Constant:
    if name in _GETTERS and 1 <= len(arguments) <= 2:
        return environment.get(str(arguments[0]), arguments[1] if len(arguments) == 2 else None)
    if name in _FUNCTIONS and arguments:
        result: Constant = _FUNCTIONS[name](*arguments)
        return result
    raise _UnknownError
