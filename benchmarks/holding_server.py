"""Answers every request so many seconds after it came, and closes. `holding_server.py SECONDS`; prints its port.

When its input ends it prints the most requests that it ever held at once, and ends.
"""

from __future__ import annotations

import asyncio
import resource
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Count:
    """Requests held now, and the most there ever were."""

    def __init__(self) -> None:
        self.now = self.most = 0

    def change(self, by: int) -> None:
        """Counts requests that came or were answered."""
        self.now += by
        self.most = max(self.most, self.now)


class Holding(asyncio.Protocol):
    """One connection; its request is held from the end of its head."""

    transport: asyncio.Transport

    def __init__(self, seconds: float, held: Count) -> None:
        self.seconds, self.held = seconds, held

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio, as the following."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """A request is small enough to come in one piece."""
        if data.endswith(b"\r\n\r\n"):
            self.held.change(+1)
            asyncio.get_running_loop().call_later(self.seconds, self.answer)

    def answer(self) -> None:
        """The request's time is over."""
        self.held.change(-1)
        self.transport.write(ANSWER)
        self.transport.close()


async def main() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    seconds, held = float(sys.argv[1]), Count()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Holding(seconds, held), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()
    sys.stdout.write(f"{held.most}\n")


if __name__ == "__main__":
    asyncio.run(main())
