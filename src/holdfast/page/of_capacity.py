"""The page of a search for the highest rate that holds."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.model.capacity import Capacity
from holdfast.page.charts import knee_data
from holdfast.page.document import Document, Fact, Sheet
from holdfast.page.words import in_words
from holdfast.picture.capacity import knee_of
from holdfast.report.capacity import HEADS, headline, row_of, sentences


def document_of_capacity(found: Capacity) -> Document:
    """The page of one search."""
    return Document(
        kind="capacity",
        title=found.target,
        headline=in_words(headline(found)),
        sentences=tuple(sentences(found)),
        warnings=found.warnings,
        sheets=tuple(_sheets(found)),
        command=found.command,
        facts=tuple(_facts(found)),
        unknown=tuple(Fact(name, why) for name, why in found.unknown.items()),
        data={"knee": knee_data(knee_of(found))},
    )


def _sheets(found: Capacity) -> Iterator[Sheet]:
    if found.loads:
        yield Sheet("Loads", HEADS, tuple(map(row_of, found.loads)), frozenset(range(len(HEADS) - 1)))
    if found.watched is not None and found.watched.processes:
        heads = ("process", "runs", "cores", "waited for one, s/s", "busiest thread", "threads that computed")
        rows = tuple(
            (
                str(each.pid),
                each.name,
                f"{each.cores:.2f}",
                f"{each.waited:.2f}",
                f"{each.busiest:.0%}",
                str(each.threads),
            )
            for each in found.watched.processes
        )
        rate = found.watched.load.rate_per_s
        yield Sheet(f"Processes of the server at {rate:,.4g}/s", heads, rows, frozenset({0, 2, 3, 4, 5}))


def _facts(found: Capacity) -> Iterator[Fact]:
    yield Fact("requests went to", found.url)
    yield Fact("had to hold", ", ".join(found.thresholds))
    if found.watched is not None:
        yield Fact("cores", str(found.watched.cores))
    yield Fact("took", f"{found.seconds:,.0f} s")
