"""The time-outs that adapters say their servers have: the defaults of the installed ones, and what arguments change."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from holdfast.model.silent import Timeout
from holdfast.servers.registry import ADAPTERS
from holdfast.servers.timeouts import in_force

# Server, its time-out, an attribute or a parameter's default of the installed server, and what a second counts there.
DEFAULTS = (
    ("gunicorn", "timeout", "gunicorn.config:Timeout.default", None, 1),
    ("hypercorn", "keep_alive_timeout", "hypercorn.config:Config.keep_alive_timeout", None, 1),
    ("hypercorn", "read_timeout", "hypercorn.config:Config.read_timeout", None, 1),
    ("waitress", "channel_timeout", "waitress.adjustments:Adjustments.channel_timeout", None, 1),
    ("cheroot", "timeout", "cheroot.server:HTTPServer.timeout", None, 1),
    ("uvicorn", "timeout_keep_alive", "uvicorn.config:Config", "timeout_keep_alive", 1),
    ("granian", "http1_header_read_timeout", "granian.http:HTTP1Settings.header_read_timeout", None, 1000),
    ("aiohttp", "keepalive_timeout", "aiohttp.web:run_app", "keepalive_timeout", 1),
    ("eventlet", "socket_timeout", "eventlet.wsgi:server", "socket_timeout", 1),
    ("twisted", "timeOut", "twisted.web.http:_REQUEST_TIMEOUT", None, 1),
    ("daphne", "timeOut", "twisted.web.http:_REQUEST_TIMEOUT", None, 1),
    ("h2corn", "timeout_handshake", "h2corn:Config", "timeout_handshake", 1),
    ("h2corn", "timeout_request_header", "h2corn:Config", "timeout_request_header", 1),
    ("h2corn", "timeout_keep_alive", "h2corn:Config", "timeout_keep_alive", 1),
    ("fastpysgi", "next_req_timeout", "fastpysgi:server.next_req_timeout", None, 1000),
    ("fastpysgi", "read_req_timeout", "fastpysgi:server.read_req_timeout", None, 1000),
)

# In a process of its own: some servers change the process that imports them.
LOOK = """
import importlib, inspect, json, sys
from functools import reduce
found = []
for path, parameter in json.load(sys.stdin):
    module, _, names = path.partition(":")
    value = reduce(getattr, names.split("."), importlib.import_module(module))
    found.append(inspect.signature(value).parameters[parameter].default if parameter else value)
print(json.dumps(found))
"""


def timeout_of(server: str, name: str, *arguments: str) -> Timeout:
    return next(each for each in ADAPTERS[server].timeouts(arguments) if each.name == name)


@pytest.mark.servers
def test_the_defaults_are_those_of_the_installed_servers() -> None:
    asked = json.dumps([(path, parameter) for _, _, path, parameter, _ in DEFAULTS])
    done = subprocess.run([sys.executable, "-c", LOOK], input=asked, capture_output=True, text=True, check=True)
    found = dict(zip(DEFAULTS, json.loads(done.stdout), strict=True))

    said = {row: timeout_of(row[0], row[1]).seconds for row in DEFAULTS}
    assert said == {row: value / row[4] if value else None for row, value in found.items()}


def test_arguments_change_a_time_out() -> None:
    assert timeout_of("gunicorn", "timeout").seconds == 30
    assert timeout_of("gunicorn", "timeout", "-t", "5").seconds == 5
    assert timeout_of("gunicorn", "timeout", "--timeout=0").seconds is None
    assert timeout_of("granian", "http1_header_read_timeout", "--http1-header-read-timeout", "1500").seconds == 1.5


def test_what_is_no_number_leaves_a_time_out_as_it_is() -> None:
    assert in_force(Timeout("x", 5, ("idle",), options=("--x",)), ["--x", "soon"]).seconds == 5


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((), {"timeout"}),
        (("--threads", "4"), {"DEFAULT_WORKER_DATA_TIMEOUT", "keepalive"}),
        (("-k", "gthread"), {"DEFAULT_WORKER_DATA_TIMEOUT", "keepalive"}),
        (("-k", "gevent"), {"keepalive"}),
        (("-k", "tornado"), set()),
    ],
)
def test_a_worker_class_has_time_outs_of_its_own(arguments: tuple[str, ...], names: set[str]) -> None:
    assert {each.name for each in ADAPTERS["gunicorn"].timeouts(arguments)} == names


def test_uwsgi_behind_its_router_has_the_time_out_of_that() -> None:
    assert [each.name for each in ADAPTERS["uwsgi"].timeouts(("--http", ":0"))] == ["http-timeout"]
    assert [each.name for each in ADAPTERS["uwsgi"].timeouts(("--http-socket", ":0"))] == ["socket-timeout"]
