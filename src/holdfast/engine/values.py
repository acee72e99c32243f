"""A group's steps and values -> the bytes of each of its requests; pure.

A request's bytes follow from the number of its row alone, whichever process sends it and whenever. Row r belongs to
step r % steps and to the iteration with the index r // steps, which belongs to client index % clients.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from itertools import count
from urllib.parse import quote

from holdfast.engine.http1 import request_head
from holdfast.model.frozen import frozen
from holdfast.model.http_syntax import IN_URL
from holdfast.model.scenario import Chance, ClientNumber, Counter, DataRows, Slot, Step, Text, Values

_LAST_LATIN_1 = 0xFF
_WORD = (1 << 64) - 1

_Value = Callable[[int], str]


@frozen
class Numbering:
    """How rows are numbered.

    Attributes:
        steps, clients: how many.
        seed: of everything random.
    """

    steps: int = 1
    clients: int = 1
    seed: int = 0


def by_chance(seed: int, row: int, name: str) -> float:
    """A pseudorandom number in [0, 1) that follows from the arguments alone.

    Source: the mixing of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    """
    named = int.from_bytes(name.encode()[-8:])
    mixed = (seed * 0x9E3779B97F4A7C15 + row * 0xD1B54A32D192ED03 + named * 0x2545F4914F6CDD1D) & _WORD
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = ((mixed ^ (mixed >> shift)) * factor) & _WORD
    return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)


def request_bytes(
    steps: Sequence[Step], values: Sequence[Values], host: str, numbering: Numbering
) -> bytes | Callable[[int], bytes]:
    """The bytes of every request if all are the same; otherwise row -> its bytes.

    Args:
        host: value of the Host field, unless a step has its own.

    Raises:
        ValueError: a request cannot be sent as it is written, or a slot has no value.
    """
    sources = _sources(values, numbering)
    in_headers = _in_headers(steps)
    for each in values:
        _check_values(each, in_headers)
    made = [_request(step, sources, host) for step in steps]
    if len(made) == 1:
        return made[0]
    always = [(lambda _row, content=each: content) if isinstance(each, bytes) else each for each in made]

    def of_row(row: int) -> bytes:
        return always[row % len(always)](row)

    return of_row


def _sources(values: Sequence[Values], numbering: Numbering) -> dict[str, _Value]:
    """Row -> value, by the name of the slot."""
    found: dict[str, _Value] = {"id": str}
    steps, clients = numbering.steps, numbering.clients
    for each in values:
        if isinstance(each, Counter):
            found[each.name] = partial(_counted, each, steps, clients)
        elif isinstance(each, ClientNumber):
            found[each.name] = partial(_client, each, steps, clients)
        elif isinstance(each, Chance):
            found[each.name] = partial(_drawn, each, numbering.seed)
        else:
            for column, name in enumerate(each.names):
                found[name] = partial(_cell, each, column, steps, clients)
    return found


def _counted(counter: Counter, steps: int, clients: int, row: int) -> str:
    index = row // steps
    if counter.per_client:
        index //= clients
    if counter.last is not None:
        index %= max(1, (counter.last - counter.first) // counter.step + 1)
    return str(counter.first + counter.step * index).zfill(counter.digits)


def _client(number: ClientNumber, steps: int, clients: int, row: int) -> str:
    return str(number.first + row // steps % clients)


def _drawn(chance: Chance, seed: int, row: int) -> str:
    return str(chance.first + int(by_chance(seed, row, chance.name) * (chance.last - chance.first + 1)))


def _cell(data: DataRows, column: int, steps: int, clients: int, row: int) -> str:
    index = row // steps
    if data.per_client:
        index //= clients
    return data.rows[index % len(data.rows)][column]


def _request(step: Step, sources: dict[str, _Value], host: str) -> bytes | Callable[[int], bytes]:
    """One step's request: checked and built once, with marks where values are filled in."""
    mark = _unused_mark(step)
    encoders: list[_Encoded] = []

    def marked(text: Text, encode: Callable[[str], bytes]) -> str:
        parts = []
        for part in (text,) if isinstance(text, str) else text:
            if isinstance(part, str):
                parts.append(part)
                continue
            if part.name not in sources:
                raise ValueError(f"There is no value named {part.name!r}; there are {', '.join(sources)}.")
            encoders.append(_Encoded(sources[part.name], encode))
            parts.append(mark)
        return "".join(parts)

    path = marked(step.path, _in_path)
    fields = [(name, marked(text, _in_header)) for name, text in step.headers]
    in_head = len(encoders)
    body = step.body
    if body is not None and not isinstance(body, bytes):
        body = marked(body, str.encode).encode()
    if len(encoders) == in_head:
        head = request_head(step.method, path, host, fields, body)
        return _filled(head.split(mark.encode()), encoders) if encoders else head
    length_mark = f"{mark}length"
    head = request_head(step.method, path, host, [*fields, ("Content-Length", length_mark)])
    before, after = head.split(length_mark.encode())
    of_head = _filled(before.split(mark.encode()), encoders[:in_head])
    of_body = _filled((body or b"").split(mark.encode()), encoders[in_head:])

    def of_row(row: int) -> bytes:
        content = of_body(row)
        return b"%b%d%b%b" % (of_head(row), len(content), after, content)

    return of_row


@frozen
class _Encoded:
    """One slot: row -> the bytes filled in there."""

    value: _Value
    encode: Callable[[str], bytes]

    def __call__(self, row: int) -> bytes:
        return self.encode(self.value(row))


def _filled(literals: Sequence[bytes], between: Sequence[_Encoded]) -> Callable[[int], bytes]:
    """Row -> the literals with values between them."""
    first, rest = literals[0], tuple(zip(between, literals[1:], strict=True))

    def of_row(row: int) -> bytes:
        return first + b"".join([part for encoded, literal in rest for part in (encoded(row), literal)])

    return of_row


def _unused_mark(step: Step) -> str:
    """A word that does not occur in the step's own text."""
    text = repr(step)
    return next(mark for mark in map("slot{}x".format, count()) if mark not in text)


def _in_path(value: str) -> bytes:
    return quote(value, safe=IN_URL).encode()


def _in_header(value: str) -> bytes:
    return value.encode("latin-1")


def _in_headers(steps: Sequence[Step]) -> frozenset[str]:
    """The names of the slots in headers."""
    return frozenset(
        part.name
        for step in steps
        for _, text in step.headers
        if not isinstance(text, str)
        for part in text
        if isinstance(part, Slot)
    )


def _check_values(values: Values, in_headers: Collection[str]) -> None:
    """Raises ValueError if a value from a table cannot be sent in a header."""
    if not isinstance(values, DataRows):
        return
    if not values.rows:
        raise ValueError(f"{values.origin or 'The table of values'} has no rows.")
    for column, name in enumerate(values.names):
        if name not in in_headers:
            continue
        for number, row in enumerate(values.rows, 1):
            value = row[column]
            if not value.isprintable() or any(ord(each) > _LAST_LATIN_1 for each in value):
                origin = values.origin or "The table of values"
                raise ValueError(f"{origin}: {name} in row {number} cannot be sent in a header: {value!r}.")
