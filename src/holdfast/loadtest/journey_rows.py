"""Journeys that are over -> their rows, some at a time; pure."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence

from holdfast.engine.packing import taken
from holdfast.engine.particulars import Particulars
from holdfast.loadtest.row_columns import AT_ONCE, flight, instants_of
from holdfast.loadtest.run import FinishedLoad
from holdfast.model.journey import Crew
from holdfast.model.rows import Rows, Samples, Together


def chunks(finished: FinishedLoad) -> Iterator[Rows]:
    """All rows, ascending."""
    begun = finished.run.begun
    for first in range(0, len(begun), AT_ONCE):
        yield _rows(finished, begun[first : first + AT_ONCE])


def samples(finished: FinishedLoad) -> Iterator[tuple[Rows, Samples]]:
    """All rows, with what else is known of them."""
    run, known = finished.run, _known(finished)
    everyone = flight(run.columns, run.begun)
    flights = {crew: flight(run.columns, own) for crew, own in _of_crews(finished).items()}
    names = [crew.name for crew in _crews(finished)]
    for rows in chunks(finished):
        crews, clients = taken(known.crew, rows.id), taken(known.client, rows.id)
        own = {crew: each.at(rows.done_ns) for crew, each in flights.items()}
        yield (
            rows,
            Samples(
                url=_texts(known, known.url, rows.id),
                sent_bytes=[
                    length if sent else 0
                    for length, sent in zip(taken(known.sent_bytes, rows.id), rows.sent_ns, strict=True)
                ],
                thread=[_thread(names, crew, client) for crew, client in zip(crews, clients, strict=True)],
                group_threads=[own[crew][at] for at, crew in enumerate(crews)],
                all_threads=everyone.at(rows.done_ns),
                failure=_texts(known, known.why, rows.id),
            ),
        )


def together(finished: FinishedLoad) -> Iterator[Together]:
    """The results of several requests together, in the order in which they ended."""
    run, known = finished.run, _known(finished)
    grouped = known.grouped
    ended = grouped.ended_ns[: len(grouped)].tolist()
    names, everyone = [crew.name for crew in _crews(finished)], flight(run.columns, run.begun).at(ended)
    by_crew = {crew: flight(run.columns, own) for crew, own in _of_crews(finished).items()}
    for at, (ended_ns, in_flight) in enumerate(zip(ended, everyone, strict=True)):
        crew = grouped.crew[at]
        yield Together(
            label=known.texts[grouped.label[at]],
            ended_ns=ended_ns,
            took_ns=grouped.took_ns[at],
            pauses_ns=grouped.pauses_ns[at],
            answered=bool(grouped.answered[at]),
            requests=grouped.requests[at],
            failed=grouped.failed[at],
            thread=_thread(names, crew, grouped.client[at]),
            group_threads=by_crew[crew].at((ended_ns,))[0],
            all_threads=in_flight,
        )


def _of_crews(finished: FinishedLoad) -> dict[int, array[int]]:
    """The rows of each crew, by its number."""
    by_crew = {crew: array("q") for crew in range(len(_crews(finished)))}
    known = _known(finished)
    for row in finished.run.begun:
        by_crew[known.crew[row]].append(row)
    return by_crew


def _thread(names: Sequence[str], crew: int, client: int) -> str:
    return f"{names[crew]} {crew + 1}-{client}"


def _rows(finished: FinishedLoad, ids: Sequence[int]) -> Rows:
    run, known = finished.run, _known(finished)
    sources = run.facts.sources[0] or ("",)
    names = [crew.name for crew in _crews(finished)]
    return Rows(
        id=ids,
        **instants_of(run.columns, ids),
        label=_texts(known, known.label, ids),
        group=[names[crew] for crew in taken(known.crew, ids)],
        number=ids,
        source=[sources[value] for value in taken(run.columns.source, ids)],
    )


def _texts(known: Particulars, column: memoryview, ids: Sequence[int]) -> list[str]:
    text_of: Callable[[int], str] = known.texts.__getitem__
    return [text_of(number) for number in taken(column, ids)]


def _known(finished: FinishedLoad) -> Particulars:
    assert finished.run.particulars is not None
    return finished.run.particulars


def _crews(finished: FinishedLoad) -> Sequence[Crew]:
    assert finished.experiment.journeys is not None
    return finished.experiment.journeys.crews
