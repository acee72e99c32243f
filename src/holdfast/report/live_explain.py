"""An explanation while it runs, for a terminal: the trial, what was seen so far, and what may still decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.model.live_study import LiveExplanation
from holdfast.model.trial import Change, Trial
from holdfast.report.layout import Text
from holdfast.report.live_probe import cut_to_fit, probe_lines
from holdfast.report.live_rows import INDENT, row, with_meter

_FEW = 6
"""Trials that are shown, the latest ones."""


def explanation_view(explanation: LiveExplanation, title: str, width: int, height: int) -> list[Text]:
    """The lines of the view, no more than `height`; each is to be cut off at `width`.

    Args:
        title: what is explained.
    """
    lines = [Text(title, style="bold"), *explanation_lines(explanation, width)]
    return cut_to_fit(lines, height, asked_to_end=explanation.probe.asked_to_end)


def explanation_lines(explanation: LiveExplanation, width: int) -> Iterator[Text]:
    """The lines of an explanation without its title; each is to be cut off at `width`."""
    yield _time(explanation, width)
    yield Text()
    if len(explanation.trials) > _FEW:
        yield Text(f"{'':<{INDENT}}{len(explanation.trials) - _FEW} earlier trials", style="dim")
    shown = explanation.trials[-_FEW:]
    names = [Text(_varied(each.purpose, each.changes)) for each in shown]
    wide = min(max(map(len, names), default=0), width // 2 + INDENT)
    for number, (name, trial) in enumerate(zip(names, shown, strict=True), len(explanation.trials) - len(shown) + 1):
        cut = name.cut(wide)
        line = Text(f"{number:>{INDENT + 2}}  ", style="dim").append_text(Text(style="not dim").append_text(cut))
        yield line.append(" " * (wide - len(cut) + 2)).append_text(Text(style="not dim").append_text(_at_once(trial)))
    yield Text(f"{explanation.number:>{INDENT + 2}}  ", style="bold").append(
        _varied(explanation.purpose, explanation.changes)
    )
    if explanation.left is not None:
        yield Text()
        yield from _settings(explanation.left, explanation.decides, width)
    yield Text()
    yield from probe_lines(explanation.probe, width)


def _time(explanation: LiveExplanation, width: int) -> Text:
    most = "" if explanation.most is None else f" of at most {explanation.most}"
    line = Text(" " * INDENT).append(f"trial {explanation.number}{most}", "bold cyan")
    line.append(f"  {explanation.elapsed_s:.1f} s")
    if explanation.within_s is None:
        return line
    line.append(f"  at most {explanation.within_s:.0f} s more", "dim")
    whole = explanation.elapsed_s + explanation.within_s
    return with_meter(line, explanation.elapsed_s / whole if whole else None, width)


def _varied(purpose: str, changes: Sequence[Change]) -> str:
    said = ", ".join(f"{each.name}={each.value}" for each in changes)
    return f"{purpose or 'as asked'}{f' ({said})' if said else ''}"


def _at_once(trial: Trial) -> Text:
    if trial.in_service is None:
        return Text("no verdict", style="yellow")
    return Text.assemble((f"{trial.in_service:,}", "bold"), (" at once" if trial.bounded else " or more", ""))


def _settings(left: Sequence[str], decides: Sequence[str], width: int) -> Iterator[Text]:
    if decides:
        return row("decides", [Text(name, style="not dim bold green") for name in decides], width)
    none = [Text("no setting that can be changed", style="not dim yellow")]
    return row("may decide", [Text(name, style="not dim") for name in left] or none, width)
