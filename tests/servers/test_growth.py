"""Settings with which a server adds workers under load, as its documentation names them."""

from __future__ import annotations

import pytest

from holdfast.model.units import NS_PER_S as S
from holdfast.servers.growth import FIXED, growth_of, growth_setting


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        (("/venv/bin/uwsgi", "--http-socket", ":0", "--cheaper", "2"), "cheaper"),
        (("uwsgi", "--cheaper=2"), "cheaper"),
        (("sh", "-c", "exec uwsgi --cheaper 2"), "cheaper"),
        (("uwsgi", "--ini", "own.ini"), "cheaper"),
        (("uwsgi", "--ini=own.ini"), "cheaper"),
        (("uwsgi", "own.ini"), "cheaper"),
        (("uwsgi", "--ini", "fixed.ini"), ""),
        (("uwsgi", "--ini", "absent.ini"), ""),
        (("uwsgi", "--processes", "8"), ""),
        (("gunicorn", "--cheaper", "2"), ""),
    ],
)
def test_a_growing_pool_is_known_by_its_setting(tmp_path, command, setting):
    (tmp_path / "own.ini").write_text("[uwsgi]\nprocesses = 8\ncheaper = 2\n")
    (tmp_path / "fixed.ini").write_text("[uwsgi]\nprocesses = 8\n# cheaper = 2\n")

    assert growth_setting(command, {}, tmp_path) == setting


def test_it_may_come_from_the_environment(tmp_path):
    assert growth_setting(("uwsgi",), {"UWSGI_CHEAPER": "2"}, tmp_path) == "cheaper"


CHEAPER = ("uwsgi", "--processes", "8", "--cheaper", "2")
FIXED_POOL = ("gunicorn", "-w", "2")


def test_a_pool_of_fixed_size_is_not_watched_for_growth(tmp_path):
    assert growth_of([FIXED_POOL], {}, tmp_path, fixed=True) == FIXED


def test_a_pool_that_grows_by_a_setting_is_watched_for_longer_than_a_step_takes(tmp_path):
    growth = growth_of([("sh", "start.sh"), CHEAPER], {}, tmp_path, fixed=True)

    assert growth.by == "cheaper"
    # A worker for each 3 cycles of a second in which all were busy (cheaper-overload), and the time to start it.
    assert growth.look_ns > 4 * S
    assert growth.most_ns > 6 * 4 * S


@pytest.mark.parametrize(
    ("programs", "fixed"),
    [([("/usr/sbin/apache2", "-k", "start")], True), ([("python", "own_server.py")], False)],
)
def test_what_may_start_a_worker_each_second_is_watched_for_longer_than_that(tmp_path, programs, fixed):
    growth = growth_of(programs, {}, tmp_path, fixed=fixed)

    # Apache's SCOREBOARD_MAINTENANCE_INTERVAL.
    assert growth.look_ns > S
    # Whether it will grow is not known, so the number is a bound if it does not.
    assert growth.by == ""
