"""Settings with which a server adds workers under load, as its documentation names them."""

from __future__ import annotations

import pytest

from holdfast.servers.growth import growth_setting


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
