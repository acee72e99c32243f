"""The view of a load that several hosts share, at any size of a terminal, and its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.progress import HostProgress, SharedProgress
from holdfast.report.layout import cut_lines
from holdfast.report.live_hosts import hosts_line, hosts_view

ALPHA = HostProgress("alpha", 3000, 2990, 0, 250.04, None)
BETA = HostProgress("beta", 2000, 1500, 7, None, None)
LOST = HostProgress("gamma", 900, 800, 0, None, "its worker is gone")


def view(progress: SharedProgress, width: int = 80, height: int = 24) -> list[str]:
    return cut_lines(hosts_view(progress, "http://192.0.2.1/", width, height), width, styled=False)


def words(lines: list[str]) -> list[list[str]]:
    return [line.split() for line in lines if line.strip()]


def test_each_host_has_its_figures_and_a_lost_one_says_why() -> None:
    lines = words(view(SharedProgress(12.0, 60.0, 20_000, (ALPHA, BETA, LOST))))

    assert lines[1][:5] == ["12.0", "s", "of", "60", "s"]
    assert ["rate", "250/s", "begun"] in lines
    assert ["requests", "5,900", "begun", "5,290", "ended", "510", "in", "flight", "7", "not", "answered"] in lines
    assert ["hosts", "2", "of", "3", "1", "lost"] in lines
    assert lines[-4:] == [
        ["begun/s", "begun", "ended", "in", "flight", "unanswered"],
        ["gamma", "lost:", "its", "worker", "is", "gone"],
        ["alpha", "250", "3,000", "2,990", "10", "0"],
        ["beta", "-", "2,000", "1,500", "500", "7"],
    ]


@pytest.mark.parametrize(
    ("progress", "says"),
    [
        (SharedProgress(1.0, 60.0, None, (ALPHA,), "draining"), "draining: 10 in flight; press Ctrl-C again"),
        (SharedProgress(1.0, 60.0, None, (ALPHA,), "giving up"), "giving up 10 in flight"),
        (SharedProgress(61.0, 60.0, None, (ALPHA,)), "all have begun; waiting for 10 in flight"),
        (SharedProgress(1.0, None, 3000, (ALPHA,)), "all have begun; waiting for 10 in flight"),
    ],
)
def test_what_is_unusual_is_the_last_line(progress: SharedProgress, says: str) -> None:
    assert says in view(progress)[-1]


@given(st.integers(20, 200), st.integers(1, 60), st.integers(0, 40))
def test_a_view_fits_its_terminal(width: int, height: int, hosts: int) -> None:
    lines = view(SharedProgress(1.0, None, 5, (LOST, *[ALPHA] * hosts), "draining"), width, height)

    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert "draining" in lines[-1]


def test_the_line_names_some_hosts_and_how_many_more_there_are() -> None:
    few = SharedProgress(1.5, None, None, (ALPHA, LOST))

    assert hosts_line(few) == "    1.5 s: 3,900 begun, 3,790 ended (alpha 3,000, gamma lost)"
    assert hosts_line(SharedProgress(1.5, None, None, (ALPHA,) * 9)).endswith("alpha 3,000, and 3 more)")
