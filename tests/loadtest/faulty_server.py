"""Answers by the number in the path, in every way that a server can; shares no code with the load generator.

    python faulty_server.py [SHARE]     prints its URL

SHARE: of the kept connections, so many are closed unasked after a reply, or on a request that nobody has read, by FIN
or by RST, at random (0 to 1); 0 closes none but those of FAULTS.

/N         as FAULTS says of N % 1000, otherwise 200 with a body
/big/N     200 and a body of N bytes
/drip/N    200 and a body of N bytes, one each time the loop comes round
/early/N   200 as soon as the head is there, and then takes in a body of N bytes
/slow/S    200 after S seconds
/moved     302 to /elsewhere?a=1
/from/N    302 to /N
/half      the head of a reply, and then nothing
/first/N   200 for the first N requests of this kind, and then nothing
/seen      as JSON what came, not counted itself: requests of each kind, different numbers of each kind, how many
           numbers came again, and how many connections were closed at random
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import sys
from collections import Counter

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
# Kind -> bytes of the reply, and how the connection goes on.
FAULTS = {
    0: ("reset", b"", "reset"),
    1: ("no answer", b"", "close"),
    2: ("half a head", b"HTTP/1.1 200 OK\r\nContent-Le", "close"),
    3: ("half a body", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "close"),
    4: ("chunks cut off", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "close"),
    5: ("busy", b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "keep"),
    6: ("early hints", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, "keep"),
    7: ("continue", b"HTTP/1.1 100 Continue\r\n\r\n" + OK, "keep"),
    8: ("not HTTP", b"SSH-2.0-OpenSSH_9.9\r\n", "close"),
    9: ("chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "keep"),
    10: ("too long", OK + b"more than announced", "keep"),
    11: ("no content", b"HTTP/1.1 204 No Content\r\n\r\n", "keep"),
    12: ("not modified", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "keep"),
    13: ("until the end", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nas long as it lasts", "close"),
    14: ("HTTP/1.0", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "close"),
    15: ("asks to close", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", "close"),
    16: ("closes unasked", OK, "close"),
    17: ("reset in the body", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "reset"),
}
ALWAYS = {
    "half": b"HTTP/1.1 200 OK\r\n",
    "moved": b"HTTP/1.1 302 Found\r\nLocation: /elsewhere?a=1\r\nContent-Length: 0\r\n\r\n",
}

kinds: Counter[str] = Counter()
numbers: Counter[int] = Counter()
kinds_of_numbers: Counter[str] = Counter()
closed_at_random = 0
share = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
chance = random.Random(7)


class Faulty(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""
        self.body_left = 0

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            passed_over = min(self.body_left, len(self.buffer))
            self.body_left -= passed_over
            self.buffer = self.buffer[passed_over:]
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            self.buffer = rest
            self.answer(*head.split(b" ", 2)[:2])

    def answer(self, method: bytes, target: bytes) -> None:
        _, what, *more = target.decode().split("/")
        if what == "seen":
            told = json.dumps(
                {
                    "kinds": kinds,
                    "kinds of numbers": kinds_of_numbers,
                    "again": sum(n > 1 for n in numbers.values()),
                    "more than twice": sum(n > 2 for n in numbers.values()),
                    "closed at random": closed_at_random,
                }
            ).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(told), told))
        elif what.isdigit():
            number = int(what)
            numbers[number] += 1
            kind, reply, then = FAULTS.get(number % 1000, ("ok", OK, "keep"))
            kinds[kind] += 1
            kinds_of_numbers[kind] += numbers[number] == 1
            self.transport.write(reply)
            if then == "keep" and share and chance.random() < share:
                then = self.how_it_is_closed()
            if then == "reset":
                asyncio.get_running_loop().call_soon(self.reset)
            elif then == "close":
                self.transport.close()
        elif what == "from":
            kinds_of_numbers[what] += 1
            self.transport.write(
                b"HTTP/1.1 302 Found\r\nLocation: ../%b\r\nContent-Length: 0\r\n\r\n" % more[0].encode()
            )
        elif what in ALWAYS:
            self.transport.write(ALWAYS[what])
        elif what == "slow":
            asyncio.get_running_loop().call_later(float(more[0]), self.transport.write, OK)
        else:
            kinds[what] += 1
            self.answer_sized(method, what, int(more[0]))

    def how_it_is_closed(self) -> str:
        """Closes now, or once another request has come that is not read; says how."""
        global closed_at_random  # noqa: PLW0603 - a count, as the others
        closed_at_random += 1
        then = chance.choice(["reset", "close", "later"])
        if then == "later":
            # Bytes that were not read make the kernel send an RST (RFC 2525, 2.17).
            self.transport.pause_reading()
            asyncio.get_running_loop().call_later(chance.random() * 0.002, self.transport.close)
        return then

    def answer_sized(self, method: bytes, what: str, size: int) -> None:
        if what == "first":
            if kinds[what] <= size:
                self.transport.write(OK)
            return
        if what == "early":
            self.body_left = size
            self.transport.write(OK)
            # Its socket fills up meanwhile, so that the client cannot be done with its request.
            self.transport.pause_reading()
            asyncio.get_running_loop().call_later(0.05, self.transport.resume_reading)
            return
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        if method == b"HEAD":
            return
        if what == "big":
            piece = bytes(1 << 20)
            for _ in range(size >> 20):
                self.transport.write(piece)
            self.transport.write(bytes(size & ((1 << 20) - 1)))
        else:
            asyncio.ensure_future(self.drip(size))  # noqa: RUF006 - it lives as long as its connection

    async def drip(self, size: int) -> None:
        for _ in range(size):
            self.transport.write(b"x")
            await asyncio.sleep(0)

    def reset(self) -> None:
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Faulty, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


asyncio.run(main())
