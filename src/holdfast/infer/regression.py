"""A difference from a baseline -> what of it is worse, changed or better; pure.

The difference already says what is no more than noise. Of what is more, only what the run itself found can fail a
check: what was asked for, versions and limits are told, since they are changed on purpose, and so are the times that
holdfast itself took. A measured figure of which less is better, or more, is worse or better. What has no such direction
(what a client sees, a process model) has changed, and so has a ceiling that is higher: it is counted, so it is another
server now, and a baseline that is meant to change is written anew.
"""

from __future__ import annotations

import re

from holdfast.model.check import Against, BaselineCheck, Moved
from holdfast.model.difference import Difference, FieldDifference

_LESS_IS_BETTER = re.compile(
    r"(.*\.)?(latency_from_(due|sent)_ms\.\w+|cost\.\w+(\.\w+)?|outcomes\.(?!answered)[\w-]+|call\.(.*_ms(\.\w+)?|raised))"
)
_MORE_IS_BETTER = re.compile(r"(.*\.)?(throughput_per_s|rate_reached_per_s|rate_per_s|outcomes\.answered)")
_LESS_IS_WORSE = re.compile(r"(.*\.)?(ceiling\.in_service|http2\.(on_one_connection|over_connections)|reached)")
_OF_HOLDFAST = re.compile(r"(.*\.)?(timing\.\w+|seconds|duration_s)")


def against_baseline(difference: Difference) -> BaselineCheck:
    """What is not as in the baseline, which is the first of the two results."""
    judged = [(each, _against(each)) for each in difference.fields]
    moved = tuple(
        Moved(each.field, against, each.before, each.after, each.why) for each, against in judged if against is not None
    )
    return BaselineCheck(difference.before.name, moved, difference.same, len(judged) - len(moved))


def _against(field: FieldDifference) -> Against | None:
    """None is noise."""
    if field.meaning != "change":
        return "not compared" if field.meaning == "unknown" else None
    if field.part != "verdict" or _OF_HOLDFAST.fullmatch(field.field):
        return "elsewhere"
    before, after = field.before, field.after
    if isinstance(before, int | float) and isinstance(after, int | float):
        if _LESS_IS_BETTER.fullmatch(field.field):
            return "worse" if after > before else "better"
        if _MORE_IS_BETTER.fullmatch(field.field):
            return "worse" if after < before else "better"
        if _LESS_IS_WORSE.fullmatch(field.field) and after < before:
            return "worse"
    return "changed"
