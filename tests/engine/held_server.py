"""A server that holds every request until it holds as many as it was told, then answers all of them.

    python held_server.py REQUESTS PROCESSES

Prints its port, and ends when all are answered. Each process takes its share of the connections, because one
has no descriptors for more than 20,000; they see each other's counts in shared memory.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import resource
import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
LOOK_S = 0.02


class Worker:
    """One process's share of the held requests."""

    def __init__(self, index: int, share: int, counts: memoryview) -> None:
        self.index, self.share, self.counts = index, share, counts
        self.open: set[Held] = set()
        self.listener: socket.socket | None = None
        self.all_gone = asyncio.Event()

    def hold(self) -> None:
        self.counts[self.index] += 1
        if self.counts[self.index] == self.share and self.listener is not None:
            # Not Server.close(): asyncio then drops those that it has accepted and not yet made a transport for.
            asyncio.get_running_loop().remove_reader(self.listener)

    async def serve(self, listener: socket.socket, requests: int) -> None:
        self.listener = listener
        await asyncio.get_running_loop().create_server(lambda: Held(self), sock=listener, backlog=4096)
        # Nothing in this process tells what the others hold, so it looks.
        while sum(self.counts) < requests:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        for held in self.open:
            held.transport.write(ANSWER)
            held.transport.close()
        await self.all_gone.wait()


class Held(asyncio.Protocol):
    """One connection, held from the end of its request's head."""

    transport: asyncio.Transport

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.worker.open.add(self)

    def data_received(self, data: bytes) -> None:
        self.read += data
        if self.read.endswith(b"\r\n\r\n"):
            self.worker.hold()

    def connection_lost(self, _error: Exception | None) -> None:
        self.worker.open.discard(self)
        if not self.worker.open:
            self.worker.all_gone.set()


def main() -> None:
    requests, processes = (int(word) for word in sys.argv[1:])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    counts = memoryview(mmap.mmap(-1, 8 * processes)).cast("q")
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    index = 0
    for other in range(1, processes):
        if os.fork() == 0:
            index = other
            break
    share = len(range(index, requests, processes))
    asyncio.run(Worker(index, share, counts).serve(listener, requests))


main()
