"""Functions on files; pure: the context has the contents of those that the plan names.

No plan can call those whose names do not begin with `__`: a front end puts them into requests that send files.
Source: apache/jmeter 5.5, org.apache.jmeter.functions: StringFromFile, FileToString, CSVRead, FileRowColContainer,
FileWrapper.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

from holdfast.journeys.context import Context, FunctionError
from holdfast.journeys.known import Known, given, kept

FILE, FILE_NAME = "jmeter file", "jmeter file name"
_WITHOUT = "**ERR**"


def _content(function: str, name: str, context: Context, charset: str = "utf-8") -> str:
    content = context.files.get(name)
    if content is None:
        raise FunctionError(f"{function} has no file {name!r}.")
    try:
        return content.decode(charset or "utf-8")
    except (LookupError, ValueError) as error:
        raise FunctionError(f"{function} cannot read {name!r} as {charset or 'utf-8'}: {error}.") from error


def _file_to_string(arguments: list[str], context: Context) -> str:
    """__FileToString(file, encoding, variable)."""
    return kept(_content("__FileToString", arguments[0], context, given(arguments, 1).strip()), arguments, 2, context)


def _string_from_file(arguments: list[str], context: Context) -> str:
    """__StringFromFile(file, variable): the next line, the same for all clients; after the last one the first."""
    if len(arguments) > 2:
        raise FunctionError("__StringFromFile with a sequence of files is not supported; name one file.")
    name = arguments[0]
    lines = _lines("__StringFromFile", name, context)
    key = ("__StringFromFile", id(context.site))
    at = context.remembered.get(key, 0) if context.site is not None else 0
    context.remembered[key] = at + 1
    value = lines[at % len(lines)] if lines else _WITHOUT
    variable = arguments[1] if len(arguments) > 1 else "StringFromFile_"
    return kept(value, [variable], 0, context)


def _lines(function: str, name: str, context: Context) -> list[str]:
    key = (function, name)
    if key not in context.remembered:
        context.remembered[key] = re.split(r"\r\n|\r|\n", _content(function, name, context))
        if context.remembered[key][-1] == "":
            del context.remembered[key][-1]
    lines: list[str] = context.remembered[key]
    return lines


def _csv_read(arguments: list[str], context: Context) -> str:
    """__CSVRead(file or alias, column from 0; next for the next row; *alias to open).

    Each client keeps its row until it asks for the next one; rows are taken in order by all clients together.
    """
    name, what = arguments
    row_of = ("__CSVRead row", name)
    opened: dict[str, str] = context.remembered.setdefault(("__CSVRead opened",), {})
    if what.startswith("*"):
        opened.setdefault(what, name)
        return ""
    file = opened.get(name, name)
    if what in ("next", "next()"):
        context.own.pop(row_of, None)
        return ""
    rows = _rows(file, context.properties.get("csvread.delimiter", ","), context)
    if not rows or not what.isdigit():
        return ""
    if row_of not in context.own:
        taken = context.remembered.get(("__CSVRead next", name), 0)
        context.remembered[("__CSVRead next", name)] = taken + 1
        context.own[row_of] = taken % len(rows)
    row = rows[context.own[row_of]]
    return row[int(what)] if int(what) < len(row) else ""


def _rows(file: str, separator: str, context: Context) -> list[list[str]]:
    """A file's rows, up to the first empty line; quotes have no meaning."""
    key = ("__CSVRead rows", file)
    if key not in context.remembered:
        rows = []
        for line in _lines("__CSVRead", file, context):
            if not line:
                break
            rows.append(line.split(separator))
        context.remembered[key] = rows
    found: list[list[str]] = context.remembered[key]
    return found


def _file(arguments: list[str], context: Context) -> str:
    """A file that is sent, as the text that is its bytes in ISO 8859-1."""
    return _content("The request", arguments[0], context, "iso-8859-1")


def base_name(path: str) -> str:
    """What a form calls a file."""
    return PurePath(path.replace("\\", "/")).name


OF_SENT_FILES: Mapping[str, Known] = {
    FILE: Known(1, 1, _file),
    FILE_NAME: Known(1, 1, lambda arguments, _context: base_name(arguments[0])),
}
OF_FILES: Mapping[str, Known] = {
    "__StringFromFile": Known(1, 4, _string_from_file),
    "__FileToString": Known(1, 3, _file_to_string),
    "__CSVRead": Known(2, 2, _csv_read),
}
