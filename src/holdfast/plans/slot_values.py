"""Where the slots in a group's texts get their values from, collected while a plan is read; pure.

An element that counts or reads rows does so once per pass of the controller that contains it. Within one iteration
of the group that may be several times: the n-th of `times` passes in iteration i is pass i * times + n overall.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from holdfast.model.frozen import frozen
from holdfast.model.scenario import Chance, ClientNumber, Counter, DataRows, Slot, Step, Values

Parts = tuple[str | Slot, ...]

# A counter that restarts within a loop is written out as rows; more than this is a mistake in the plan.
MOST_WRITTEN_OUT = 1_000_000


@frozen
class Turn:
    """Which pass of how many within one iteration of the group, from 0."""

    number: int = 0
    times: int = 1

    def inner(self, number: int, times: int) -> Turn:
        """The turn of one pass of a loop that runs within this one."""
        return Turn(self.number * times + number, self.times * times)


@dataclass(slots=True)
class _Table:
    """Columns of the same rows, by the names of their slots."""

    columns: dict[str, tuple[str, ...]]
    data: DataRows


@dataclass(slots=True)
class SlotValues:
    """The values of one group: one for every slot that it has handed out.

    Attributes:
        single: whether each client makes only one iteration, as the arrivals of the open model do.
    """

    single: bool = False
    _plain: dict[str, Values] = field(default_factory=dict)
    _tables: list[_Table] = field(default_factory=list)
    _table_by_slot: dict[str, _Table] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=lambda: {"id": 1})
    _counted: dict[tuple[object, Turn], Parts] = field(default_factory=dict)
    _read: dict[tuple[object, Turn], dict[str, Parts]] = field(default_factory=dict)
    _encodings: dict[tuple[str, Callable[[str], str]], Slot] = field(default_factory=dict)

    def counter(self, key: object, counter: Counter, turn: Turn) -> Parts:
        """A slot with a counter's value in this turn.

        Args:
            key: identifies the element: the same key and turn give the same slot.
            counter: with the element's own first value and step; each turn is one step.

        Raises:
            ValueError: it would have to be written out as too many numbers.
        """
        if (key, turn) not in self._counted:
            self._counted[key, turn] = self._new_counter(counter, turn)
        return self._counted[key, turn]

    def client(self) -> Parts:
        """A slot with the number of the client, from 1."""
        key = ("client", Turn())
        if key not in self._counted:
            name = self._new_name("__threadNum")
            # In the open model, each arrival is a client.
            self._plain[name] = Counter(name) if self.single else ClientNumber(name)
            self._counted[key] = (Slot(name),)
        return self._counted[key]

    def random_number(self, first: int, last: int) -> Parts:
        """A slot with a random number from `first` to `last`, drawn for each request."""
        # The last eight bytes of its name seed a random number, so they must be unique.
        name = self._new_name(f"{len(self._plain):08d}")
        self._plain[name] = Chance(name, first, last)
        return (Slot(name),)

    def random_range(self, slot: Slot) -> Chance | None:
        """The range of a slot that holds a random number; None for any other slot."""
        found = self._plain.get(slot.name)
        return found if isinstance(found, Chance) else None

    def rows(self, key: object, data: DataRows, turn: Turn) -> dict[str, Parts]:
        """Slots with the values of a table's row in this turn, by column name."""
        if (key, turn) not in self._read:
            self._read[key, turn] = self._new_rows(data, turn)
        return self._read[key, turn]

    def encoded(self, parts: Parts, encode: Callable[[str], str]) -> Parts:
        """The same text, encoded; numbers stay as they are, since no encoding changes them."""
        return tuple(encode(part) if isinstance(part, str) else self._encoded_slot(part, encode) for part in parts)

    def values(self, steps: Iterable[Step]) -> tuple[Values, ...]:
        """The values that the slots of these steps need, and the tables whose end ends the load."""
        used = {part.name for step in steps for text in _texts(step) for part in text if isinstance(part, Slot)}
        needed: list[Values] = [value for name, value in self._plain.items() if name in used]
        for table in self._tables:
            names = [name for name in table.columns if name in used]
            if not names and not table.data.again:
                names = list(table.columns)[:1]
            if names:
                rows = tuple(zip(*(table.columns[name] for name in names), strict=True))
                needed.append(replace(table.data, names=tuple(names), rows=rows))
        return tuple(needed)

    def _new_counter(self, counter: Counter, turn: Turn) -> Parts:
        if counter.per_client and self.single:
            return (_number(counter, turn.number),)
        name = self._new_name(counter.name)
        if counter.last is None or turn.times == 1:
            first, step = counter.first + turn.number * counter.step, counter.step * turn.times
            self._plain[name] = replace(counter, name=name, first=first, step=step)
            return (Slot(name),)
        period = max(1, (counter.last - counter.first) // counter.step + 1)
        if period > MOST_WRITTEN_OUT:
            raise ValueError(
                f"within a loop it starts again after {period:,} numbers; the limit is {MOST_WRITTEN_OUT:,}"
            )
        numbers = tuple(_number(counter, index) for index in _turns(period, turn))
        self._add(_Table({name: numbers}, DataRows((), (), per_client=counter.per_client)))
        return (Slot(name),)

    def _new_rows(self, data: DataRows, turn: Turn) -> dict[str, Parts]:
        rows = data.rows
        if data.per_client and self.single:
            row = rows[turn.number % len(rows)]
            return {name: (value,) for name, value in zip(data.names, row, strict=True)}
        if data.again:
            rows = tuple(rows[number] for number in _turns(len(rows), turn))
        else:
            rows = rows[turn.number : len(rows) // turn.times * turn.times : turn.times]
        slots = {name: Slot(self._new_name(name)) for name in data.names}
        columns = {slot.name: tuple(row[at] for row in rows) for at, slot in enumerate(slots.values())}
        self._add(_Table(columns, data))
        return {name: (slot,) for name, slot in slots.items()}

    def _encoded_slot(self, slot: Slot, encode: Callable[[str], str]) -> Slot:
        table = self._table_by_slot.get(slot.name)
        if table is None:
            return slot
        if (slot.name, encode) not in self._encodings:
            name = self._new_name(slot.name)
            table.columns[name] = tuple(map(encode, table.columns[slot.name]))
            self._table_by_slot[name] = table
            self._encodings[slot.name, encode] = Slot(name)
        return self._encodings[slot.name, encode]

    def _add(self, table: _Table) -> None:
        self._tables.append(table)
        self._table_by_slot.update(dict.fromkeys(table.columns, table))

    def _new_name(self, wanted: str) -> str:
        """A name for a slot that no other slot has."""
        name = wanted
        while name in self._names:
            self._names[wanted] = self._names.get(wanted, 1) + 1
            name = f"{wanted} {self._names[wanted]}"
        self._names[name] = 1
        return name


def _turns(period: int, turn: Turn) -> Sequence[int]:
    """Indices into numbers that repeat after `period`: those that this turn gets, until they repeat."""
    iterations = period // math.gcd(period, turn.times)
    return [(iteration * turn.times + turn.number) % period for iteration in range(iterations)]


def _number(counter: Counter, index: int) -> str:
    if counter.last is not None:
        index %= max(1, (counter.last - counter.first) // counter.step + 1)
    return str(counter.first + counter.step * index).zfill(counter.digits)


def _texts(step: Step) -> Iterable[Parts]:
    for text in (step.path, step.body, *(value for _, value in step.headers)):
        if isinstance(text, tuple):
            yield text
