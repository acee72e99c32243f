"""What every test may rely on."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commandline import COMPILED, Holdfast, holdfast_in
from support.counting import Counting, counting_server

HERE = Path(__file__).parent

# Each starts real servers dozens of times: minutes together. Flask and uWSGI are held to more in every run.
OTHER_SERVERS = frozenset(
    HERE / name
    for name in (
        "attaching/test_attach_servers.py",
        "attaching/test_attach_streams.py",
        "explaining/test_overloaded_servers.py",
        "probing/test_exec_and_probe.py",
        "probing/test_exec_commands.py",
        "probing/test_untried_workers.py",
        "probing/test_streams_of_servers.py",
        "probing/test_way_to_view.py",
        "inside/test_inside_asgi.py",
        "inside/test_inside_bridges.py",
        "inside/test_inside_django.py",
        "inside/test_inside_fastapi.py",
        "inside/test_inside_litestar.py",
        "inside/test_inside_natives.py",
        "inside/test_inside_quart.py",
        "inside/test_inside_servers.py",
        "test_testing.py",
        "probing/test_readiness.py",
        "servers/test_rsgi.py",
    )
)


def pytest_configure() -> None:
    """Lets every process that a test starts find compiled what it imports, and hear Ctrl-C.

    A shell starts what it runs in its background with SIGINT ignored, and a process passes that on.
    """
    os.environ.update(COMPILED)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what is run by `make test-servers` only."""
    for item in items:
        if item.path in OTHER_SERVERS:
            item.add_marker(pytest.mark.servers)


def pytest_runtest_setup() -> None:
    # From Python 3.15 on, os.fork() counts the thread that would show where a test hangs, and warns of it.
    if sys.version_info >= (3, 15):
        faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def holdfast(tmp_path: Path) -> Iterator[Holdfast]:
    """Starts command lines in a directory of the test; when it ends nothing of them may be left."""
    with holdfast_in(tmp_path) as command_line:
        yield command_line


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Holdfast]:
    """The same for all tests of a file, which run their command lines together."""
    with holdfast_in(tmp_path_factory.mktemp("workshop")) as command_line:
        yield command_line


@pytest.fixture(params=["tcp"])
def counting(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Counting]:
    """A server that counts what it gets; parametrised indirectly with "unix" it listens on a Unix socket."""
    where = [str(tmp_path / "counting.sock")] if request.param == "unix" else []
    with counting_server(*where) as server:
        yield server
