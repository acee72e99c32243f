"""The ways in which the development server's options may be written."""

from __future__ import annotations

import pytest

from holdfast.inside.holdfast_inside.flask_server import run_options
from holdfast.inside.holdfast_inside.trouble import Trouble


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("", {}),
        ("--processes 4", {"processes": 4}),
        ("--processes=4", {"processes": 4}),
        ("processes=4", {"processes": 4}),
        ("--without-threads --processes 4", {"threaded": False, "processes": 4}),
        ("--threaded", {"threaded": True}),
        ("--with-threads", {"threaded": True}),
        ("--no-threaded", {"threaded": False}),
        ("--threaded=False", {"threaded": False}),
        ("--threaded=true", {"threaded": True}),
        ("threaded=False", {"threaded": False}),
        ("--no-threaded=False", {"threaded": True}),
        ("use_reloader=False --debug", {"use_reloader": False, "debug": True}),
    ],
)
def test_options_are_those_of_app_run_however_they_are_written(arguments, options):
    assert run_options(arguments.split()) == options


@pytest.mark.parametrize(
    "arguments",
    ["--workers=3", "-p", "--", "processes", "--processes=0", "--processes -1", "--processes=many", "--threaded=maybe"],
)
def test_what_is_no_option_is_refused_with_those_that_are(arguments):
    with pytest.raises(Trouble, match="--processes N"):
        run_options(arguments.split())
