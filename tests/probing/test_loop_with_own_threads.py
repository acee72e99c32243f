"""An event loop that accepts and reads, and has threads of its own for the application."""

from __future__ import annotations

import pytest
from own_commands import Own, run_all, value

SERVER = """
import asyncio
import io
import sys
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

app = Flask(__name__)
threads = ThreadPoolExecutor(3)


@app.get("/")
def index():
    return "done"


def answered(line, fields):
    method, path, protocol = line.split()
    environ = {
        **{"HTTP_" + name.upper().replace("-", "_"): value.strip() for name, _, value in fields},
        **{"REQUEST_METHOD": method, "PATH_INFO": path, "SERVER_PROTOCOL": protocol},
        **{"SERVER_NAME": "localhost", "SERVER_PORT": "{port}", "wsgi.version": (1, 0), "wsgi.url_scheme": "http"},
        **{"wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.run_once": False},
        **{"wsgi.multithread": True, "wsgi.multiprocess": False},
    }
    return b"".join(app(environ, lambda *_: None))


async def serve(reader, writer):
    line, *fields = (await reader.readuntil(b"\\r\\n\\r\\n")).decode().rstrip().split("\\r\\n")
    fields = [each.partition(":") for each in fields]
    body = await asyncio.get_running_loop().run_in_executor(threads, answered, line, fields)
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n%s" % (len(body), body))
    await writer.drain()
    writer.close()


async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", {port}) as server:
        await server.serve_forever()


asyncio.run(main())
"""
# As under a master that replaces its workers: each of them has accepted, and ended.
AFTER_OTHERS = SERVER.replace(
    "async def main():",
    """
listener = socket.create_server(("127.0.0.1", {port}))
listener.setblocking(False)


async def take_one():
    connection, _ = await asyncio.get_running_loop().sock_accept(listener)
    connection.close()


for _ in range(20):
    pid = os.fork()
    if not pid:
        asyncio.run(take_one())
        os._exit(0)
    socket.create_connection(listener.getsockname()).close()
    os.waitpid(pid, 0)


async def main():""",
).replace('serve, "127.0.0.1", {port})', "serve, sock=listener)")
AFTER_OTHERS = f"import os\nimport socket\n{AFTER_OTHERS}"
# waitress's threads run four, and a loop beside it serves what else the process tells.
BESIDE = """
import asyncio
import threading
import urllib.request

import waitress
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "done"


async def told(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nup")
    await writer.drain()
    writer.close()


async def tell():
    async with await asyncio.start_server(told, "127.0.0.1", {other}) as server:
        listens.set()
        await server.serve_forever()


listens = threading.Event()
threading.Thread(target=asyncio.run, args=(tell(),), daemon=True).start()
listens.wait()
urllib.request.urlopen("http://127.0.0.1:{other}/").close()
waitress.serve(app, host="127.0.0.1", port={port}, threads=4)
"""


def own(id, text, says):
    return Own(id, ("python", "serve.py"), {"serve.py": text}, {"ceiling.bounded": True, **says})


# docs/glossary.md: accepted by a loop, handlers on a bounded set of reused threads.
COMMANDS = (
    own(
        "a loop with threads",
        SERVER,
        {"ceiling.in_service": 3, "model.kind": "event-loop+thread-pool", "model.threads_per_process": 3},
    ),
    own(
        "a loop after many that ended",
        AFTER_OTHERS,
        {"ceiling.in_service": 3, "model.kind": "event-loop+thread-pool", "model.processes": 1},
    ),
    own("a loop beside threads", BESIDE, {"ceiling.in_service": 4, "model.kind": "thread-pool"}),
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_a_loop_that_accepts_the_requests_is_a_part_of_the_model(own, done):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    assert {name: value(result.verdict(), name) for name in own.says} == dict(own.says)
