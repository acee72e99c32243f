"""How the options of servers that start as holdfast's own modules may be written."""

from __future__ import annotations

import pytest

from holdfast.inside.holdfast_inside import (
    eventlet_server,
    flask_server,
    gevent_server,
    options,
    tornado_server,
    wsgiref_server,
)
from holdfast.inside.holdfast_inside.load_error import LoadError


@pytest.mark.parametrize(
    ("arguments", "keywords"),
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
def test_options_are_those_of_app_run_however_they_are_written(arguments, keywords):
    assert options.parse(flask_server.SERVER, arguments.split(), flask_server.KNOWN) == keywords


@pytest.mark.parametrize(
    "arguments",
    ["--workers=3", "-p", "--", "processes", "--processes=0", "--processes -1", "--processes=many", "--threaded=maybe"],
)
def test_an_unknown_option_is_refused_and_the_known_ones_are_listed(arguments):
    with pytest.raises(LoadError, match="--processes N"):
        options.parse(flask_server.SERVER, arguments.split(), flask_server.KNOWN)


@pytest.mark.parametrize(
    ("server", "arguments", "keywords"),
    [
        (gevent_server, "--pool 4 --backlog=-1", {"spawn": 4, "backlog": -1}),
        (tornado_server, "processes=0 body_timeout=1.5", {"processes": 0, "body_timeout": 1.5}),
        (eventlet_server, "--max-size=10 --keepalive=no", {"max_size": 10, "keepalive": False}),
        (eventlet_server, "--no-keepalive", {"keepalive": False}),
        (wsgiref_server, "", {}),
    ],
)
def test_each_server_of_holdfasts_own_takes_the_options_it_documents(server, arguments, keywords):
    assert options.parse("it", arguments.split(), server.KNOWN) == keywords


def test_arguments_for_a_server_that_reads_them_itself_get_their_dashes():
    given = ["workers=2", "--fast", "access_log=1", "--header=a_b=c", "-d"]

    assert options.with_dashes(given) == ["--workers=2", "--fast", "--access-log=1", "--header=a_b=c", "-d"]
