"""Turns JMeter's elements that set variables into nodes of a journey: counters, tables, random numbers; pure.

Source: apache/jmeter, modifiers/CounterConfig.java, modifiers/UserParameters.java, config/CSVDataSet.java,
config/RandomVariableConfig.java.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from holdfast.jmeter.scope import Reading, Scope
from holdfast.jmeter.tables import random_rows_of, rows_of
from holdfast.journeys.numbers import PATTERN
from holdfast.model.journey import Count, Draw, Sets, TakeRow, ValuesOfClients
from holdfast.plans.jmx_tree import Node

_RANDOM_CSV = "RandomCSVDataSetConfig"
SETTERS = frozenset({"CounterConfig", "CSVDataSet", "RandomVariableConfig", "UserParameters", "Arguments", _RANDOM_CSV})
_SHARED_BY = {"shareMode.group": "crew", "shareMode.thread": "client"}
# As old versions saved them.
_SHARES_IN_WORDS = {
    "All threads": "shareMode.all",
    "Current thread group": "shareMode.group",
    "Current thread": "shareMode.thread",
}


def sets_of(node: Node, scope: Scope) -> tuple[Sets, ...]:
    """What an element sets at the begin of each pass of its controller; () if it sets nothing then."""
    reading = scope.reading
    if node.kind == "CounterConfig":
        found: Sets | None = reading.once(node, lambda: _count(node, reading))
    elif node.kind == "CSVDataSet":
        found = reading.once(node, lambda: _take_row(node, reading))
    elif node.kind == _RANDOM_CSV:
        found = reading.once(node, lambda: _take_row_by_chance(node, reading))
    elif node.kind == "RandomVariableConfig":
        found = reading.once(node, lambda: _draw(node, reading))
    elif node.kind == "UserParameters" and reading.flag(node, "UserParameters.per_iteration"):
        found = reading.once(node, lambda: _deal(node, reading))
    else:
        return ()
    return () if found is None else (found,)


def sets_before(level: Iterable[Node], reading: Reading) -> tuple[Sets, ...]:
    """What the elements of a level set before each request to which they apply."""
    found = []
    for node in level:
        if node.kind == "UserParameters" and not reading.flag(node, "UserParameters.per_iteration"):
            deals = reading.once(node, partial(_deal, node, reading))
            found += [] if deals is None else [deals]
    return tuple(found)


def _count(node: Node, reading: Reading) -> Sets | None:
    name = _name(node, "CounterConfig.name", reading)
    if not name:
        return None

    def number(of: str) -> str:
        return node.text(f"CounterConfig.{of}").strip()

    last = number("end")
    return Count(
        name=name,
        first=reading.template(node, number("start") or "0"),
        step=reading.template(node, number("incr") or "0"),
        last=reading.template(node, last),
        pattern=_pattern(node, "CounterConfig.format", reading),
        per_client=reading.flag(node, "CounterConfig.per_user"),
        again_each_iteration=reading.flag(node, "CounterConfig.reset_on_tg_iteration"),
    )


def _draw(node: Node, reading: Reading) -> Sets | None:
    name = _name(node, "variableName", reading)
    if not name:
        return None
    return Draw(
        name=name,
        first=reading.template(node, node.text("minimumValue").strip()),
        last=reading.template(node, node.text("maximumValue").strip()),
        pattern=_pattern(node, "outputFormat", reading),
        seed=reading.template(node, node.text("randomSeed").strip()),
        per_client=reading.flag(node, "perThread"),
    )


def _take_row(node: Node, reading: Reading) -> Sets | None:
    table = rows_of(node, reading)
    if table is None:
        return None
    share = reading.fixed(node, node.text("shareMode", "shareMode.all")) or "shareMode.all"
    share = _SHARES_IN_WORDS.get(share, share)
    known = share in ("shareMode.all", *_SHARED_BY)
    return TakeRow(
        names=table.names,
        rows=table.rows,
        shared_by=_SHARED_BY.get(share, "load"),  # type: ignore[arg-type] # one of its words
        again=reading.flag(node, "recycle", default=True),
        ends=reading.flag(node, "stopThread"),
        # Files of one name are one; with a name of the person's own, so are those that share it.
        origin=table.origin if known else f"{table.origin}@{share}",
    )


def _take_row_by_chance(node: Node, reading: Reading) -> Sets | None:
    """Of a plug-in's Random CSV Data Set; a list "for each thread" is one for all, since they are given one reader.

    Source: Blazemeter/jmeter-bzm-plugins, RandomCSVDataSetConfig.java, RandomCSVReader.java.
    """
    table = random_rows_of(node, reading)
    if table is None:
        return None
    again = reading.flag(node, "rewindOnTheEndOfList")
    reading.tables += 1  # each has a place of its own in its file
    return TakeRow(
        names=table.names,
        rows=table.rows,
        again=again,
        ends=not again,
        origin=f"{table.origin}, list {reading.tables}",
        shuffled=reading.flag(node, "randomOrder"),
    )


def _deal(node: Node, reading: Reading) -> Sets | None:
    names = [
        reading.fixed(node, each) for each in node.properties.items("UserParameters.names") if isinstance(each, str)
    ]
    rows = [
        tuple(reading.template(node, each, f"{user} {at}") for at, each in enumerate(row) if isinstance(each, str))
        for user, row in enumerate(node.properties.items("UserParameters.thread_values"))
        if isinstance(row, tuple)
    ]
    if None in names:
        reading.refuse(node, "the name of one of its variables is not known before the load begins")
    return ValuesOfClients(tuple(each or "" for each in names), tuple(rows)) if rows else None


def _name(node: Node, of: str, reading: Reading) -> str:
    text = node.text(of).strip()
    found = reading.fixed(node, text)
    if found is None:
        reading.refuse(node, f"its variable's name is {text}, which holdfast has to know before the load begins")
    return (found or "").strip()


def _pattern(node: Node, of: str, reading: Reading) -> str:
    text = node.text(of)
    found = reading.fixed(node, text)
    matched = None if found is None else PATTERN.fullmatch(found)
    if found and matched is None:
        reading.refuse(
            node, f"its format {found!r} is not supported", "Zeros with text around them are, such as user_000."
        )
        return ""
    if found is None:
        reading.refuse(node, f"its format is {text}, which holdfast has to know before the load begins")
    return found or ""
