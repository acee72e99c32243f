"""What sets the values of a journey's client: nodes that send nothing and wait for nothing."""

from __future__ import annotations

from typing import Literal

from holdfast.model.answers import Template
from holdfast.model.frozen import frozen


@frozen
class Assign:
    """Gives a variable a value."""

    name: str
    value: Template


@frozen
class Count:
    """Gives a variable the next number of a counter.

    Attributes:
        last: after it, the counter begins again; () never does.
        pattern: how it is written: `0000` pads with zeros.
        per_client: each client counts on its own.
        again_each_iteration: of the crew's journey.
    """

    name: str
    first: Template = ("1",)
    step: Template = ("1",)
    last: Template = ()
    pattern: str = ""
    per_client: bool = False
    again_each_iteration: bool = False


@frozen
class TakeRow:
    """Gives variables the values of a table's next row.

    Attributes:
        names: of the variables.
        rows: one value per name in each; variables for which a row has none keep what they have. An empty row counts
            as the end of the table, after which it continues.
        shared_by: who takes rows from one and the same place in the table.
        again: begin again after the last row.
        ends: the client ends where no row is left; otherwise each variable becomes `<EOF>`.
        origin: where the rows came from, in words; tables of one origin that all share are one.
        shuffled: all rows are taken in an order by chance, and then, if again, all of them in another one.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shared_by: Literal["client", "crew", "load"] = "load"
    again: bool = True
    ends: bool = False
    origin: str = ""
    shuffled: bool = False


@frozen
class ValuesOfClients:
    """Gives variables the values of a row: client 1 those of the first, and so on, then again from the first.

    Attributes:
        at_once: no value refers to one that is set with it; otherwise each may refer to those before it.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[Template, ...], ...]
    at_once: bool = False


@frozen
class Draw:
    """Gives a variable a whole number by chance.

    Attributes:
        first, last: the smallest and the largest one.
        pattern: as of `Count`.
        seed: of the numbers, which are then those of java.util.Random; () follows the load's own seed.
        per_client: each client has a source of its own with this seed.
    """

    name: str
    first: Template
    last: Template
    pattern: str = ""
    seed: Template = ()
    per_client: bool = False


Sets = Assign | Count | TakeRow | ValuesOfClients | Draw
"""What sets values and does nothing else. Below `OneOf` and `Shuffled`, it is done first in each pass, and is not
chosen from."""
