"""Answers every request and keeps count; shares no code with the load generator. Prints its URL.

    python counting_server.py [UNIX SOCKET | ADDRESS]

/seen      what was counted so far, as JSON; not counted itself
/each      every request in the order in which it came, as JSON; not counted itself
/silent    no answer
/busy      503
anything   200
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from itertools import count

seen: Counter[str] = Counter()
bodies: Counter[str] = Counter()
numbers: Counter[str] = Counter()
peers: Counter[str] = Counter()
open_now = {"silent": 0, "connections_now": 0, "most_connections": 0}
each: list[dict[str, object]] = []
connections = count(1)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = next(connections)
    open_now["connections_now"] += 1
    open_now["most_connections"] = max(open_now["most_connections"], open_now["connections_now"])
    first = True
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            line, *fields = head.decode("latin-1").split("\r\n")
            method, path, _ = line.split(" ")
            headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields if field)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            if path == "/seen":
                counts = {
                    "paths": seen,
                    "bodies": bodies,
                    "numbers": numbers,
                    "requests": sum(seen.values()),
                    "peers": peers,
                }
                counts["connections"] = sum(peers.values())
                answer = json.dumps({**counts, **open_now}).encode()
            elif path == "/each":
                answer = json.dumps(each).encode()
            else:
                told = {"method": method, "path": path, "headers": headers, "body": body.decode("latin-1")}
                each.append({"at_ns": time.monotonic_ns(), "connection": connection, **told})
                if first:
                    peers[str((writer.get_extra_info("peername") or [""])[0])] += 1
                    first = False
                seen[f"{method} {path}"] += 1
                bodies[body.decode(errors="replace")] += 1
                numbers[headers.get("x-number", "")] += 1
                answer = b"counted"
            if path.partition("?")[0] == "/silent":
                open_now["silent"] += 1
                continue
            status = b"503 Busy" if path.partition("?")[0] == "/busy" else b"200 OK"
            writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(answer), answer))
            if headers.get("connection") == "close":
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        open_now["connections_now"] -= 1
        writer.close()


async def main() -> None:
    where = "".join(sys.argv[1:]) or "127.0.0.1"
    if where.startswith("/"):
        server = await asyncio.start_unix_server(serve, where, backlog=1024)
        url = f"unix:{where}"
    else:
        server = await asyncio.start_server(serve, where, 0, backlog=1024)
        url = f"http://{where}:{server.sockets[0].getsockname()[1]}"
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()
    await server.serve_forever()


asyncio.run(main())
