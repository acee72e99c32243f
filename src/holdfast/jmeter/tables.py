"""Reads the file of JMeter's CSV Data Set into rows, line for line as JMeter does; pure.

Source: apache/jmeter, config/CSVDataSet.java (iterationStart, initVars), services/FileServer.java (readLine,
getParsedLine), save/CSVSaveService.java (csvReadFile).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from holdfast.jmeter.scope import Reading
from holdfast.model.frozen import frozen
from holdfast.plans.jmx_tree import Node

_LINE_END = re.compile(r"\r\n|\n|\r")


@frozen
class Table:
    """A file's rows.

    Attributes:
        names: of the variables.
        rows: the values of each line; () of an empty line.
        origin: the file.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    origin: str


def names_in_files(root: Node, reading: Reading) -> set[str]:
    """The variables whose names are not in the plan but in files of its CSV Data Sets, or in other variables."""
    readers = {"CSVDataSet": rows_of, "RandomCSVDataSetConfig": random_rows_of}
    tables = [
        quietly(reading, partial(readers[node.kind], node, reading))
        for node in root.descendants()
        if node.kind in readers and ("${" in (names := node.text("variableNames")) or not names.strip())
    ]
    return {name for table in tables if table is not None for name in table.names}


def quietly(reading: Reading, look: Callable[[], Table | None]) -> Table | None:
    """A table that is only looked at: what is wrong with one that is used is found again."""
    refusals, notes = [*reading.refusals], [*reading.notes]
    table = look()
    reading.refusals[:], reading.notes[:] = refusals, notes
    return table


def rows_of(node: Node, reading: Reading) -> Table | None:
    """The rows of a CSV Data Set; None if they are not there, which is then refused."""
    origin = (_fixed(node, "filename", reading) or "").strip()
    if not origin:
        reading.refuse(node, "it names no file", "Fill in the file name, or disable it.")
        return None
    text = _content(node, origin, reading)
    if text is None:
        return None
    delimiter = _fixed(node, "delimiter", reading) or ","
    delimiter = "\t" if delimiter == "\\t" else delimiter
    quoted = reading.flag(node, "quotedData")
    rows = quoted_rows(text, delimiter[0]) if quoted else plain_rows(text, delimiter)
    names = (_fixed(node, "variableNames", reading) or "").strip()
    if names:
        known = tuple(each.strip() for each in names.split(","))
        rows = rows[1:] if reading.flag(node, "ignoreFirstLine") else rows
    else:
        # JMeter always reads the names as quoted values.
        header = quoted_rows(text.split("\n", 1)[0].rstrip("\r"), delimiter[0])
        known = tuple(each.strip() for each in (header[0] if header else ()))
        rows = rows[1:]
    if not known or not rows:
        why = "it has nothing after its header line" if text.strip() else "it is empty"
        reading.refuse(node, f"{origin} has no rows: {why}", "Add rows to the file, or disable this element.")
        return None
    if () in rows:
        reading.tell(
            node, f"{origin} has empty lines, each of which JMeter takes for the end of the file; so does holdfast"
        )
    return Table(known, tuple(row[: len(known)] for row in rows), origin)


def random_rows_of(node: Node, reading: Reading) -> Table | None:
    """The rows of a Random CSV Data Set; None if they are not there, which is then refused."""
    origin, encoding = _fixed(node, "filename", reading) or "", _fixed(node, "fileEncoding", reading) or ""
    if not origin or not encoding:
        reading.refuse(node, "it names no file or no encoding", "Fill in both, or disable it.")
        return None
    text = _content(node, origin, reading, marked=True)
    if text is None:
        return None
    delimiter = _fixed(node, "delimiter", reading) or ","
    rows = quoted_rows(text, "\t" if delimiter == "\\t" else delimiter[0])
    names = _fixed(node, "variableNames", reading) or ""
    known = tuple(each for each in names.split(",") if each) if names else tuple(rows[0] if rows else ())
    if not names or reading.flag(node, "ignoreFirstLine"):
        if rows and not reading.flag(node, "randomOrder") and not "".join(rows[0]).isascii():
            # It leaves out as many characters as the line has bytes.
            reading.refuse(node, "its first line is to be left out, and has letters beyond ASCII", "Rewrite that line.")
        rows = rows[1:]
    if not known or not rows:
        reading.refuse(node, f"{origin} has no rows", "Add rows to the file, or disable this element.")
        return None
    return Table(known, tuple(row[: len(known)] for row in rows), origin)


def _fixed(node: Node, name: str, reading: Reading) -> str | None:
    found = reading.fixed(node, node.text(name))
    if found is None:
        reading.refuse(node, f"its {name} is {node.text(name)}, which holdfast has to know before the load begins")
    return found


def _content(node: Node, origin: str, reading: Reading, *, marked: bool = False) -> str | None:
    """The text of a file.

    Args:
        marked: a byte order mark at its begin belongs to it.
    """
    encoding = (_fixed(node, "fileEncoding", reading) or "").strip() or "utf-8"
    content = reading.content(node, origin)
    if content is None:
        return None
    try:
        return content.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") and not marked else encoding)
    except (LookupError, UnicodeError) as error:
        reading.refuse(node, f"{origin} cannot be read as {encoding}: {error}", "Say which encoding it has.")
        return None


def plain_rows(text: str, delimiter: str) -> list[tuple[str, ...]]:
    """The values of each line; () of an empty one."""
    lines = _LINE_END.split(text)
    if lines and not lines[-1]:
        lines.pop()
    return [tuple(line.split(delimiter)) if line else () for line in lines]


def quoted_rows(text: str, delimiter: str) -> list[tuple[str, ...]]:
    """The values of each row, some in quotes, in which a quote is written twice and a row may have line ends."""
    rows: list[tuple[str, ...]] = []
    row: list[str] = []
    value: list[str] = []
    at, within = 0, False
    while at < len(text):
        char = text[at]
        at += 1
        if within:
            if char != '"':
                value.append(char)
            elif text.startswith('"', at):
                value.append(char)
                at += 1
            else:
                within = False
        elif char == '"' and not value:
            within = True
        elif char == delimiter:
            row.append("".join(value))
            value.clear()
        elif char in "\r\n":
            at += char == "\r" and text.startswith("\n", at)
            rows.append((*row, "".join(value)))
            row.clear()
            value.clear()
        else:
            value.append(char)
    if row or value:
        rows.append((*row, "".join(value)))
    return rows
