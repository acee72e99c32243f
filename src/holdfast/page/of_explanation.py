"""The page of an explanation: what decides, by which law, and the runs that show it."""

from __future__ import annotations

import shlex
from dataclasses import replace

from holdfast.model.explanation import Explanation
from holdfast.model.outside import OutsideTimeline
from holdfast.model.timeline import Timeline
from holdfast.page.charts import settings_data
from holdfast.page.document import Document, Sheet
from holdfast.page.of_verdict import document_of
from holdfast.page.words import in_words
from holdfast.picture.settings import setting_charts
from holdfast.report.command import command_of
from holdfast.report.explain import headline, sentences, trial_table


def document_of_explanation(explanation: Explanation, first: Timeline | OutsideTimeline) -> Document:
    """The page of one explanation; its charts over time are those of the first trial.

    Args:
        first: the record of that trial.
    """
    of_first = document_of(first, explanation.verdict)
    heads, rows = trial_table(explanation)
    return replace(
        of_first,
        kind="explain",
        headline=in_words(headline(explanation)),
        sentences=(*sentences(explanation), *of_first.sentences),
        sheets=(Sheet("Runs", heads, rows, frozenset(range(len(heads) - 1))),),
        command=shlex.join(command_of(first.experiment, "explain")),
        data={**of_first.data, "settings": settings_data(setting_charts(explanation.rivals, explanation.trials))},
    )
