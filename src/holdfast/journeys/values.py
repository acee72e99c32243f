"""Gives a client's variables the values that a journey assigns, counts and takes from tables; pure."""

from __future__ import annotations

from typing import Any

from holdfast.journeys.chance import Chance, JavaRandom
from holdfast.journeys.client import Client
from holdfast.journeys.numbers import integer, patterned
from holdfast.journeys.templates import ClientEndsError, text_of
from holdfast.model.answers import Template
from holdfast.model.journey import Assign, Count, Draw, Sets, TakeRow, ValuesOfClients

END_OF_TABLE = "<EOF>"


def set_values(node: Sets, client: Client, moment: tuple[int, int] | None = None) -> None:
    """Does what one node does with a client's variables.

    Args:
        moment: as long as it is the same, the texts of a `ValuesOfClients` are not replaced anew; None: they are.

    Raises:
        ClientEndsError: the table of a `TakeRow` has no row left.
    """
    if isinstance(node, Assign):
        client.variables[node.name] = text_of(node.value, client)
    elif isinstance(node, Count):
        _count(node, client)
    elif isinstance(node, TakeRow):
        _take_row(node, client)
    elif isinstance(node, Draw):
        _draw(node, client)
    else:
        _deal(node, client, moment)


def _count(node: Count, client: Client) -> None:
    first, step = _number(node.first, client, 0), _number(node.step, client, 0)
    last = _number(node.last, client, 0) if node.last else None
    key = ("count", id(node))
    if node.per_client:
        number = client.own.get(key, first)
        if node.again_each_iteration:
            # JMeter takes the first iteration for granted: a counter begins at its start anyhow.
            if client.iteration != client.own.get((key, "iteration"), 1):
                number = first
            client.own[key, "iteration"] = client.iteration
        following = number + step
        client.own[key] = first if last is not None and following > last else following
    else:

        def counted(before: int | None) -> int:
            return first if before is None or (last is not None and before > last) else before

        number = counted(client.shared.changed(key, lambda before: counted(before) + step))
    client.variables[node.name] = patterned(number, node.pattern)


def _number(template: Template, client: Client, otherwise: int) -> int:
    return integer(text_of(template, client), otherwise)


def _take_row(node: TakeRow, client: Client) -> None:
    key: object = ("table", node.origin or id(node))
    count = len(node.rows)

    def row(before: int | None) -> int:
        if node.shuffled and node.again:
            return before or 0
        # At the end it stays there, until it is read by one that begins again.
        return 0 if node.again and (before or 0) >= count else min(before or 0, count)

    if node.shared_by == "client":
        number = row(client.own.get(key))
        client.own[key] = number + 1
    else:
        shared = key if node.shared_by == "load" else (key, client.crew_shared.number)
        number = row(client.shared.changed(shared, lambda before: row(before) + 1))
    if node.shuffled and (node.again or number < count):
        number = _in_order(node, key, number // count, client)[number % count]
    if number < len(node.rows) and node.rows[number]:
        client.variables.update(zip(node.names, node.rows[number], strict=False))
    elif node.ends:
        raise ClientEndsError(f"{node.origin or 'its table'} has no row left")
    else:
        client.variables.update(dict.fromkeys(node.names, END_OF_TABLE))


def _in_order(node: TakeRow, key: object, turn: int, client: Client) -> list[int]:
    """The numbers of a table's rows in an order by chance, the same for all clients: another one each turn."""
    known: tuple[int, list[int]] | None = client.remembered.get(("order", key))
    if known is None or known[0] != turn:
        chance, order = Chance(f"{client.shared.seed} {node.origin} {turn}"), list(range(len(node.rows)))
        order.sort(key=lambda _: chance.random())
        known = client.remembered["order", key] = (turn, order)
    return known[1]


def _draw(node: Draw, client: Client) -> None:
    first, last = _number(node.first, client, 0), _number(node.last, client, 0)
    span = last - first + 1
    if span <= 0:
        return
    # The range of JMeter's numbers has to fit into a Java int.
    span = min(span, (1 << 31) - 1)
    seed = text_of(node.seed, client).strip()
    if seed:
        known: dict[object, Any] = client.own if node.per_client else client.remembered
        source = known.setdefault(("draw", id(node)), JavaRandom(_number(node.seed, client, 0)))
        drawn = source.below(span)
    else:
        drawn = client.below(span)
    client.variables[node.name] = patterned(first + drawn, node.pattern)


def _deal(node: ValuesOfClients, client: Client, moment: tuple[int, int] | None) -> None:
    if not node.rows:
        return
    row = node.rows[client.index % len(node.rows)]
    if node.at_once:
        client.variables.update(zip(node.names, [text_of(each, client) for each in row], strict=False))
        return
    key = ("dealt", id(node))
    if moment is not None and (known := client.own.get(key)) is not None and known[0] == moment:
        client.variables.update(known[1])
        return
    values = {}
    for name, text in zip(node.names, row, strict=False):
        values[name] = client.variables[name] = text_of(text, client)
    client.own[key] = (moment, values)
