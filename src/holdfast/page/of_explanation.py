"""The page of an explanation: what decides, by which law, and the runs that show it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace

from holdfast.model.advice import Wish
from holdfast.model.explanation import Explanation
from holdfast.model.outside import OutsideTimeline
from holdfast.model.overload import Overload
from holdfast.model.silent import Silent
from holdfast.model.timeline import Timeline
from holdfast.page.charts import settings_data
from holdfast.page.document import Document, Sheet
from holdfast.page.of_verdict import document_of
from holdfast.page.words import in_words
from holdfast.picture.settings import setting_charts
from holdfast.report import overload as of_overload
from holdfast.report import silent as of_silent
from holdfast.report.command import command_of
from holdfast.report.explain import headline, sentences, trial_table
from holdfast.report.layout import Text


def document_of_explanation(explanation: Explanation, first: Timeline | OutsideTimeline) -> Document:
    """The page of one explanation; its charts over time are those of the first trial.

    Args:
        first: the record of that trial.
    """
    of_first = document_of(first, explanation.verdict)
    return replace(
        of_first,
        kind="explain",
        headline=in_words(headline(explanation)),
        sentences=(*sentences(explanation), *of_first.sentences),
        sheets=tuple(_sheets(explanation)),
        command=shlex.join(command_of(first.experiment, "explain", tuple(_asked(explanation)))),
        data={**of_first.data, "settings": settings_data(setting_charts(explanation.rivals, explanation.trials))},
    )


def _asked(explanation: Explanation) -> Iterator[str]:
    """The options by which more was asked than what decides, as far as the explanation shows them."""
    wish = None if explanation.advice is None else explanation.advice.wish
    overload = explanation.overload
    service_s = None if overload is None else overload.service_s
    if wish is not None:
        service_s = service_s or wish.service_s
        yield from _wished(wish)
    if overload is not None:
        yield "--overload"
        yield from ("--health", overload.health_path) if overload.health_path else ()
    yield from ("--service-time", f"{service_s:g}s") if service_s else ()
    yield from () if explanation.silent is None else ("--silent",)


def _wished(wish: Wish) -> Iterator[str]:
    if wish.rate_per_s is None:
        yield from ("--want", str(wish.at_once))
    else:
        yield from ("--rate", f"{wish.rate_per_s:g}/s")
    if wish.p99_s is not None:
        yield from ("--p99", f"{wish.p99_s:g}s")
    if wish.memory_bytes is not None:
        yield from ("--memory", str(wish.memory_bytes))


def _sheets(explanation: Explanation) -> Iterator[Sheet]:
    heads, rows = trial_table(explanation)
    yield Sheet("Runs", heads, rows, frozenset(range(len(heads) - 1)))
    if explanation.overload is not None:
        yield _overload(explanation.overload)
    if explanation.silent is not None:
        yield _silent(explanation.silent)


def _overload(overload: Overload) -> Sheet:
    heads, words = of_overload.HEADS, tuple(_sentence(each) for each in of_overload.doubts(overload))
    rows = (tuple(_plain(each) for each in of_overload.row_of(level)) for level in overload.levels)
    return Sheet(
        "Overload",
        heads,
        tuple(cells + ("",) * (len(heads) - len(cells)) for cells in rows),
        frozenset(range(len(heads) - 1)),
        (*overload.sentences, f"The full throughput: {of_overload.relative_to(overload)}."),
        (*words, of_overload.legend(overload)),
    )


def _silent(silent: Silent) -> Sheet:
    rows = tuple(
        (of_silent.WHO[each.silence], f"{of_silent.headline(each)}.", " ".join(of_silent.sentences(each)))
        for each in silent.silences
    )
    notes = (of_silent.INTERRUPTED,) if silent.interrupted else ()
    return Sheet("Silent clients", ("clients", "what they do", "and what becomes of them"), rows, notes=notes)


def _plain(cell: str | Text) -> str:
    return in_words(cell) if isinstance(cell, Text) else cell


def _sentence(words: str) -> str:
    return words if words.endswith(".") else f"{words}."
