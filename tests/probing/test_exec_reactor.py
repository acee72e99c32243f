"""Applications on Twisted's reactor whose views are coroutines, of either kind, or beside whose views others run.

Sources: the scripts themselves. Twisted drives a generator under `inlineCallbacks`, and a coroutine, each in a context
of its own (twisted/internet/defer.py, `_inlineCallbacks`): any number of them wait at once. Buildbot answers so
(buildbot/www/config.py, IndexResource.renderIndex), and Synapse, whose reply another thread encodes
(synapse/http/server.py, `_async_write_json_to_request_in_thread`). A template is flattened by a coroutine of Twisted's
own, which need not wait (twisted/web/_flatten.py), as Tahoe-LAFS has it, and its functions run on the reactor's
thread. Synapse counts what the reactor polls (synapse/metrics/_reactor_metrics.py), and freezes what it has loaded.
What a pool's thread runs for a reply is bounded by the pool, if nothing else comes between its result and the reply.
"""

from __future__ import annotations

import pytest
from own_commands import INCONCLUSIVE, Own, run_all, value
from support.placed import placed
from test_exec_own_servers import one, own, unbounded

HEAD = """
import gc

from twisted.internet import defer, endpoints, reactor, task, threads
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site
from twisted.web.template import Element, XMLString, renderElement, renderer


class Page(Resource):
    isLeaf = True
    children = {}

    def getChildWithDefault(self, path, request):
        return self

    def finish(self, body, request):
        request.write(body)
        request.finish()

"""
SERVE = """

endpoints.serverFromString(reactor, "tcp:{port}:interface=127.0.0.1").listen(Site(Page()))
reactor.run()
"""
IN_STEPS = """
    def render_GET(self, request):
        defer.maybeDeferred(self.page, request).addCallback(self.finish, request)
        return NOT_DONE_YET

    @defer.inlineCallbacks
    def page(self, request):
        yield WAITS
        return b"page"
"""
IN_A_COROUTINE = """
    def render_GET(self, request):
        defer.ensureDeferred(self.page(request))
        return NOT_DONE_YET

    async def page(self, request):
        await task.deferLater(reactor, 0.001)
        defer.ensureDeferred(self.encoded(request))

    async def encoded(self, request):
        self.finish(await threads.deferToThread(b"page".upper), request)
"""
TEMPLATE = """
class Template(Element):
    loader = XMLString('<p xmlns:t="http://twistedmatrix.com/ns/twisted.web.template/0.1" t:render="text" />')

    @renderer
    def text(self, request, tag):
        return tag("page")


def render_GET(self, request):
    return renderElement(request, Template())


Page.render_GET = render_GET
"""
# As Klein has it: the first function of the person's own that runs is the view.
LIBRARY = """
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET


class Routed(Resource):
    isLeaf = True

    def __init__(self, view):
        self.view = view

    def render_GET(self, request):
        self.view(request).addCallback(request.write).addCallback(lambda _: request.finish())
        return NOT_DONE_YET
"""
ROUTED = """
@defer.inlineCallbacks
def page(request):
    yield task.deferLater(reactor, 0.001)
    return b"page"
"""
LATER = """
    def render_GET(self, request):
        reactor.callLater(0.001, self.finish, b"page", request)
        return NOT_DONE_YET
"""
COUNTED = """
    def render_GET(self, request):
        return b"page"


class Counted:
    def __init__(self, poller):
        self.poller = poller

    def poll(self, *given):
        return self.poller.poll(*given)

    def __getattr__(self, name):
        return getattr(self.poller, name)


reactor._poller = Counted(reactor._poller)
gc.freeze()
"""
ON_A_THREAD = """
    def render_GET(self, request):
        threads.deferToThread(page).addCallback(lambda body: self.finish(body, request))
        return NOT_DONE_YET


def page():
    return b"page"
"""
ON_A_THREAD_OF_ITS_OWN_POOL = """
    def render_GET(self, request):
        pool.callInThread(page, self, request)
        return NOT_DONE_YET


def page(resource, request):
    reactor.callFromThread(resource.finish, b"page", request)


from twisted.python.threadpool import ThreadPool

pool = ThreadPool(2, 4)
pool.start()
reactor.addSystemEventTrigger("during", "shutdown", pool.stop)
"""
LOGGED_ON_A_THREAD = """
    def render_GET(self, request):
        threads.deferToThread(log)
        return b"page"


def log():
    return "page"
"""
ON_A_THREAD_AND_LATER = """
    def render_GET(self, request):
        threads.deferToThread(page).addCallback(lambda body: reactor.callLater(0.01, self.finish, body, request))
        return NOT_DONE_YET


def page():
    return b"page"
"""
ON_TWO_THREADS = """
    def render_GET(self, request):
        d = threads.deferToThread(first).addCallback(lambda _: threads.deferToThread(second))
        d.addCallback(lambda body: self.finish(body, request))
        return NOT_DONE_YET


def first():
    return None


def second():
    return b"page"
"""


