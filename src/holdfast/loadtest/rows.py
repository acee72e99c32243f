"""A load run that is over -> its rows, some at a time, so that a million need no gigabytes; pure."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from holdfast.load.url import parse_url
from holdfast.loadtest.run import Loaded, requests_of
from holdfast.model.places import Outcome
from holdfast.model.rows import Rows, Samples
from holdfast.model.scenario import Check, Clients, Group

AT_ONCE = 10_000

_NAMES = {each.value: each.label for each in Outcome}


def chunks(loaded: Loaded) -> Iterator[Rows]:
    """All rows, ascending, those of one group in each chunk."""
    for group, ids in _parts(loaded):
        yield _rows(loaded, group, ids)


def samples(loaded: Loaded) -> Iterator[tuple[Rows, Samples]]:
    """All rows with what is known beside them.

    Raises:
        ValueError: a request cannot be sent as it is written.
    """
    senders = [
        _Sender(group, content)
        for group, content in zip(loaded.experiment.groups, requests_of(loaded.experiment), strict=True)
    ]
    flights = [_flight(loaded, list(_of(loaded, span))) for span in loaded.run.spans]
    everyone = flights[0] if len(flights) == 1 else _flight(loaded, loaded.run.begun)
    for group, ids in _parts(loaded):
        rows, sender, own = _rows(loaded, group, ids), senders[group], flights[group]
        known = loaded.experiment.groups[group]
        urls, lengths = sender.sent(rows.number)
        clients = known.shape.clients if isinstance(known.shape, Clients) else None
        steps = len(known.steps)
        many = own.at(rows.done_ns)
        yield (
            rows,
            Samples(
                url=urls,
                sent_bytes=[length if sent else 0 for length, sent in zip(lengths, rows.sent_ns, strict=True)],
                thread=[f"{known.name} {group + 1}-{client}" for client in _clients(rows.number, steps, clients)],
                group_threads=many,
                all_threads=many if everyone is own else everyone.at(rows.done_ns),
                failure=[
                    _failure(known.steps[number % steps].checks) if outcome == "wrong-body" else ""
                    for number, outcome in zip(rows.number, rows.outcome, strict=True)
                ],
            ),
        )


def _parts(loaded: Loaded) -> Iterator[tuple[int, Sequence[int]]]:
    """The number of the group and ids of its rows, not many at once."""
    for group, span in enumerate(loaded.run.spans):
        own = _of(loaded, span)
        for first in range(0, len(own), AT_ONCE):
            yield group, own[first : first + AT_ONCE]


def _of(loaded: Loaded, span: range) -> Sequence[int]:
    begun = loaded.run.begun
    return begun[bisect_left(begun, span.start) : bisect_left(begun, span.stop)]


def _rows(loaded: Loaded, group: int, ids: Sequence[int]) -> Rows:
    columns, start = loaded.run.columns, loaded.run.spans[group].start
    labels, sources = loaded.labels[group], loaded.run.sources[group]
    opened, sent, done = taken(columns.opened, ids), taken(columns.sent, ids), taken(columns.done, ids)
    received = taken(columns.received, ids)
    numbers = [id_ - start for id_ in ids]
    return Rows(
        id=ids,
        due_ns=taken(columns.due, ids),
        begun_ns=[at or sent_ns for at, sent_ns in zip(opened, sent, strict=True)],
        connected_ns=taken(columns.connected, ids),
        done_ns=done,
        outcome=[_NAMES[value] for value in taken(columns.outcome, ids)],
        status=taken(columns.status, ids),
        label=[labels[number % len(labels)] for number in numbers],
        group=[loaded.experiment.groups[group].name] * len(ids),
        number=numbers,
        opened_ns=opened,
        sent_ns=sent,
        # Where the first byte came with the last, the engine notes it once.
        first_byte_ns=[
            at or (end if many else 0) for at, end, many in zip(taken(columns.first, ids), done, received, strict=True)
        ],
        received_bytes=received,
        source=[sources[value] for value in taken(columns.source, ids)],
        local_port=taken(columns.local_port, ids),
    )


def taken(column: memoryview, ids: Sequence[int]) -> list[int]:
    """The values of these rows, ascending; in one piece where they have no gaps (6 times as fast)."""
    if ids[-1] - ids[0] == len(ids) - 1:
        return column[ids[0] : ids[-1] + 1].tolist()
    return [column[id_] for id_ in ids]


@dataclass(frozen=True, slots=True)
class _Flight:
    """When requests began and ended, both ascending."""

    begun: array[int]
    ended: array[int]

    def at(self, instants: Sequence[int]) -> list[int]:
        """How many were in flight just before each of these ends; at least the one that ended."""
        begun, ended = self.begun, self.ended
        # On a kept connection the next one begins in the instant in which the last has ended.
        return [max(1, bisect_left(begun, at) - bisect_left(ended, at)) for at in instants]


def _flight(loaded: Loaded, ids: Sequence[int]) -> _Flight:
    columns = loaded.run.columns
    opened, sent, due, done = columns.opened, columns.sent, columns.due, columns.done
    begun = array("q", sorted(opened[id_] or sent[id_] or due[id_] for id_ in ids))
    return _Flight(begun, array("q", sorted(done[id_] for id_ in ids)))


class _Sender:
    """What the requests of one group were: their URLs and lengths."""

    __slots__ = ("_content", "_same", "_server")

    def __init__(self, group: Group, content: bytes | Callable[[int], bytes]) -> None:
        server = parse_url(group.url).server
        self._server = f"{server}:" if server.startswith("unix:") else server
        self._content = content if callable(content) else None
        self._same = None if callable(content) else (self._url(content), len(content))

    def sent(self, numbers: Sequence[int]) -> tuple[list[str], list[int]]:
        """URL and bytes of each of these requests."""
        if self._same is not None:
            return [self._same[0]] * len(numbers), [self._same[1]] * len(numbers)
        assert self._content is not None
        contents = [*map(self._content, numbers)]
        return [*map(self._url, contents)], [*map(len, contents)]

    def _url(self, content: bytes) -> str:
        return self._server + content.split(b" ", 2)[1].decode("latin-1")


def _clients(numbers: Sequence[int], steps: int, clients: int | None) -> list[int]:
    """Which client each request is of, from 1 on; in the open model each arrival is one."""
    if clients is None:
        return [number // steps + 1 for number in numbers]
    return [number // steps % clients + 1 for number in numbers]


def _failure(checks: Sequence[Check]) -> str:
    """In JMeter's own words where one check alone can have failed (ResponseAssertion)."""
    if len(checks) != 1:
        return f"Test failed: one of {len(checks)} checks of the body did not hold"
    (check,) = checks
    verb = ("match" if check.pattern else "equal") if check.whole else "contain"
    return f"Test failed: text expected {'' if check.wanted else 'not '}to {verb} /{check.text}/"
