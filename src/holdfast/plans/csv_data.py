"""Turns JMeter's CSV Data Set into rows of values; pure: the caller's `read_file` reads the file.

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
from holdfast.plans.variables import Scope, sentence

_LINE_END = re.compile(r"\r\n|\n|\r")
_PER_CLIENT = "shareMode.thread"


def data_rows(node: Node, scope: Scope, read_file: ReadFile, notes: list[Note]) -> DataRows:
    """Reads the rows of a CSV Data Set; each iteration uses one.

    Args:
        read_file: returns the content of a file that the plan names.
        notes: gets what is done differently.

    Raises:
        UsageError: the file has no rows, or a row has fewer values than there are variables.
    """
    scope.place = f'{node.kind} "{node.name}"'
    origin = scope.literal(node.text("filename"), "its file name").strip()
    if not origin:
        raise scope.error("it names no file", "Its file name is empty.", "Fill in the file name, or disable it.")
    content = _decode(read_file(origin), node, scope, origin)
    lines = _lines(content, node, scope, origin)
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
            raise scope.error(
                f"row {number} of {origin} has {_values(len(line))} for {len(names)} variables",
                "In JMeter, the missing ones would keep their values from the row before.",
                "Give each row as many values as there are variables.",
            )
        rows.append(tuple(line[: len(names)]))
    if not rows or not names:
        why = "It has nothing after its header line." if content.strip() else "It is empty."
        raise scope.error(f"{origin} has no rows", why, "Add rows to the file, or disable this element.")
    again = _flag(node, "recycle", scope, default=True)
    if not again and not _flag(node, "stopThread", scope):
        meaning = "its group stops after the last row; JMeter continues with the value <EOF>"
        notes.append(Note("differs", node.kind, node.name, meaning))
    if len(rows) < len([line for line in lines if line]) or any(not line for line in lines[:-1]):
        notes.append(
            Note("differs", node.kind, node.name, "empty lines are skipped; JMeter takes one for the end of the file")
        )
    per_client = scope.literal(node.text("shareMode"), "its sharing mode") == _PER_CLIENT
    return DataRows(tuple(names), tuple(rows), again, origin, per_client)


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count} values"


def _flag(node: Node, name: str, scope: Scope, *, default: bool = False) -> bool:
    text = scope.literal(node.text(name), name).strip().lower()
    return text == "true" if text else default


def _decode(content: bytes, node: Node, scope: Scope, origin: str) -> str:
    encoding = scope.literal(node.text("fileEncoding"), "its encoding").strip() or "utf-8-sig"
    try:
        return content.decode(encoding)
    except (LookupError, UnicodeError) as error:
        raise scope.error(f"{origin} cannot be read as {encoding}", sentence(error)) from error


def _lines(text: str, node: Node, scope: Scope, origin: str) -> list[list[str]]:
    """The values of each line, none for an empty line."""
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
        raise scope.error(f"{origin} cannot be read", sentence(error)) from error
