"""Sends events, and says how many: `python event_server.py` prints its port, and what it has sent when its input ends.

/events/N    N server-sent events, each once the one before it was sent, and the end
/hold/N      N events, and then nothing more
/lines/N     N JSON lines
/cut/N       N events, and the connection's end in the middle of a chunk
/error       500 and one event, and then nothing more
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

sent: Counter[str] = Counter()
HEAD = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def answer(path: str, writer: asyncio.StreamWriter) -> bool:
    _, what, *more = path.split("/")
    many = int(more[0]) if more else 1
    status = b"500 Error" if what == "error" else b"200 OK"
    kind = b"application/x-ndjson" if what == "lines" else b"text/event-stream; charset=utf-8"
    writer.write(HEAD % (status, kind))
    sent["replies"] += 1
    for number in range(many):
        sent["events"] += 1
        line = b'{"number": %d}' % number
        writer.write(chunk(line + b"\n" if what == "lines" else b": ping\n\nid: %d\ndata: %b\n\n" % (number, line)))
        await writer.drain()
    if what in ("hold", "error"):
        await asyncio.Event().wait()
    writer.write(b"ffff\r\n" if what == "cut" else b"0\r\n\r\n")
    await writer.drain()
    return what != "cut"


async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await answer((await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode(), writer):
            pass
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve_one, "127.0.0.1", 0, backlog=1000)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, over.set)
    await over.wait()
    sys.stdout.write(json.dumps(sent))
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
