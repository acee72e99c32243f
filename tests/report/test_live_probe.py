"""How a probe is drawn while it runs: the figures in it are those that were seen, and no line is too long."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdfast.model.live import LivePhase, LivePlaces, LiveProbe, LiveWorker
from holdfast.model.places import Place
from holdfast.report.lanes import LANES
from holdfast.report.layout import Text, cells, cut_lines
from holdfast.report.live_probe import probe_view
from holdfast.report.live_rows import cells_of

WIDTHS = (60, 80, 120)
FULL = LiveProbe(
    LivePhase.EXACT_LOAD,
    3.25,
    places=LivePlaces(64, 320, {Place.IN_SERVICE: 17, Place.USERSPACE_QUEUE: 11, Place.ANSWERED: 36}),
    workers=(LiveWorker(7, (1, 0, 1, 0)), LiveWorker(8, (1,) * 15)),
)


def shown(probe: LiveProbe, width: int = 80, height: int = 24) -> list[str]:
    return cut_lines(probe_view(probe, "gunicorn -w 2", width, height), width, styled=False)


def test_a_view_says_what_is_done_where_the_requests_are_and_who_holds_them():
    assert shown(FULL, 60) == [
        "gunicorn -w 2",
        "  exact load  3.2 s",
        "  as many requests as there are places, together",
        "",
        "  offered     64 of at most 320",
        # 56 cells: 17, 11 and 36 of 64 are 14.9, 9.6 and 31.5 of them.
        "  " + "█" * 15 + "▓" * 10 + "·" * 31,
        "  █ 17 in service  ▓ 11 server's own queue  · 36 answered",
        "",
        "  workers     2 processes  19 threads  17 held",
        "  ■■□□ ■■■■■■■■■■■■■■■",
    ]


def test_what_is_waited_for_while_a_server_starts_is_said_with_its_limit():
    probe = LiveProbe(LivePhase.STARTING, 2.0, within_s=28.0, detail="waiting for the server to listen on port 80.")

    assert shown(probe)[1:] == [
        "  starting the server  2.0 s  at most 28 s more",
        "  waiting for the server to listen on port 80.",
    ]


def test_a_thread_that_holds_many_requests_says_how_many():
    probe = LiveProbe(LivePhase.RAMP, 1.0, workers=(LiveWorker(7, (1200,)), LiveWorker(8, (3, 1))))

    assert shown(probe)[-1] == "  ■1,200  ■3 ■"


def test_what_another_ctrl_c_does_is_said_however_little_room_there_is():
    probe = LiveProbe(**{name: getattr(FULL, name) for name in ("phase", "elapsed_s", "places")}, asked_to_end=True)

    assert shown(probe)[-1] == "  ending; press Ctrl-C again to leave at once"
    assert shown(probe, height=2) == ["gunicorn -w 2", "  ending; press Ctrl-C again to leave at once"]


def test_a_title_from_outside_controls_no_terminal():
    (title, *_) = probe_view(FULL, "flask \x1b[2J", 80, 24)

    assert cut_lines([title], 80, styled=False) == [r"flask \x1b[2J"]


place_counts = st.dictionaries(st.sampled_from(list(Place)), st.integers(0, 20_000), max_size=len(Place))
process_holds = st.lists(st.integers(0, 3), min_size=1, max_size=150)
some_workers = st.lists(process_holds, max_size=6).map(
    lambda processes: tuple(LiveWorker(pid, tuple(holds)) for pid, holds in enumerate(processes, 1))
)


@settings(deadline=None)
@given(place_counts, st.integers(len(LANES), 200))
def test_the_cells_of_a_bar_add_up_and_keep_the_order_of_what_they_count(counts, width):
    bar = cells_of(counts, width)

    assert sum(bar.values()) == min(width, sum(counts.values()))
    assert bar.keys() == {place for place, number in counts.items() if number}
    assert all(bar.values())
    by_number = sorted(bar, key=lambda place: (counts[place], bar[place]))
    assert [bar[place] for place in by_number] == sorted(bar.values())


@settings(deadline=None)
@given(place_counts, some_workers, st.sampled_from([20, *WIDTHS]), st.integers(1, 40))
@example({Place.IN_SERVICE: 10, Place.ANSWERED: 1, Place.REJECTED: 10, Place.CLOSED: 100}, (), 60, 40)
def test_every_line_fits_and_cells_and_counts_add_up(counts, workers, width, height):
    places = LivePlaces(sum(counts.values()), 20_000, counts)
    probe = LiveProbe(LivePhase.RAMP, 1.0, places=places, workers=workers)

    lines = shown(probe, width, height)

    assert len(lines) <= height
    assert all(cells(line) <= width for line in lines)
    if height < 40 or width < min(WIDTHS):
        return
    text = "\n".join(lines)
    for place, number in counts.items():
        label, _, fill = LANES[place]
        assert (f"{fill} {number:,} {label}" in text) is (number > 0)
    left = re.search(r"  ([\d,]+) more$", text)
    more = int(left[1].replace(",", "")) if left else 0
    threads = [holds for worker in workers for holds in worker.holds]
    assert text.count("■") + text.count("□") + more == len(threads)
    assert more or text.count("■") == sum(holds > 0 for holds in threads)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_view_is_drawn_in_the_colours_of_the_verdict(width):
    bar = next(line for line in cut_lines(probe_view(FULL, "", width, 24), width, styled=True) if line.count("█") > 1)

    assert re.findall(r"\x1b\[(\d+)m([█▓·])", bar) == [("32", "█"), ("33", "▓"), ("36", "·")]


def test_a_line_that_is_cut_ends_so_that_this_is_seen():
    assert cut_lines([Text("x" * 70)], 60, styled=False) == ["x" * 59 + "…"]
