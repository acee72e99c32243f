"""Saved runs: the raw timeline of each, written before any conclusion is drawn from it.

One SQLite file. Verdicts are made again from the timelines, so a saved run profits from better inference later. The
rows of a load are in a table of their own, a part at a time. What was concluded when a run was saved is kept beside
its record, as text, for those who read the file with another program (`tables`).
"""

from __future__ import annotations

from holdfast.runs_file import default_path
from holdfast.store.reading import (
    EventParts,
    form_of,
    kept_result,
    load,
    load_capacity,
    load_explanation,
    load_parts,
    load_study,
    saved_runs,
    unreadable,
)
from holdfast.store.results import concluded, keep_capacity, keep_explanation, keep_load, keep_study
from holdfast.store.saving import (
    FurtherRows,
    LoadRows,
    add_to_load,
    begin_load,
    save,
    save_capacity,
    save_explanation,
    save_load,
    save_or_tell,
    save_study,
)

__all__ = [
    "EventParts",
    "FurtherRows",
    "LoadRows",
    "add_to_load",
    "begin_load",
    "concluded",
    "default_path",
    "form_of",
    "keep_capacity",
    "keep_explanation",
    "keep_load",
    "keep_study",
    "kept_result",
    "load",
    "load_capacity",
    "load_explanation",
    "load_parts",
    "load_study",
    "save",
    "save_capacity",
    "save_explanation",
    "save_load",
    "save_or_tell",
    "save_study",
    "saved_runs",
    "unreadable",
]
