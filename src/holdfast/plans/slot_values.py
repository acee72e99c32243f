"""Where the slots of a group's texts get their values from, collected while a plan is read; pure.

An element that counts or reads rows does so once for each pass of the controller that it stands in. Within an
iteration of the group that may be several times: its n-th of `times` in iteration i is number i * times + n.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from holdfast.model.scenario import Chance, ClientNumber, Counter, DataRows, Slot, Step, Values

Parts = tuple[str | Slot, ...]

# A counter that begins anew within a loop is written out as rows; more of them are a mistake in the plan.
MOST_WRITTEN_OUT = 1_000_000


@dataclass(frozen=True, slots=True)
class Turn:
    """Which of how many times within one iteration of the group."""

    number: int = 0
    times: int = 1

    def inner(self, number: int, times: int) -> Turn:
        """The same for one pass of a loop in there."""
        return Turn(self.number * times + number, self.times * times)


@dataclass(slots=True)
class _Table:
    """Columns that are rows together, by the names of their slots."""

    columns: dict[str, tuple[str, ...]]
    data: DataRows


@dataclass(slots=True)
class Supply:
    """The values of one group; every slot that it gave out has one.

    Attributes:
        single: each client makes one iteration only, as arrivals of the open model do.
    """

    single: bool = False
    _plain: dict[str, Values] = field(default_factory=dict)
    _tables: list[_Table] = field(default_factory=list)
    _table_of: dict[str, _Table] = field(default_factory=dict)
    _taken: dict[str, int] = field(default_factory=lambda: {"id": 1})
    _counted: dict[tuple[object, Turn], Parts] = field(default_factory=dict)
    _read: dict[tuple[object, Turn], dict[str, Parts]] = field(default_factory=dict)
    _spelled: dict[tuple[str, Callable[[str], str]], Slot] = field(default_factory=dict)

    def counter(self, key: object, counter: Counter, turn: Turn) -> Parts:
        """A counter's value in this turn.

        Args:
            key: of the element that counts: the same one gives the same slot in the same turn.
            counter: as the element has it, for whom each turn is a step.

        Raises:
            ValueError: more numbers than can be written out.
        """
        if (key, turn) not in self._counted:
            self._counted[key, turn] = self._new_counter(counter, turn)
        return self._counted[key, turn]

    def client(self) -> Parts:
        """The number of the client, the first one's being 1."""
        key = ("client", Turn())
        if key not in self._counted:
            name = self._new_name("__threadNum")
            # In the open model each arrival is a client.
            self._plain[name] = Counter(name) if self.single else ClientNumber(name)
            self._counted[key] = (Slot(name),)
        return self._counted[key]

    def chance(self, first: int, last: int) -> Parts:
        """A number by chance, another one in each request."""
        # Numbers by chance are told apart by the last eight bytes of their names.
        name = self._new_name(f"{len(self._plain):08d}")
        self._plain[name] = Chance(name, first, last)
        return (Slot(name),)

    def chance_of(self, slot: Slot) -> Chance | None:
        """What a slot is, if it is a number by chance."""
        found = self._plain.get(slot.name)
        return found if isinstance(found, Chance) else None

    def rows(self, key: object, data: DataRows, turn: Turn) -> dict[str, Parts]:
        """The values of a table's row in this turn, by the names of its columns."""
        if (key, turn) not in self._read:
            self._read[key, turn] = self._new_rows(data, turn)
        return self._read[key, turn]

    def encoded(self, parts: Parts, encode: Callable[[str], str]) -> Parts:
        """The same text in another spelling; numbers, which no spelling changes, stay as they are."""
        return tuple(encode(part) if isinstance(part, str) else self._encoded_slot(part, encode) for part in parts)

    def values(self, steps: Iterable[Step]) -> tuple[Values, ...]:
        """What the slots of these steps need, and what ends the load."""
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
            raise ValueError(f"within a loop it begins anew after {period:,} numbers, more than {MOST_WRITTEN_OUT:,}")
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
        table = self._table_of.get(slot.name)
        if table is None:
            return slot
        if (slot.name, encode) not in self._spelled:
            name = self._new_name(slot.name)
            table.columns[name] = tuple(map(encode, table.columns[slot.name]))
            self._table_of[name] = table
            self._spelled[slot.name, encode] = Slot(name)
        return self._spelled[slot.name, encode]

    def _add(self, table: _Table) -> None:
        self._tables.append(table)
        self._table_of.update(dict.fromkeys(table.columns, table))

    def _new_name(self, wanted: str) -> str:
        """A slot's name that no other has."""
        name = wanted
        while name in self._taken:
            self._taken[wanted] = self._taken.get(wanted, 1) + 1
            name = f"{wanted} {self._taken[wanted]}"
        self._taken[name] = 1
        return name


def _turns(period: int, turn: Turn) -> Sequence[int]:
    """Of numbers that repeat after `period`, those of this turn until they repeat, too."""
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
