"""A WSGI server whose limits are known because they are its construction; no HTTP server of anybody is in it.

    python ground_truth.py --port P [--host H] | --unix PATH [--threads N] [--queue Q] [--backlog B]
                           [--beyond wait|503|close|reset|silence] [--fresh] [--processes P] [--reuse-port]

Each process accepts in its main thread and runs handlers on N threads. A connection is *in the house*
from accept() until its handler is done. With `--beyond wait` a process accepts only while fewer than
N + Q are in the house; otherwise it accepts every connection and the one for which there is no room is

* `503`: read to the end of its head, answered with 503, closed;
* `close`: read to the end of its head, closed (nothing is unread, so the kernel sends FIN: tcp(7));
* `reset`: closed with SO_LINGER 0 (the kernel sends RST: socket(7));
* `silence`: kept for ever without a word.

`--fresh` runs each handler on a thread of its own, N at once. `--processes P` forks P workers that
accept from one listener, or with `--reuse-port` each from its own.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from typing import Any

from holdfast_inside.target import application  # type: ignore[import-not-found]

RECEIVE_BYTES = 65536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

Turn = Callable[[socket.socket], None]


def main() -> None:
    settings = _settings()
    if settings.processes == 1:
        _work(_listener(settings), settings)
        return
    shared = None if settings.reuse_port else _listener(settings)
    workers = []
    for _ in range(settings.processes):
        pid = os.fork()
        if pid == 0:
            _work(shared or _listener(settings), settings)
        workers.append(pid)
    for pid in workers:
        os.waitpid(pid, 0)


def _settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int)
    parser.add_argument("--unix")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--queue", type=int, default=0)
    parser.add_argument("--backlog", type=int, default=128)
    parser.add_argument("--beyond", choices=("wait", *TURNS), default="wait")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--reuse-port", action="store_true")
    return parser.parse_args()


def _listener(settings: argparse.Namespace) -> socket.socket:
    if settings.unix is not None:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(settings.unix)
        listener.listen(settings.backlog)
        return listener
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.reuse_port:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((settings.host, settings.port))
    listener.listen(settings.backlog)
    return listener


def _work(listener: socket.socket, settings: argparse.Namespace) -> None:
    """Accepts for ever."""
    room = threading.Semaphore(settings.threads + settings.queue)
    waiting: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()

    def handle(connection: socket.socket) -> None:
        try:
            _serve(connection)
        finally:
            connection.close()
            room.release()

    if settings.fresh:
        threading.Thread(target=_start_fresh_threads, args=(waiting, settings.threads, handle), daemon=True).start()
    else:
        for _ in range(settings.threads):
            threading.Thread(target=_run_one_after_another, args=(waiting, handle), daemon=True).start()
    turn_away = TURNS.get(settings.beyond)
    while True:
        if turn_away is None:
            room.acquire()
            waiting.put(listener.accept()[0])
            continue
        connection = listener.accept()[0]
        if room.acquire(blocking=False):
            waiting.put(connection)
        else:
            turn_away(connection)


def _run_one_after_another(waiting: queue.SimpleQueue[socket.socket], handle: Turn) -> None:
    while True:
        handle(waiting.get())


def _start_fresh_threads(waiting: queue.SimpleQueue[socket.socket], threads: int, handle: Turn) -> None:
    free = threading.Semaphore(threads)

    def run(connection: socket.socket) -> None:
        try:
            handle(connection)
        finally:
            free.release()

    while True:
        free.acquire()
        threading.Thread(target=run, args=(waiting.get(),), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    head = _head(connection)
    if head is None:
        return
    answer: list[Any] = []
    body = b"".join(
        application(_environ(head), lambda status, headers, _exc_info=None: answer.extend((status, headers)))
    )
    status, headers = answer
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "Connection: close", "", ""]
    try:
        connection.sendall("\r\n".join(lines).encode("latin-1") + body)
    except OSError:
        return  # the client has left; what it asked for was done all the same


def _head(connection: socket.socket) -> str | None:
    """The request's head; None where the client left before its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            piece = connection.recv(RECEIVE_BYTES)
        except OSError:
            return None
        if not piece:
            return None
        data += piece
    return data.partition(b"\r\n\r\n")[0].decode("latin-1")


def _environ(head: str) -> dict[str, Any]:
    request, *fields = head.split("\r\n")
    method, target, protocol = request.split(" ")
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": protocol,
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
    }
    for field in fields:
        name, _, value = field.partition(":")
        environ["HTTP_" + name.strip().upper().replace("-", "_")] = value.strip()
    return environ


def _unavailable(connection: socket.socket) -> None:
    if _head(connection) is not None:
        connection.sendall(UNAVAILABLE)
    connection.close()


def _close(connection: socket.socket) -> None:
    _head(connection)
    connection.close()


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    connection.close()


_kept: list[socket.socket] = []

TURNS: dict[str, Turn] = {"503": _unavailable, "close": _close, "reset": _reset, "silence": _kept.append}


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()
