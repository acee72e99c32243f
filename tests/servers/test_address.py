"""Where a server's own arguments let it listen: all spellings, and nothing else touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import UsageError
from holdfast.servers.address import (
    address_in,
    by_address,
    by_endpoint,
    by_host_and_port,
    has_option,
    option_number,
    option_value,
)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (("--workers", "4"), "4"),
        (("--workers=4",), "4"),
        (("workers=4",), None),
        (("-w", "4"), "4"),
        (("-w4",), "4"),
        (("-w=4",), "4"),
        (("--workers", "4", "-w", "5"), "5"),
        (("--worker-class", "gevent"), None),
        (("--workers",), None),
        ((), None),
    ],
)
def test_an_option_is_found_in_every_spelling(arguments, value):
    assert option_value(arguments, "-w", "--workers") == value


def test_what_is_no_number_is_left_to_the_server_to_complain_of():
    assert option_number(("--threads", "many"), "--threads", default=4) == 4


@pytest.mark.parametrize(
    ("arguments", "filled", "address", "port"),
    [
        ((), (), "127.0.0.1", 8123),
        (("-w", "4"), ("-w", "4"), "127.0.0.1", 8123),
        (("--bind", ":0"), ("--bind", ":8123"), "127.0.0.1", 8123),
        (("--bind=[::1]:0",), ("--bind=[::1]:8123",), "::1", 8123),
        (("-b0.0.0.0:0",), ("-b0.0.0.0:8123",), "127.0.0.1", 8123),
        (("-b", "localhost:9000"), ("-b", "localhost:9000"), "127.0.0.1", 9000),
        (("-b", ":9000", "-b", ":8123"), ("-b", ":9000", "-b", ":8123"), "127.0.0.1", 8123),
        (("--forwarded", ":0", "-b", ":0"), ("--forwarded", ":0", "-b", ":8123"), "127.0.0.1", 8123),
    ],
)
def test_an_address_of_the_server_s_own_is_kept_and_its_port_0_replaced(arguments, filled, address, port):
    found = by_address(arguments, 8123, "--bind", "-b")

    assert (found.arguments, found.address, found.port) == (filled, address, port)
    assert found.added == (() if "b" in "".join(arguments) else ("--bind", "127.0.0.1:8123"))


@pytest.mark.parametrize("value", ["fd://3", "127.0.0.1", "", "unix:"])
def test_what_is_no_address_is_refused_with_a_remedy(value):
    with pytest.raises(UsageError, match="HOST:PORT") as refused:
        by_address(("--bind", value), 8123, "--bind")

    assert "127.0.0.1:0" in refused.value.remedy


@pytest.mark.parametrize(
    ("arguments", "added", "filled", "address", "port"),
    [
        ((), ("--host", "127.0.0.1", "--port", "8123"), (), "127.0.0.1", 8123),
        (("--port", "0"), ("--host", "127.0.0.1"), ("--port", "8123"), "127.0.0.1", 8123),
        (("--port=9000",), ("--host", "127.0.0.1"), ("--port=9000",), "127.0.0.1", 9000),
        (("--host", "::1"), ("--port", "8123"), ("--host", "::1"), "::1", 8123),
        (("-H", "0.0.0.0", "-p0"), (), ("-H", "0.0.0.0", "-p8123"), "127.0.0.1", 8123),
    ],
)
def test_host_and_port_of_the_server_s_own_are_kept(arguments, added, filled, address, port):
    found = by_host_and_port(arguments, 8123, ("--host", "-H"), ("--port", "-p"))

    assert (found.added, found.arguments, found.address, found.port) == (added, filled, address, port)


@pytest.mark.parametrize(
    ("endpoint", "filled", "address", "port"),
    [
        ("tcp:0", "tcp:8123", "127.0.0.1", 8123),
        ("tcp:port=0:interface=127.0.0.2", "tcp:port=8123:interface=127.0.0.2", "127.0.0.2", 8123),
        ("tcp:9000:interface=127.0.0.1:backlog=7", "tcp:9000:interface=127.0.0.1:backlog=7", "127.0.0.1", 9000),
        (r"tcp6:0:interface=\:\:1", r"tcp6:8123:interface=\:\:1", "::1", 8123),
        ("0", "8123", "127.0.0.1", 8123),
    ],
)
def test_an_endpoint_keeps_everything_but_its_port_0(endpoint, filled, address, port):
    found = by_endpoint(("--listen", endpoint), 8123, "--listen")

    assert (found.arguments, found.address, found.port) == (("--listen", filled), address, port)


def test_without_an_endpoint_a_loopback_one_is_added():
    assert by_endpoint((), 8123, "--listen").added == ("--listen", "tcp:8123:interface=127.0.0.1")


@pytest.mark.parametrize("endpoint", ["fd:fileno=3", "systemd:0", "ssl:x"])
def test_an_endpoint_that_is_neither_tcp_nor_a_unix_socket_is_refused(endpoint):
    with pytest.raises(UsageError, match="endpoint"):
        by_endpoint(("--listen", endpoint), 8123, "--listen")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("unix:/run/app.sock", "/run/app.sock"),
        ("unix:///run/app.sock", "/run/app.sock"),
        ("unix:app", "app"),
        ("/run/app", "/run/app"),
        ("run/app", "run/app"),
        ("app.sock", "app.sock"),
        ("@app", "@app"),
    ],
)
def test_a_unix_socket_is_a_path_without_a_port(value, path):
    assert address_in(value) == (path, 0)


def test_a_switch_is_found_and_what_only_begins_like_it_is_not():
    assert has_option(("--reload-dir", "x", "--reload"), "--reload") == "--reload"
    assert has_option(("--reload-dir", "x"), "--reload") is None


@given(st.lists(st.text(max_size=12), max_size=6), st.integers(1, 65535))
def test_whatever_the_arguments_are_they_stay_as_many_and_the_port_is_one(arguments, port):
    try:
        found = by_address(arguments, port, "--bind", "-b")
    except UsageError:
        return

    assert len(found.arguments) == len(arguments)
    assert found.port >= 0
