"""Under which path a listening Unix socket is reached, whatever the kernel calls it."""

from __future__ import annotations

import os

import pytest

from holdfast.observe.processes import find_unix_listeners

LISTENS = """
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
os.chdir({directory!r})
listener.bind({name!r})
listener.listen(7)
{then}
print("listening", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def addresses(program, sock_diag_view, tmp_path):
    def found(name, then="", start="/"):
        server = program(LISTENS.format(directory=str(tmp_path), name=name, then=then))
        assert server.line() == "listening"
        return [each.address for each in find_unix_listeners([server.pid], sock_diag_view, start)]

    return found


def test_a_unix_socket_bound_by_an_absolute_path_is_reached_by_it(addresses, tmp_path):
    assert addresses(str(tmp_path / "s")) == [str(tmp_path / "s")]


def test_a_relative_path_is_looked_for_where_the_server_is(addresses, tmp_path):
    assert addresses("s") == [str(tmp_path / "s")]


def test_a_relative_path_of_a_server_that_has_left_is_looked_for_where_it_was_started(addresses, tmp_path):
    assert addresses("s", then="os.chdir('/')", start=str(tmp_path)) == [str(tmp_path / "s")]


def test_a_socket_that_was_renamed_is_found_by_its_file(addresses, tmp_path):
    # Sanic binds to a passing name and renames the file (sanic/server/socket.py, bind_unix_socket()).
    assert addresses("s.passing", then="os.rename('s.passing', 's')") == [str(tmp_path / "s")]


def test_a_socket_whose_file_is_gone_cannot_be_reached(addresses):
    assert addresses("s", then="os.unlink('s')") == []


def test_an_abstract_socket_is_called_by_its_name(addresses):
    name = f"holdfast-test-{os.getpid()}"

    assert addresses(f"\0{name}") == [f"@{name}"]


def test_of_two_with_one_name_the_one_whose_file_is_there_is_meant(addresses, tmp_path):
    again = "old = listener; os.unlink('s'); listener = socket.socket(socket.AF_UNIX); listener.bind('s')"

    assert addresses("s", then=f"{again}; listener.listen(3)") == [str(tmp_path / "s")]
