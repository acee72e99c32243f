"""Silent connections against sockets that do to them what servers do."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.engine.silent_connections import SilentConnections
from holdfast.model.silent import SilentConnection

WITHIN_S = 10.0
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
RST = struct.pack("ii", 1, 0)


@contextmanager
def served(serve: Callable[[socket.socket], None]) -> Iterator[SilentConnections]:
    """Silent connections to a socket that treats each of its connections like this, and then closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    accepted, _ = listener.accept()
                except OSError:
                    return
                with accepted:
                    serve(accepted)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            with SilentConnections(*listener.getsockname()) as silent:
                yield silent
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def look_until(silent: SilentConnections, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not reached():
        assert time.monotonic() < deadline
        silent.look(0.01)


def until_gone(accepted: socket.socket) -> None:
    # A client that closes with something unread resets (tcp(7)).
    with contextlib.suppress(ConnectionResetError):
        while accepted.recv(65536):
            pass


def end_of_one(serve: Callable[[socket.socket], None], sent: bytes, *, answered: bool = False) -> SilentConnection:
    with served(serve) as silent:
        number = silent.open(sent, answered=answered)
        look_until(silent, lambda: not silent.is_open(number))
        (connection,) = silent.connections()
    return connection


def test_a_connection_that_sends_nothing_is_silent_once_it_is_connected_and_stays_open() -> None:
    with served(until_gone) as silent:
        number = silent.open(b"")
        look_until(silent, lambda: silent.is_silent(number))

        assert silent.silent == 1
        assert silent.first == number
        silent.leave(1)
        (connection,) = silent.connections()

    assert (connection.how, connection.ended_ns) == ("", 0)
    assert connection.opened_ns <= connection.silent_ns <= connection.left_ns


def test_a_server_that_closes_is_told_from_one_that_resets() -> None:
    def reset(accepted: socket.socket) -> None:
        accepted.recv(1)
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)

    assert end_of_one(lambda _accepted: None, b"").how == "closed"
    assert end_of_one(reset, b"GET / HTTP/1.1\r\n").how == "reset"


def test_the_status_that_a_server_sends_at_the_end_is_kept() -> None:
    timed_out = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"

    connection = end_of_one(lambda accepted: accepted.sendall(timed_out), b"")

    assert (connection.how, connection.status) == ("closed", 408)


def test_one_that_waits_for_its_answer_is_silent_only_after_it() -> None:
    answered = threading.Event()

    def answer(accepted: socket.socket) -> None:
        accepted.recv(65536)
        answered.wait(WITHIN_S)
        accepted.sendall(ANSWER)
        until_gone(accepted)

    with served(answer) as silent:
        number = silent.open(REQUEST, answered=True)
        silent.look(0.05)
        assert not silent.is_silent(number)
        answered.set()
        look_until(silent, lambda: silent.is_silent(number))

        assert silent.is_open(number)
        assert silent.connections()[0].status == 0


def test_one_that_reads_nothing_keeps_a_server_from_sending_a_long_reply() -> None:
    stuck = threading.Event()

    def send_much(accepted: socket.socket) -> None:
        accepted.recv(65536)
        accepted.settimeout(0.5)
        try:
            accepted.sendall(bytes(32 << 20))
        except TimeoutError:
            stuck.set()
        accepted.settimeout(WITHIN_S)
        until_gone(accepted)

    with served(send_much) as silent:
        number = silent.open(REQUEST, reads=False)
        look_until(silent, lambda: silent.is_silent(number) and stuck.is_set())

        assert silent.is_open(number)
        assert list(silent.unread_ports().values()) == [number]
        silent.note_end(number)
        assert (silent.ended, silent.connections()[0].how) == (1, "closed")


def test_a_port_on_which_nothing_listens_turns_a_connection_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with SilentConnections(*address) as silent:
        number = silent.open(b"")
        look_until(silent, lambda: not silent.is_open(number))

        assert silent.connections()[0].how == "turned away"
        assert not silent.is_silent(number)


def test_a_unix_socket_with_a_full_queue_turns_a_connection_away(tmp_path: Path) -> None:
    path = f"{tmp_path}/full.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        # backlog + 1 (net/unix/af_unix.c, unix_recvq_full()).
        with SilentConnections(path, 0) as silent:
            numbers = [silent.open(b""), silent.open(b"")]
            look_until(silent, lambda: silent.is_silent(numbers[0]))

            assert [each.how for each in silent.connections()] == ["", "turned away"]
