"""JMeter's CSV Data Set -> rows of values; pure: its file is read by whoever is given as `read_file`.

Source: apache/jmeter, config/CSVDataSet.java (iterationStart, initVars), services/FileServer.java.
"""

from __future__ import annotations

import csv
import io
import re

from holdfast.model.scenario import DataRows
from holdfast.plans.differences import Note
from holdfast.plans.jmx_tree import Node
from holdfast.plans.samplers import ReadFile
from holdfast.plans.variables import Scope

_LINE_END = re.compile(r"\r\n|\n|\r")
_PER_CLIENT = "shareMode.thread"


def data_rows(node: Node, scope: Scope, read_file: ReadFile, notes: list[Note]) -> DataRows:
    """The rows that a CSV Data Set gives, one for each iteration.

    Args:
        notes: what is done otherwise is added here.

    Raises:
        UsageError: the file has no rows, or one that gives a variable no value.
    """
    scope.place = f'{node.kind} "{node.name}"'
    origin = scope.literal(node.text("filename"), "its file name").strip()
    if not origin:
        raise scope.wrong("it names no file", "Its file name is empty.")
    lines = _lines(_decoded(read_file(origin), node, scope, origin), node, scope, origin)
    names = [each.strip() for each in scope.literal(node.text("variableNames"), "its variable names").split(",")]
    names = [each for each in names if each]
    if not names:
        names = [each.strip() for each in (lines[0] if lines else [])]
        lines = lines[1:]
    elif _flag(node, "ignoreFirstLine", scope):
        lines = lines[1:]
    rows = []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        if len(line) < len(names):
            raise scope.wrong(
                f"row {number} of {origin} has {len(line)} values, and {len(names)} variables are named",
                "In JMeter the others would keep the value of the row before.",
                "Give each row as many values as there are variables.",
            )
        rows.append(tuple(line[: len(names)]))
    if not rows or not names:
        raise scope.wrong(f"{origin} has no rows", "Nothing stands below its head." if lines else "It is empty.")
    again = _flag(node, "recycle", scope, default=True)
    if not again and not _flag(node, "stopThread", scope):
        meaning = "the load of its group ends with the last row, where JMeter goes on with <EOF> for a value"
        notes.append(Note("differs", node.kind, node.name, meaning))
    if len(rows) < len([line for line in lines if line]) or any(not line for line in lines[:-1]):
        notes.append(
            Note("differs", node.kind, node.name, "empty lines are no rows, where JMeter takes one for the end")
        )
    per_client = scope.literal(node.text("shareMode"), "its sharing mode") == _PER_CLIENT
    return DataRows(tuple(names), tuple(rows), again, origin, per_client)


def _flag(node: Node, name: str, scope: Scope, *, default: bool = False) -> bool:
    text = scope.literal(node.text(name), name).strip().lower()
    return text == "true" if text else default


def _decoded(content: bytes, node: Node, scope: Scope, origin: str) -> str:
    encoding = scope.literal(node.text("fileEncoding"), "its encoding").strip() or "utf-8-sig"
    try:
        return content.decode(encoding)
    except (LookupError, UnicodeError) as error:
        raise scope.wrong(f"{origin} cannot be read as {encoding}", f"{error}") from error


def _lines(text: str, node: Node, scope: Scope, origin: str) -> list[list[str]]:
    """The values of each line; an empty line has none."""
    delimiter = scope.literal(node.text("delimiter"), "its delimiter") or ","
    delimiter = "\t" if delimiter == "\\t" else delimiter
    if not _flag(node, "quotedData", scope):
        lines = _LINE_END.split(text)
        if lines and not lines[-1]:
            lines.pop()
        return [line.split(delimiter) if line else [] for line in lines]
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter[0], strict=True))
    except (csv.Error, TypeError, ValueError) as error:
        raise scope.wrong(f"{origin} cannot be read", f"{error}") from error
