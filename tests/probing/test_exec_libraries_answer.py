"""Commands in which libraries answer, or call what answers on threads of their own.

Sources: the scripts themselves; http.server (socketserver.py, ThreadingMixIn: a thread for each connection); Twisted
renders a resource on the reactor's thread, and a file's first part is written before the call returns
(twisted/web/static.py, File.render_GET and NoRangeStaticProducer.start); asyncio's servers make a task for each
connection, since Python 3.15 in a copy of the server's context (asyncio/selector_events.py, _accept_connection).
"""

from __future__ import annotations

import pytest
from inside.test_inside_pythons import interpreter
from own_commands import INCONCLUSIVE, Own, run_all, value
from support.placed import placed
from test_exec_own_servers import BY_HAND, STREAMS, one, unbounded

# A thread for each connection reads, and three of an executor answer.
BACKEND = """
import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

three = ThreadPoolExecutor(3)


def page():
    return b"page"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = GIVEN
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
AIOHTTP = """
import asyncio
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

three = ThreadPoolExecutor(3)


def own_page():
    return "page"


def serve(port, page=own_page):
    async def handle(request):
        return web.Response(text=await asyncio.get_running_loop().run_in_executor(three, page))

    app = web.Application()
    app.router.add_get("/", handle)
    web.run_app(app, host="127.0.0.1", port=port, print=None)
"""
ON_AIOHTTP = """
import served


def view():
    return "page"


served.serve({port}GIVEN)
"""
# As an application that speaks ASGI 2 and 3 does.
MADE_ANEW = """
import sys

import uvicorn


class App:
    def __call__(self, scope, receive=None, send=None):
        async def instance(receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"page"})

        return instance if receive is None else instance(receive, send)


uvicorn.run(App(), port=int(sys.argv[1]), lifespan="off")
"""
# falcon/routing/static.py, StaticRouteAsync and _AsyncFileReader: a coroutine, and an executor reads the file for it.
STATIC = """
import os

import falcon.asgi

app = falcon.asgi.App()
app.add_static_route("/", os.path.abspath("files"))
"""
RSGI = """
class App:
    async def __call__(self, scope, protocol):
        protocol.response_str(200, [], "page")


app = App()
"""
LIBRARY = """
from twisted.internet import defer, reactor, threads
from twisted.web import static
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET


class Page(Resource):
    isLeaf = True

    def render_GET(self, request):
        GIVEN

    def finish(self, body, request):
        request.setHeader(b"content-length", b"4")
        request.write(body)
        request.finish()


class InSteps(Page):
    @defer.inlineCallbacks
    def steps(self, request):
        yield defer.succeed(None)
        self.finish(b"page", request)
"""
# It returns at once, and the library replies later, for as many as there are.
BEGUN = """
import pages
from twisted.internet import endpoints, reactor
from twisted.web.server import Site


class Begun(pages.Page):
    def render_GET(self, request):
        return super().render_GET(request)


endpoints.TCP4ServerEndpoint(reactor, {port}, 128, "127.0.0.1").listen(Site(Begun()))
reactor.run()
"""
ROUTED = """
from twisted.internet import endpoints, reactor
from twisted.web.resource import Resource
from twisted.web.server import Site


class Page(Resource):
    isLeaf = True

    def render_GET(self, request):
        return b"page"


class Root(Resource):
    def getChild(self, name, request):
        return Page()


endpoints.TCP4ServerEndpoint(reactor, {port}, 128, "127.0.0.1").listen(Site(Root()))
reactor.run()
"""
# It reads, and says nothing. What its client asks is sent there first: a kernel gives out no port so low.
SILENT = """
from twisted.internet import error, protocol

for port in range(20000, 21000):
    try:
        reactor.listenTCP(port, protocol.Factory.forProtocol(protocol.Protocol), interface="127.0.0.1")
        break
    except error.CannotListenError:
        continue
"""
# Three answer what they find in a list at times, and those that read look as often whether that was done.
POLLED = (
    BY_HAND.replace("import queue", "import time")
    + """
work = []


def worker():
    while True:
        time.sleep(0.001)
        if work:
            try:
                work.pop().append(REPLY)
            except IndexError:
                continue


def read(connection):
    with connection:
        if head(connection):
            done = []
            work.append(done)
            while not done:
                time.sleep(0.001)
            connection.sendall(done[0])


for _ in range(3):
    threading.Thread(target=worker).start()
while True:
    threading.Thread(target=read, args=(listener.accept()[0],)).start()
"""
)
# One that does all by itself, and sleeps in between.
POLLS_ALONE = (
    BY_HAND.replace("import queue", "import time")
    + """
def slowly(connection):
    with connection:
        if head(connection):
            for _ in range(3):
                time.sleep(0.001)
            connection.sendall(REPLY)


while True:
    slowly(listener.accept()[0])
"""
)


SERVES = """
import pages
from twisted.internet import endpoints, reactor
from twisted.web.server import Site

