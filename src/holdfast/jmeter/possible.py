"""What a text may be where rows of CSV Data Sets decide it: known before the load begins, but not when; pure.

Source: apache/jmeter 5.5, config/CSVDataSet.java (iterationStart: each pass of the controller that it is in takes a
row; after the last one, a file that is neither begun anew nor ends its threads gives <EOF>).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from holdfast.jmeter.scope import Reading, Scope
from holdfast.jmeter.tables import Table, quietly, rows_of
from holdfast.jmeter.variables import may_be_set, set_by_others
from holdfast.model.answers import Template, Variable
from holdfast.model.frozen import frozen
from holdfast.plans.jmx_tree import Node

_KIND = "CSVDataSet"


@frozen
class _Set:
    """What sets variables in a plan.

    Attributes:
        tables: CSV Data Sets, each with its rows; None where they cannot be read.
        by_others: variables that something else may set.
    """

    tables: Sequence[tuple[Node, Table | None]]
    by_others: set[str]


def values_of(template: Template, scope: Scope) -> tuple[str, ...] | None:
    """All texts that a template may become, each once.

    None if they are not known: something else than a CSV Data Set may set a variable in it, none that applies sets
    it, a row lacks its value, or the variables come from several files.
    """
    names = {part.name for part in template if isinstance(part, Variable)}
    if not all(isinstance(part, str | Variable) for part in template):
        return None
    if not names:
        return ("".join(map(str, template)),)
    reading, root = scope.reading, scope.reading.root
    assert root is not None
    known = reading.once(root, lambda: _look(root, reading))
    if any(may_be_set(name, known.by_others) for name in names):
        return None
    # What is below a sampler is in no controller, and takes no rows.
    applies = {id(each.properties) for level in scope.levels[1:] for each in level if each.kind == _KIND}
    found: dict[str, None] = {}
    is_set = False
    for node, table in known.tables:
        rows = _rows(node, table, names, reading)
        if rows is None:
            return None
        is_set = is_set or (bool(rows) and id(node.properties) in applies)
        found.update(dict.fromkeys(_filled(template, row) for row in rows))
    return tuple(found) if is_set else None


def _look(root: Node, reading: Reading) -> _Set:
    nodes = [each for each in root.descendants() if each.kind == _KIND]
    tables = [(node, quietly(reading, partial(rows_of, node, reading))) for node in nodes]
    return _Set(tables, set_by_others(root, reading))


def _rows(node: Node, table: Table | None, names: set[str], reading: Reading) -> tuple[Mapping[str, str], ...] | None:
    """The rows of a CSV Data Set that sets these variables, () of another; None if they are not known."""
    if table is None:
        return None
    if names.isdisjoint(table.names):
        return ()
    rows = tuple(dict(zip(table.names, row, strict=False)) for row in table.rows if row)
    ends = reading.flag(node, "recycle", default=True) or reading.flag(node, "stopThread")
    return rows if ends and all(names <= row.keys() for row in rows) else None


def _filled(template: Template, row: Mapping[str, str]) -> str:
    return "".join(row[part.name] if isinstance(part, Variable) else str(part) for part in template)
