"""How a server under overload is shown: a line for each level, within eighty columns."""

from __future__ import annotations

from holdfast.model.overload import Clients, Health, InVain, Overload, OverloadLevel, Recovery, Wait
from holdfast.report.layout import rendered
from holdfast.report.overload import render_overload

WIDTH = 80


def level(factor, **seen):
    """A level at which all went as badly as numbers can be wide."""
    found = {
        "clients": Clients(6000, 300, 1200, 1000, 100, 100, 50, 3000, 250, 0),
        "wait": Wait(0.733, 10.25, p50_at_least=True, p99_at_least=True),
        "in_vain": InVain(3250, 2000, 1000, 0, 250, 0.875),
        "recovery": Recovery(None, None, 12.25, "the server was still busy after 12.2 s"),
        "health": Health(12, 10, 0, 0, 2, 0.2, 0.999),
        "most_in_service": 40,
    }
    return OverloadLevel(factor, 40.0 * factor, **(found | seen))


def overload(*levels):
    return Overload(40, 40, 1.0, 1.0, 1.001, 40.0, 3.0, 2.0, "", 1.0, levels, ("What it means.",), ("A note.",), False)


def test_each_level_has_a_line_that_fits_a_terminal():
    good = level(0.5, clients=Clients(30, 30, 0, 0, 0, 0, 0, 0, 0, 0), wait=Wait(0.002, 0.019))
    text = rendered(render_overload(overload(good, level(2.0))), WIDTH, styled=False)
    lines = text.splitlines()

    assert lines[0] == "Overload  40/s = ceiling 40 / 1.0 s (held)"
    assert lines[1] == "  What it means."
    title, first, second = (each.split() for each in lines[3:6])
    assert title == ["load", "in", "time", "late", "away", "left", "wait", "p99", "vain", "idle", "usual", "health"]
    assert first[:7] == ["0.5x", "100%", "0", "0", "0", "0.002", "0.019"]
    assert second == ["2x", "5%", "1200", "1250", "3250", ">0.733", ">10.2", "88%", ">12.2", "?", "10/12", "0.999"]
    assert max(map(len, lines)) <= WIDTH
    assert "…" not in text
    assert "! A note." in text


def test_a_level_without_figures_has_the_reason_below_the_table():
    text = rendered(render_overload(overload(OverloadLevel(1.5, 60.0, why_not="the reason"))), WIDTH, styled=False)

    assert "\n1.5x" in text
    assert "\n  ! 1.5x: the reason\n" in text
