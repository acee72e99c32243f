"""A load run that is over -> its rows, some at a time, so that a million do not take gigabytes; pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from holdfast.engine.packing import taken
from holdfast.engine.url import parse_url
from holdfast.loadtest.plans import requests_of
from holdfast.loadtest.row_columns import AT_ONCE, flight, instants_of
from holdfast.loadtest.run import FinishedLoad
from holdfast.model.rows import Rows, Samples, Together
from holdfast.model.scenario import Check, Group


def chunks(finished: FinishedLoad) -> Iterator[Rows]:
    """All rows, ascending, those of one group in each chunk; those of journeys are in the order in which they began."""
    if finished.run.particulars is not None:
        from holdfast.loadtest import journey_rows  # noqa: PLC0415 - of journeys alone

        yield from journey_rows.chunks(finished)
        return
    for group, ids in _parts(finished):
        yield _rows(finished, group, ids)


def samples(finished: FinishedLoad) -> Iterator[tuple[Rows, Samples]]:
    """All rows, with what else is known of them.

    Raises:
        ValueError: a request cannot be sent as it is written.
    """
    if finished.run.particulars is not None:
        from holdfast.loadtest import journey_rows  # noqa: PLC0415 - of journeys alone

        yield from journey_rows.samples(finished)
        return
    columns = finished.run.columns
    senders = [
        _Sender(group, content)
        for group, content in zip(finished.experiment.groups, requests_of(finished.experiment), strict=True)
    ]
    flights = [flight(columns, list(_of(finished, span))) for span in finished.run.facts.spans]
    everyone = flights[0] if len(flights) == 1 else flight(columns, finished.run.begun)
    for group, ids in _parts(finished):
        rows, sender, own = _rows(finished, group, ids), senders[group], flights[group]
        known = finished.experiment.groups[group]
        urls, lengths = sender.sent(rows.number)
        steps = len(known.steps)
        clients = _clients(rows.number, steps, known.at_once)
        many = own.at(rows.done_ns)
        yield (
            rows,
            Samples(
                url=urls,
                sent_bytes=[length if sent else 0 for length, sent in zip(lengths, rows.sent_ns, strict=True)],
                thread=[f"{known.name} {group + 1}-{client}" for client in clients],
                group_threads=many,
                all_threads=many if everyone is own else everyone.at(rows.done_ns),
                failure=[
                    _failure(known.steps[number % steps].checks) if outcome == "wrong-body" else ""
                    for number, outcome in zip(rows.number, rows.outcome, strict=True)
                ],
            ),
        )


def together(finished: FinishedLoad) -> Iterator[Together]:
    """The results of several requests together; a load that is fixed beforehand has none."""
    if finished.run.particulars is not None:
        from holdfast.loadtest import journey_rows  # noqa: PLC0415 - of journeys alone

        yield from journey_rows.together(finished)


def _parts(finished: FinishedLoad) -> Iterator[tuple[int, Sequence[int]]]:
    """The number of each group and the ids of its rows, AT_ONCE at most."""
    for group, span in enumerate(finished.run.facts.spans):
        own = _of(finished, span)
        for first in range(0, len(own), AT_ONCE):
            yield group, own[first : first + AT_ONCE]


def _of(finished: FinishedLoad, span: range) -> Sequence[int]:
    begun = finished.run.begun
    return begun[bisect_left(begun, span.start) : bisect_left(begun, span.stop)]


def _rows(finished: FinishedLoad, group: int, ids: Sequence[int]) -> Rows:
    columns, start = finished.run.columns, finished.run.facts.spans[group].start
    labels, sources = finished.labels[group], finished.run.facts.sources[group]
    numbers = [id_ - start for id_ in ids]
    return Rows(
        id=ids,
        **instants_of(columns, ids),
        label=[labels[number % len(labels)] for number in numbers],
        group=[finished.experiment.groups[group].name] * len(ids),
        number=numbers,
        source=[sources[value] for value in taken(columns.source, ids)],
    )


class _Sender:
    """The requests of one group: their URLs and lengths."""

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
    """The client that each request belongs to, counted from 1; in the open model each arrival is one.

    Args:
        clients: None in the open model.
    """
    if clients is None:
        return [number // steps + 1 for number in numbers]
    return [number // steps % clients + 1 for number in numbers]


def _failure(checks: Sequence[Check]) -> str:
    """In JMeter's own words if only one check can have failed (ResponseAssertion)."""
    if len(checks) != 1:
        return f"Test failed: one of {len(checks)} checks of the body did not hold"
    (check,) = checks
    verb = ("match" if check.pattern else "equal") if check.whole else "contain"
    return f"Test failed: text expected {'' if check.wanted else 'not '}to {verb} /{check.text}/"
