"""A server that answers by path, on kept connections; prints its port.

    python answering_server.py [PEM]

With a file of key and certificate it speaks TLS.

/same     always the same reply
/varied   a body of another length each time
/mixed    every third request of a connection gets 503
/pieces   the reply comes in two pieces
/excess   more bytes than announced
/last     the third request of a connection gets Connection: close
/silent   no reply
/large    a body of 300 kB
/aaab     a body of 40 a and a b
"""

from __future__ import annotations

import asyncio
import ssl
import sys


class Answering(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self) -> None:
        self.read = b""
        self.requests = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.read += data
        while b"\r\n\r\n" in self.read:
            head, _, self.read = self.read.partition(b"\r\n\r\n")
            self.requests += 1
            self.answer(head.split(b" ")[1].decode())

    def answer(self, path: str) -> None:
        third = self.requests % 3 == 0
        body = b"x" * 300_000 if path == "/large" else b"x" * (self.requests % 7 if path == "/varied" else 5)
        body = b"a" * 40 + b"b" if path == "/aaab" else body
        status = b"503 Busy" if path == "/mixed" and third else b"200 OK"
        last = path == "/last" and third
        head = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n" % (
            status,
            len(body),
            b"Connection: close\r\n" if last else b"",
        )
        if path == "/silent":
            return
        if path == "/head":
            self.transport.write(head)
            return
        if path == "/pieces":
            self.transport.write(head)
            asyncio.get_running_loop().call_soon(self.transport.write, body)
            return
        self.transport.write(head + body + (b"more" if path == "/excess" else b""))
        if last:
            self.transport.close()


async def main() -> None:
    tls = None
    if sys.argv[1:]:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(sys.argv[1])
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=1024, ssl=tls)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


asyncio.run(main())
