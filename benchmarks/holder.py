"""Holds every request until so many are held at once, then answers all of them and ends.

    python -m benchmarks.holder REQUESTS [PROCESSES] [HOLD_S]

Prints its port. When REQUESTS have been held for HOLD_S seconds, or when its input ends, it answers; then it prints
one JSON object: what it counted itself, and the CPU time of its processes.

It is made to cost little beside the kernel, so that a million fit: no object for a connection, only its descriptor.
Each process has a listening socket of its own on one port (SO_REUSEPORT), and room for 20,000 descriptors.
"""

from __future__ import annotations

import gc
import json
import mmap
import os
import resource
import select
import socket
import sys
import time
from contextlib import suppress
from typing import NoReturn

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
HEAD_END = b"\r\n\r\n"
BACKLOG = 4096
# The kernel deals connections out by chance: with 18,000 on average, 20,000 are fifteen standard deviations away.
PER_PROCESS = 18_000
MOST_EVENTS = 512
ACCEPTED_AT_ONCE = 128
LOOK_MS = 20
HELD, CAME, ANSWERED, LEFT, FIGURES = range(5)
WATCHED = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET


def serve(listener: socket.socket, release: int, counts: memoryview) -> None:
    """One process: takes connections and reads requests until `release` is readable, then answers.

    Args:
        counts: of this process: requests held now, that came, that were answered, whose client left before.
    """
    epoll = select.epoll()
    listening = listener.fileno()
    epoll.register(listening, select.EPOLLIN)
    epoll.register(release, select.EPOLLIN)
    held = bytearray(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    partial: dict[int, bytes] = {}
    while True:
        for fd, _ in epoll.poll(-1, MOST_EVENTS):
            if fd == release:
                answer(held, counts)
                return
            if fd == listening:
                with suppress(BlockingIOError):
                    for _ in range(ACCEPTED_AT_ONCE):
                        # The public accept() makes an object for the connection and one for its address.
                        epoll.register(listener._accept()[0], WATCHED)  # type: ignore[attr-defined]  # noqa: SLF001
                continue
            try:
                data = os.read(fd, 4096)
            except OSError:
                data = b""
            if not data:
                counts[HELD] -= held[fd]
                counts[LEFT] += held[fd]
                held[fd] = 0
                partial.pop(fd, None)
                os.close(fd)
                continue
            data = partial.pop(fd, b"") + data
            if not data.endswith(HEAD_END):
                partial[fd] = data
                continue
            held[fd] = 1
            counts[HELD] += 1
            counts[CAME] += 1


def answer(held: bytearray, counts: memoryview) -> None:
    """Answers each held request, and closes its connection."""
    fd = held.find(1)
    while fd >= 0:
        try:
            os.write(fd, ANSWER)
            counts[ANSWERED] += 1
        except OSError:
            counts[LEFT] += 1
        counts[HELD] -= 1
        os.close(fd)
        fd = held.find(1, fd + 1)


def be_process(listeners: list[socket.socket], index: int, pipe: tuple[int, int], counts: memoryview) -> NoReturn:
    """The life of a forked process."""
    status = 1
    try:
        os.close(pipe[1])
        for other in listeners:
            if other is not listeners[index]:
                other.close()
        serve(listeners[index], pipe[0], counts)
        status = 0
    finally:
        os._exit(status)


def watch(requests: int, hold_s: float, counts: memoryview) -> tuple[int, float]:
    """Waits until so many are held for so long, or the input ends; the most held at once, and how long they took."""
    most, began, full_at = 0, 0.0, 0.0
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    while not poll.poll(LOOK_MS):
        held, now = sum(counts[HELD::FIGURES]), time.monotonic()
        began = began or (now if held else 0.0)
        if held > most:
            most, full_at = held, now
        if held >= requests and now - full_at >= hold_s:
            break
    return most, full_at - began


def main() -> None:
    requests = int(sys.argv[1])
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else -(-requests // PER_PROCESS)
    hold_s = float(sys.argv[3]) if len(sys.argv) > 3 else 2.0
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    counts = memoryview(mmap.mmap(-1, 8 * FIGURES * processes)).cast("q")
    listeners: list[socket.socket] = []
    for _ in range(processes):
        port = listeners[0].getsockname()[1] if listeners else 0
        listeners.append(socket.create_server(("127.0.0.1", port), backlog=BACKLOG, reuse_port=True))
        listeners[-1].settimeout(0)
    pipe = os.pipe()
    # What a collection in one process touches, it has a copy of.
    gc.freeze()
    for index in range(processes):
        if os.fork() == 0:
            be_process(listeners, index, pipe, counts[FIGURES * index : FIGURES * (index + 1)])
    port = listeners[0].getsockname()[1]
    for listener in listeners:
        listener.close()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    most, opened_s = watch(requests, hold_s, counts)
    os.close(pipe[1])
    for _ in range(processes):
        os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {
        "held_at_once": most,
        "opened_s": round(opened_s, 2),
        "came": sum(counts[CAME::FIGURES]),
        "answered": sum(counts[ANSWERED::FIGURES]),
        "left": sum(counts[LEFT::FIGURES]),
        "cpu_s": round(used.ru_utime + used.ru_stime, 2),
        "most_in_one_process": max(counts[CAME::FIGURES]),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
