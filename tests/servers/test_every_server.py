"""Every server is started by its adapter, on an address of its own, probed a little and ended without a trace."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from holdfast.servers.registry import ADAPTERS
from holdfast.servers.survey import survey
from holdfast.testing import check_adapter

OWN_ADDRESSES = {
    "aiohttp": ("--host", "127.0.0.1", "--port", "0"),
    "bjoern": ("--port", "0"),
    "cheroot": ("--bind", "[::1]:0"),
    "daphne": ("-e", "tcp:0:interface=127.0.0.1"),
    "django": ("--ipv6",),
    "eventlet": ("--port=0",),
    "fastpysgi": ("--host=127.0.0.1", "--port", "0"),
    "flask": ("--host", "::1"),
    "gevent": ("--host", "127.0.0.1"),
    "granian": ("--host", "::1", "--port", "0"),
    "gunicorn": ("-b", "[::1]:0", "--threads", "2"),
    "h2corn": ("--bind", "[::1]:0"),
    "hypercorn": ("--bind", "localhost:0"),
    "mod_wsgi": ("--host", "127.0.0.1", "--port", "0"),
    "pyvoy": ("--interface", "wsgi", "--port", "0"),
    "sanic": ("-H", "127.0.0.1", "-p", "0", "--single-process"),
    "tornado": ("--port", "0", "--processes", "2"),
    "twisted": ("--listen", "tcp:0"),
    "uvicorn": ("--host=::1", "--port=0"),
    "uwsgi": ("--http-socket", ":0", "--threads", "2"),
    "waitress": ("--host", "127.0.0.1", "--port", "0"),
    "werkzeug": ("--threaded", "--port=0"),
    "wsgiref": ("--port", "0"),
}


@pytest.fixture(scope="module")
def missing() -> dict[str, str]:
    """The command that installs it, of each server that is not installed here."""
    found = survey(ADAPTERS, {}, sys.executable, Path.cwd())
    return {each.name: each.install for each in found.servers if each.install is not None}


def test_every_registered_server_is_started_by_these_tests():
    assert set(OWN_ADDRESSES) == set(ADAPTERS)


@pytest.mark.conformance
@pytest.mark.parametrize("server", OWN_ADDRESSES)
def test_a_server_starts_on_an_address_of_its_own_answers_and_leaves_nothing(server, missing):
    if server in missing:
        pytest.skip(f"{server} is not installed: {missing[server]}")

    verdict = check_adapter(ADAPTERS[server], OWN_ADDRESSES[server])

    assert verdict.ceiling.in_service is not None
    assert verdict.model.kind is not None
