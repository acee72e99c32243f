"""How an explanation and a study are drawn while they run."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.live import LivePhase, LivePlaces, LiveProbe, LiveWorker
from holdfast.model.live_study import LiveExplanation, LiveRow, LiveStudy
from holdfast.model.places import Place
from holdfast.model.trial import Change, Trial
from holdfast.report.layout import cells, cut_lines
from holdfast.report.live_explain import explanation_view
from holdfast.report.live_study import study_view

RAMP = LiveProbe(
    LivePhase.RAMP,
    1.5,
    places=LivePlaces(3, 410, {Place.IN_SERVICE: 2, Place.ACCEPT_QUEUE: 1}),
    workers=(LiveWorker(7, (1, 1)),),
)
AS_ASKED = Trial(41, "", (), (), 5000, in_service=252, bounded=True)
RAISED = Trial(
    42, "nofile raised", (Change("nofile", 319),), (), 400, in_service=300, bounded=False, processes=1, seconds=2.0
)
FAILED = Trial(None, "threads lowered", (Change("threads", 1),), (), 400, failure="It did not start.")
EXPLANATION = LiveExplanation(
    elapsed_s=15.0,
    probe=RAMP,
    number=4,
    most=12,
    purpose="nofile lowered",
    changes=(Change("nofile", 193),),
    trials=(AS_ASKED, RAISED, FAILED),
    left=("nofile", "threads"),
    within_s=45.0,
)


def explained(explanation: LiveExplanation, width: int = 60, height: int = 24) -> list[str]:
    return cut_lines(explanation_view(explanation, "flask", width, height), width, styled=False)


def studied(study: LiveStudy, width: int = 60, height: int = 24) -> list[str]:
    return cut_lines(study_view(study, "cases.toml", width, height), width, styled=False)


def test_an_explanation_shows_its_trial_what_was_seen_what_is_left_and_the_time():
    assert explained(EXPLANATION) == [
        "flask",
        # A quarter of the minute is over.
        "  trial 4 of at most 12  15.0 s  at most 45 s more  ━━─────",
        "",
        # The longest of the three takes 27 columns.
        "   1  as asked                     252 at once",
        "   2  nofile raised (nofile=319)   300 or more",
        "   3  threads lowered (threads=1)  no verdict",
        "   4  nofile lowered (nofile=193)",
        "",
        "  may decide  nofile  threads",
        "",
        "  ramp  1.5 s",
        "  more and more requests, until no queue takes another",
        "",
        "  offered     3 of at most 410",
        "  ██▒",
        "  █ 2 in service  ▒ 1 accept queue",
        "",
        "  workers     1 process  2 threads  2 held",
        "  ■■",
    ]


def test_what_decides_is_said_as_soon_as_it_is_shown():
    shown = explained(
        LiveExplanation(1.0, RAMP, 5, trials=(AS_ASKED,), left=("nofile", "threads"), decides=("nofile",))
    )

    assert "  decides     nofile" in shown
    assert not any("may decide" in line for line in shown)


def test_where_no_setting_is_left_that_is_said():
    assert "  may decide  no setting that can be changed" in explained(LiveExplanation(1.0, RAMP, 5, left=()))


def test_only_the_latest_trials_are_shown():
    shown = explained(LiveExplanation(1.0, RAMP, 12, trials=(RAISED,) * 11))

    assert shown[3:5] == ["  5 earlier trials", "   6  nofile raised (nofile=319)  300 or more"]
    assert "  12  as asked" in shown


ROWS = (
    LiveRow("flask", 5000, bounded=False),
    LiveRow("four workers: gunicorn -w 4 --threads 8", 32, bounded=True),
    LiveRow("uwsgi", None, None, "not installed"),
)


def test_a_study_shows_its_row_the_rows_before_it_and_the_time_that_is_left():
    study = LiveStudy(10.0, LiveProbe(LivePhase.STARTING, 0.5), "waitress", ROWS, 12, left_s=30.0)

    assert studied(study) == [
        "study cases.toml",
        # 3 of 12 rows are over, and 7.5 of 30 cells are full.
        "  row 4 of 12  10 s  about 30 s more  ━━━━━────────────────",
        "",
        "   1  flask                                   5,000 or more",
        "   2  four workers: gunicorn -w 4 --threads…  32 at once",
        "   3  uwsgi                                   not installed",
        "   4  waitress",
        "",
        "  starting the server  0.5 s",
    ]


def test_a_long_study_says_minutes():
    study = LiveStudy(150.0, LiveProbe(LivePhase.STARTING, 0.5), "flask", ROWS, 60, left_s=600.0)

    assert studied(study)[1].startswith("  row 4 of 60  2 min  about 10 min more")


def test_a_row_that_is_explained_shows_its_trial():
    shown = studied(LiveStudy(10.0, EXPLANATION, "flask", (), 2), height=40)

    assert [line for line in shown if "trial 4 of at most 12" in line]
    assert "  may decide  nofile  threads" in shown


def test_of_many_rows_the_latest_are_shown_and_the_others_counted():
    shown = studied(LiveStudy(10.0, LiveProbe(LivePhase.RAMP, 0.5), "flask", ROWS * 20, 61), height=12)

    assert shown[3].strip() == "57 earlier rows"
    assert [line[:5] for line in shown[4:8]] == ["  58 ", "  59 ", "  60 ", "  61 "]
    assert len(shown) <= 12


names = st.text(max_size=200)
rows = st.lists(st.builds(LiveRow, names, st.none() | st.integers(0, 10_000), st.booleans(), names), max_size=40)


@settings(deadline=None)
@given(names, rows, st.sampled_from([20, 60, 80, 120]), st.integers(1, 50))
def test_every_line_of_a_study_fits_whatever_its_rows_are_called(title, some, width, height):
    study = LiveStudy(10.0, EXPLANATION, title, tuple(some), len(some) + 1)

    lines = studied(study, width, height)

    assert len(lines) <= height
    assert all(cells(line) <= width and "\n" not in line for line in lines)


@settings(deadline=None)
@given(st.lists(names, max_size=20), st.lists(st.sampled_from([AS_ASKED, RAISED, FAILED]), max_size=12))
def test_every_line_of_an_explanation_fits_whatever_its_settings_are_called(left, trials):
    explanation = LiveExplanation(1.0, RAMP, len(trials) + 1, trials=tuple(trials), left=tuple(left))

    for width in (60, 80, 120):
        assert all(cells(line) <= width and "\n" not in line for line in explained(explanation, width, 100))
