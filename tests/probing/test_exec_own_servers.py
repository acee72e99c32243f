"""Servers that holdfast does not know: a person's own that reads HTTP itself, and frameworks with one of their own.

Sources: a thread for each connection, or a fixed number of threads that accept, as the scripts have it. asyncio runs a
task for each connection that `start_server` accepts (asyncio/streams.py, StreamReaderProtocol.connection_made), and
calls `data_received` on the loop. Microdot serves so, and sends a `def` handler to the loop's default executor
(microdot/microdot.py, invoke_handler). Twisted calls a resource's `render_GET` on the reactor's thread
(twisted/web/resource.py, Resource.render).
"""

from __future__ import annotations

import pytest
from own_commands import INCONCLUSIVE, Own, run_all, value
from support.placed import placed
from test_exec_unknown_frameworks import DEFAULT_EXECUTOR

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage"
BY_HAND = f"""
import queue
import socket
import threading

REPLY = {REPLY!r}
listener, lock = socket.create_server(("127.0.0.1", {{port}}), backlog=128), threading.Lock()


def head(connection):
    # As some do who tell TLS from HTTP first.
    data = b"" if connection.recv(4, socket.MSG_PEEK) else None
    while data is not None and not data.endswith(b"\\r\\n\\r\\n"):
        got = connection.recv(16)
        data = data + got if got else None
    return data


def answer(connection):
    with connection:
        if head(connection):
            connection.sendall(REPLY)


"""
EACH = BY_HAND + "while True:\n    threading.Thread(target=answer, args=(listener.accept()[0],)).start()\n"
ALONE = BY_HAND + "while True:\n    answer(listener.accept()[0])\n"
FOUR = (
    BY_HAND
    + """
def worker():
    while True:
        answer(listener.accept()[0])


for _ in range(4):
    threading.Thread(target=worker).start()
"""
)
# Which thread runs what for a request cannot be seen: one reads and sends, and three compute what is sent.
HANDS_OVER = (
    BY_HAND
    + """
work = queue.Queue()


def worker():
    while True:
        done = work.get()
        done.put(REPLY)


def serve():
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=read, args=(connection,)).start()


def read(connection):
    with connection:
        if head(connection):
            done = queue.Queue()
            work.put(done)
            connection.sendall(done.get())


for _ in range(3):
    threading.Thread(target=worker).start()
serve()
"""
)
# The same with nothing but functions in C between the two.
WAITS_IN_C = (
    HANDS_OVER.replace("queue.Queue()", "queue.SimpleQueue()")
    .replace(
        "done = queue.SimpleQueue()\n            work.put(done)\n            connection.sendall(done.get())",
        "done = threading.Lock()\n            done.acquire()\n            work.put(done)\n            done.acquire()\n"
        "            connection.sendall(REPLY)",
    )
    .replace("done.put(REPLY)", "done.release()")
)
# A server's code reads and calls a function, and others reply.
HANDED_ON = f"""
import queue

import served

REPLY = {REPLY!r}
work = queue.SimpleQueue()


def worker():
    while True:
        with work.get() as connection:
            connection.sendall(REPLY)


def given(connection):
    work.put(connection)


served.on({{port}}, worker, given)
"""
SERVED = """
import socket
import threading


def on(port, worker, given):
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    for _ in range(3):
        threading.Thread(target=worker).start()
    while True:
        connection, _ = listener.accept()
        if connection.recv(65536).endswith(b"\\r\\n\\r\\n"):
            given(connection)
"""
# multiprocessing hands connections of Python's own class to a process.
TO_A_PROCESS = f"""
import multiprocessing
import signal
import socket
import sys

REPLY = {REPLY!r}
signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # what it uses to hand them on is removed then
ours, theirs = multiprocessing.Pipe()


def worker():
    while True:
        with theirs.recv() as connection:
            if connection.recv(65536):
                connection.sendall(REPLY)


multiprocessing.get_context("fork").Process(target=worker, daemon=True).start()
listener = socket.create_server(("127.0.0.1", {{port}}), backlog=128)
while True:
    with listener.accept()[0] as connection:
        ours.send(connection)
"""
STREAMS = f"""
import asyncio
import concurrent.futures

REPLY = {REPLY!r}
three = concurrent.futures.ThreadPoolExecutor(3)


def work():
    return REPLY


async def handle(reader, writer):
    while (await reader.readline()).strip():
        pass
    writer.write(GIVEN)
    await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", {{port}})
    await server.serve_forever()


asyncio.run(main())
"""
PROTOCOL = f"""
import asyncio

REPLY = {REPLY!r}


class Page(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def data_received(self, data):
        self.data += data
        if self.data.endswith(b"\\r\\n\\r\\n"):
            GIVEN

    async def later(self):
        self.answer()

    def answer(self, _done=None):
        self.transport.write(REPLY)
        self.transport.close()


async def main():
    server = await asyncio.get_running_loop().create_server(Page, "127.0.0.1", {{port}})
    await server.serve_forever()


asyncio.run(main())
"""
# What the loop calls after processes have done the work.
IN_PROCESSES = (
    PROTOCOL.replace(
        "GIVEN",
        "asyncio.get_running_loop().run_in_executor(three, len, data).add_done_callback(self.answer)",
    )
    .replace(
        "async def main():",
        "async def main():\n    global three\n    three = concurrent.futures.ProcessPoolExecutor(3, FORK)",
    )
    .replace(
        "import asyncio",
        "import asyncio\nimport concurrent.futures\nimport multiprocessing as mp\n\nFORK = mp.get_context('fork')",
    )
)
# Three tasks answer for all connections.
BY_TASKS = PROTOCOL.replace("GIVEN", "pages.put_nowait(self)").replace(
    "async def main():",
    """async def work():
    while True:
        (await pages.get()).answer()


async def main():
    global pages, workers
    pages = asyncio.Queue()
    workers = [asyncio.ensure_future(work()) for _ in range(3)]""",
)
MICRODOT = """
from microdot import Microdot

app = Microdot()


@app.get("/")
async def index(request):
    return "page"


app.run(host="127.0.0.1", port={port})
"""
TWISTED = """
from twisted.internet import endpoints, reactor, threads
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site


class Page(Resource):
    isLeaf = True

    def render_GET(self, request):
        GIVEN

    def finish(self, request):
        request.write(b"page")
        request.finish()


endpoints.TCP4ServerEndpoint(reactor, {port}, 128, "127.0.0.1").listen(Site(Page()))
reactor.run()
"""
IN_EXECUTOR = "get_running_loop().run_in_executor(three, work)"
LATER = "reactor.callLater(0.01, self.finish, request)\n        return NOT_DONE_YET"