endpoints.TCP4ServerEndpoint(reactor, {port}, 128, "127.0.0.1").listen(Site(pages.PAGE()))
reactor.run()
"""
WITH = "with [connection][0]:"
INSTALLED = {"PYTHONPATH": "site-packages"}
CALLS_LATER = "reactor.callLater(0.01, self.finish, b'page', request)"
DONE_LATER = "\n        return NOT_DONE_YET"
BY_LOOP = {"ceiling.in_service": 50, "ceiling.bounded": False, "model.kind": "event-loop"}
THREE = {"ceiling.in_service": 3, "ceiling.bounded": True}


def python(id: str, files: dict[str, str], says: dict[str, object], *arguments: str) -> Own:
    command = ("python", *(arguments or ("own.py",)))
    return Own(id, command, files, says, env=INSTALLED, exit=0 if says else INCONCLUSIVE)


def twisted(id: str, given: str, says: dict[str, object], page: str = "Page") -> Own:
    files = {"own.py": SERVES.replace("PAGE", page), "site-packages/pages.py": LIBRARY.replace("GIVEN", given)}
    return python(id, files, says)


def backend(id: str, given: str, held_in: str, says: dict[str, object]) -> Own:
    files = {"site-packages/backend/__main__.py": BACKEND.replace("GIVEN", given)}
    return python(id, files, {"target.held_in": held_in, **says}, "-m", "backend", "{port}")


BY_LIBRARIES = one("event-loop", "own server entry")
COMMANDS = (
    backend("a handler with an executor", "three.submit(page).result()", "http.server view page()", THREE),
    backend(
        "a handler alone",
        "page()",
        "http.server view Handler.do_GET()",
        {"ceiling.in_service": 50, "ceiling.bounded": False, "model.kind": "thread-per-request"},
    ),
    python(
        "a handler of aiohttp with an executor for the view",
        {"own.py": ON_AIOHTTP.replace("GIVEN", ", view"), "site-packages/served.py": AIOHTTP},
        {"target.held_in": "aiohttp view view()", **THREE},
    ),
    python(
        "a package that is made anew",
        {"site-packages/made/__main__.py": MADE_ANEW},
        {"target.held_in": "asgi entry", **BY_LOOP},
        *("-m", "made", "{port}"),
    ),
    Own(
        "files under ASGI",
        ("uvicorn", "--port", "{port}", "own:app"),
        {"own.py": STATIC, "files/a.txt": "page"},
        {"target.held_in": "asgi entry", **BY_LOOP},
        options=("--path", "/a.txt"),
    ),
    Own(
        "an object that speaks RSGI",
        ("granian", "--interface", "rsgi", "--port", "{port}", "own:app"),
        {"own.py": RSGI},
        {"target.held_in": "rsgi entry", **BY_LOOP},
    ),
    twisted("a page of a library", "return b'page'", BY_LIBRARIES),
    twisted("a page of a library at once", "self.finish(b'page', request)" + DONE_LATER, BY_LIBRARIES),
    twisted("a page of a library later", CALLS_LATER + DONE_LATER, {}),
    twisted(
        "a page of a library with threads",
        "threads.deferToThread(bytes, b'page').addCallback(self.finish, request)" + DONE_LATER,
        {},
    ),
    twisted("a page of a library in steps", "self.steps(request)" + DONE_LATER, {}, page="InSteps"),
    python(
        "twisted with a function that begins what a library ends",
        {"own.py": BEGUN, "site-packages/pages.py": LIBRARY.replace("GIVEN", CALLS_LATER + DONE_LATER)},
        {},
    ),
    twisted(
        "a file of a library",
        "return static.File(__file__, 'text/plain').render_GET(request)",
        BY_LIBRARIES,
    ),
    python(
        "twisted with a function that routes",
        {"own.py": ROUTED},
        {"ceiling.in_service": 1, "ceiling.bounded": True, "model.kind": "event-loop"},
    ),
    python(
        "twisted with a port that gives no answer",
        {"own.py": ROUTED.replace("reactor.run()", SILENT + "\n\nreactor.run()")},
        {"ceiling.in_service": 1, "ceiling.bounded": True, "model.kind": "event-loop"},
    ),
    python("threads that are polled", {"own.py": POLLED}, {}),
    # What is entered by `with` may be a lock.
    python("own code of which little is known", {"own.py": POLLS_ALONE.replace("with connection:", WITH)}, {}),
    python("one thread that polls", {"own.py": POLLS_ALONE}, one("serial", "own server view slowly()")),
)
FOLLOWED = [each for each in COMMANDS if each.says]


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.servers
@pytest.mark.parametrize("own", FOLLOWED, ids=lambda own: own.id)
def test_what_libraries_answer_is_held_where_it_is_answered(done, own):
    ended = done[own.id].ended
    assert ended.exit == 0, ended.err

    verdict = done[own.id].verdict()

    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert placed(verdict) == verdict["offered"]


@pytest.mark.servers
@pytest.mark.parametrize("own", [each for each in COMMANDS if not each.says], ids=lambda own: own.id)
def test_of_what_others_have_a_part_in_no_number_is_said(done, own):
    ended = done[own.id].ended

    assert ended.exit == INCONCLUSIVE
    assert "no function of your own was seen to answer" in ended.err


@pytest.mark.servers
def test_a_handler_of_a_library_whose_executor_answers_has_no_number(workshop):
    files = {"own.py": ON_AIOHTTP.replace("GIVEN", ""), "site-packages/served.py": AIOHTTP}
    own = Own("library alone", ("python", "own.py"), files, env=INSTALLED, exit=INCONCLUSIVE)

    ended = run_all(workshop, [own])[own.id]

    assert ended.ended.exit == INCONCLUSIVE
    assert ended.verdict()["ceiling"]["in_service"] is None


@pytest.mark.servers
@pytest.mark.parametrize("version", ["3.14", "3.15"])
def test_streams_are_followed_in_whichever_context_asyncio_serves_them(workshop, version):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    says = unbounded("event-loop", "own server async view handle()")
    own = Own(f"streams {version}", (python, "own.py"), {"own.py": STREAMS.replace("GIVEN", "REPLY")}, says)

    done = run_all(workshop, [own])[own.id]

    assert done.ended.exit == 0, done.ended.err
    assert {name: value(done.verdict(), name) for name in says} == says