def reactor(name: str) -> str:
    return f"from twisted.internet import {name}\n\n{name}.install()\n"


def pool(number: int) -> dict[str, object]:
    return {
        "ceiling.in_service": number,
        "ceiling.bounded": True,
        "model.kind": "event-loop+thread-pool",
        "target.held_in": "own server view page()",
    }


COMMANDS = (
    # base.py, `_initThreadPool`: ten threads at most.
    own("a function on a thread of the reactor's", HEAD + ON_A_THREAD + SERVE, pool(10)),
    own("a function on a thread of another pool", HEAD + ON_A_THREAD_OF_ITS_OWN_POOL + SERVE, pool(4)),
    own("the same on a reactor with poll", reactor("pollreactor") + HEAD + ON_A_THREAD + SERVE, pool(10)),
    own(
        "a coroutine that Twisted drives on asyncio's loop",
        reactor("asyncioreactor") + HEAD + IN_A_COROUTINE + SERVE,
        unbounded("event-loop", "own server async view Page.encoded()"),
    ),
    own(
        "a view in steps",
        HEAD + IN_STEPS.replace("WAITS", "task.deferLater(reactor, 0.001)") + SERVE,
        unbounded("event-loop", "own server async view Page.page()"),
    ),
    own(
        "a view in steps that has all at once",
        HEAD + IN_STEPS.replace("WAITS", "defer.succeed(None)") + SERVE,
        unbounded("event-loop", "own server async view Page.page()"),
    ),
    own(
        "a coroutine that leaves its reply to another",
        HEAD + IN_A_COROUTINE + SERVE,
        unbounded("event-loop", "own server async view Page.page()"),
    ),
    own("a template", HEAD + TEMPLATE + SERVE, one("event-loop", "own server view Template.text()")),
    # Wherever on the reactor's thread it is held.
    own(
        "functions of the loop",
        HEAD + COUNTED + SERVE,
        {"ceiling.in_service": 1, "ceiling.bounded": True, "model.kind": "event-loop"},
    ),
)
BY_A_LIBRARY = Own(
    "a library that calls a view in steps",
    ("python", "own.py"),
    {
        "site-packages/routed/__init__.py": LIBRARY,
        "own.py": HEAD + "\n\nfrom routed import Routed\n" + ROUTED + SERVE.replace("Page()", "Routed(page)"),
    },
    unbounded("event-loop", "own server async view page()"),
    env={"PYTHONPATH": "site-packages"},
)
# Something in the process is a known framework's, and the reply comes from a function that is called later.
BESIDE_A_FRAMEWORK = Own(
    "a reply that comes later beside a known framework",
    ("python", "own.py"),
    {"own.py": "import flask\n\nflask.Flask('other')\n" + HEAD + LATER + SERVE},
    exit=INCONCLUSIVE,
)
UNTOLD = tuple(
    Own(id, ("python", "own.py"), {"own.py": HEAD + page + SERVE}, exit=INCONCLUSIVE)
    for id, page in (
        ("a function on a thread beside the reply", LOGGED_ON_A_THREAD),
        ("a timer between a thread and the reply", ON_A_THREAD_AND_LATER),
        ("two threads one after another", ON_TWO_THREADS),
    )
)
CALLED = Own(
    "a view in steps whose bodies run",
    ("python", "own.py"),
    {"own.py": HEAD + IN_STEPS.replace("WAITS", "task.deferLater(reactor, 0.2)") + SERVE},
    {"call.bodies": 8, "call.finished": 8, "call.raised": 0, "call.at_once": 8, "call.replies": {"200": 8}},
    options=("--call", "--max-called", "8"),
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, (*COMMANDS, BY_A_LIBRARY, BESIDE_A_FRAMEWORK, *UNTOLD, CALLED))


@pytest.mark.servers
@pytest.mark.parametrize("own", [*COMMANDS, BY_A_LIBRARY, CALLED], ids=lambda own: own.id)
def test_a_view_on_twisteds_reactor_is_found_whether_it_waits_or_not(own, done):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert placed(verdict) == verdict["offered"]


@pytest.mark.servers
def test_a_reply_that_comes_later_is_among_the_reasons_where_a_known_framework_is_loaded(done):
    result = done[BESIDE_A_FRAMEWORK.id]

    assert result.ended.exit == BESIDE_A_FRAMEWORK.exit, result.ended.err
    said = " ".join(result.ended.err.split())
    assert "answered with 200 before any view was entered" in said
    assert "it does so later or in steps" in said


@pytest.mark.servers
@pytest.mark.parametrize("own", UNTOLD, ids=lambda own: own.id)
def test_of_a_thread_that_is_one_of_several_stages_or_none_nothing_is_told(own, done):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.out
    assert "From its connection on, no function of your own was seen to answer" in " ".join(result.ended.err.split())