def one(kind: str, held_in: str) -> dict[str, object]:
    return {
        "target.held_in": held_in,
        "ceiling.in_service": 1,
        "ceiling.bounded": True,
        "model.kind": kind,
        "model.processes": 1,
    }


def unbounded(kind: str, held_in: str) -> dict[str, object]:
    return {
        "target.held_in": held_in,
        "ceiling.in_service": 50,
        "ceiling.bounded": False,
        "model.kind": kind,
        "model.processes": 1,
    }


def own(id: str, text: str, says: dict[str, object]) -> Own:
    return Own(id, ("python", "own.py"), {"own.py": text}, says, exit=0 if says else INCONCLUSIVE)


POOL = {"ceiling.in_service": 4, "ceiling.bounded": True, "model.kind": "thread-pool", "model.threads_per_process": 4}
EXECUTOR = {"ceiling.bounded": True, "model.kind": "event-loop+thread-pool"}
OWN = (
    own("a thread each", EACH, unbounded("thread-per-request", "own server view answer()")),
    own("one after another", ALONE, one("serial", "own server view answer()")),
    own("threads that accept", FOUR, POOL),
    own("threads with a queue between", HANDS_OVER, {}),
    own("a login", EACH.replace("200 OK", "401 Unauthorized"), {}),
    own("streams", STREAMS.replace("GIVEN", "REPLY"), unbounded("event-loop", "own server async view handle()")),
    own("threads with locks between", WAITS_IN_C, {}),
    own("threads with a lock", EACH.replace("if head(connection):", "head(connection)\n        with lock:"), {}),
    Own(
        "threads that reply for the one that reads",
        ("python", "own.py"),
        {"own.py": HANDED_ON, "site-packages/served.py": SERVED},
        env={"PYTHONPATH": "site-packages"},
        exit=INCONCLUSIVE,
    ),
    own("a process that is handed connections", TO_A_PROCESS, {}),
    own("a protocol with processes", IN_PROCESSES, {}),
    own("a protocol for which tasks reply", BY_TASKS, {}),
    own("streams with an executor", STREAMS.replace("GIVEN", f"await asyncio.{IN_EXECUTOR}"), {}),
    own(
        "a protocol",
        PROTOCOL.replace("GIVEN", "self.answer()"),
        one("event-loop", "own server view Page.data_received()"),
    ),
    own(
        "a protocol with a task",
        PROTOCOL.replace("GIVEN", "self.task = asyncio.ensure_future(self.later())"),
        unbounded("event-loop", "own server async view Page.later()"),
    ),
    own("microdot", MICRODOT, unbounded("event-loop", "own server async view index()")),
    own(
        "microdot with def",
        MICRODOT.replace("async def", "def"),
        {**EXECUTOR, "ceiling.in_service": DEFAULT_EXECUTOR, "target.held_in": "own server view index()"},
    ),
    own("twisted", TWISTED.replace("GIVEN", 'return b"page"'), one("event-loop", "own server view Page.render_GET()")),
    own("twisted later", TWISTED.replace("GIVEN", LATER), {}),
)
FOLLOWED = [each for each in OWN if each.says]


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, OWN)


@pytest.mark.parametrize("own", FOLLOWED, ids=lambda own: own.id)
def test_what_answers_on_an_unknown_server_is_found_from_the_socket(done, own):
    ended = done[own.id].ended
    assert ended.exit == 0, ended.err

    verdict = done[own.id].verdict()

    assert {name: value(verdict, name) for name in own.says} == own.says
    assert placed(verdict) == verdict["offered"]


@pytest.mark.parametrize(
    "id",
    [
        "threads with a queue between",
        "threads with locks between",
        "threads with a lock",
        "threads that reply for the one that reads",
        "a protocol with processes",
        "a protocol for which tasks reply",
        "streams with an executor",
        "twisted later",
    ],
)
def test_of_what_cannot_be_followed_no_number_is_said(done, id):
    ended = done[id].ended

    assert ended.exit == INCONCLUSIVE
    assert "no function of your own was seen to answer" in ended.err
    assert "holdfast attach http://127.0.0.1:" in ended.err


def test_connections_can_be_handed_to_other_processes_and_it_is_said_that_these_may_read_them(done):
    ended = done["a process that is handed connections"].ended

    assert ended.exit == INCONCLUSIVE
    assert "The server answers" in ended.err
    assert "or another process reads what was accepted" in ended.err


def test_what_asks_for_a_login_is_no_view(done):
    ended = done["a login"].ended

    assert ended.exit == INCONCLUSIVE
    assert "GET / was answered with 401 before any view was entered." in ended.err
