"""Checks the parts of `holdfast_inside` that need no package, on whichever Python runs this script.

Prints the interpreter's version; any failure is an exception. Run by test_inside_pythons.py.

    python old_python.py RECORD     with the variables of a run in the environment
"""

import asyncio
import contextlib
import os
import sys
import threading
import time
import types

from holdfast_inside import (
    aiohttp_server,
    asgi,
    bjoern_server,
    bridges,
    builtin,
    calling,
    code_patch,
    django_project,
    django_server,
    entry_wrappers,
    eventlet_server,
    fastpysgi_server,
    find_views,
    flask_server,
    gate,
    gevent_server,
    greenlets,
    hooks,
    interface,
    layout,
    load,
    load_error,
    native,
    on_import,
    options,
    post_import,
    recorder,
    reply,
    request,
    rsgi,
    runner,
    sanic_server,
    startup_report,
    suggest,
    target,
    tornado_server,
    werkzeug_server,
    wsgi,
    wsgiref_server,
)
from holdfast_inside.apps import raw_asgi, raw_wsgi

MODULES = (
    aiohttp_server,
    bjoern_server,
    bridges,
    builtin,
    django_project,
    django_server,
    entry_wrappers,
    eventlet_server,
    fastpysgi_server,
    find_views,
    flask_server,
    gevent_server,
    greenlets,
    hooks,
    load,
    load_error,
    native,
    on_import,
    options,
    post_import,
    raw_wsgi,
    request,
    rsgi,
    runner,
    sanic_server,
    startup_report,
    suggest,
    tornado_server,
    werkzeug_server,
    wsgi,
    wsgiref_server,
)


def check_views():
    class Base:
        def name(self):
            return "base"

    class View(Base):
        def name(self, first, *rest, key=1, **more):
            return super().name(), first, rest, key, more

    async def coroutine(value=2):
        return value

    original = code_patch.copy_of(View.name)
    View.name.__code__ = code_patch.gated_code(View.name.__code__, original)
    assert View().name(1, 2, other=3) == ("base", 1, (2,), 1, {"other": 3})
    awaited = code_patch.copy_of(coroutine)
    coroutine.__code__ = code_patch.gated_code(coroutine.__code__, awaited)
    assert asyncio.run(coroutine()) == 2
    assert isinstance(code_patch.innermost_function(View().name), types.FunctionType)


def check_wsgi():
    answers = []
    environ = {"HTTP_X_HOLDFAST": "token/0", "PATH_INFO": "/", "SCRIPT_NAME": "", "QUERY_STRING": ""}
    held = target.application(environ, lambda *head: answers.append(head))
    assert held == [reply.BODY], held
    assert answers[0][0] == "200 OK"
    assert list(target.application({"PATH_INFO": "/"}, lambda *_head: None)) == [b"plain"]


async def check_asgi():
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/", "headers": [(b"x-holdfast", b"token/4")], "query_string": b""}
    application = asgi.wrap_entry(raw_asgi.create())
    await application(scope, None, send)
    await application({"type": "http", "path": "/", "headers": []}, None, send)
    assert [message.get("body") for message in sent[1::2]] == [reply.BODY, b"hello\n"], sent
    assert interface.choose(application, "it", "") == "asgi"


def check_surrounding():
    class Framework:
        def call(self, value):
            return value

    before = Framework().call
    assert gate.surround(Framework.call, lambda original: lambda self, value: original(self, value + 1))
    assert gate.surround(Framework.call, lambda original: lambda self, value: original(self, value + 10))
    assert (before(1), Framework().call(1)) == (2, 2)
    assert not gate.surround(None, None)
    assert not gate.surround(print, None)


def check_threads_and_forks():
    def enter(id):
        recorder.enter(id, "a view", "sync", "view", recorder.note_entry_thread())
        recorder.leave(id)

    thread = threading.Thread(target=enter, args=(1,))
    thread.start()
    thread.join()
    child = os.fork()
    if not child:
        enter(2)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


async def check_coroutines():
    recorder.enter(3, "a coroutine", "async", "view", recorder.note_entry_thread())
    held = asyncio.ensure_future(recorder.hold_async(3))
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(held, 0.01)
    assert held.cancelled()
    recorder.leave(3)


async def check_calls():
    async def part():
        time.sleep(0.02)

    async def body():
        await asyncio.gather(part(), part(), asyncio.sleep(0.001))
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.01)
        return "done"

    async def failing():
        raise KeyError("view")

    for make in (None, getattr(asyncio, "eager_task_factory", None)):
        asyncio.get_running_loop().set_task_factory(make)
        assert await calling.BodyRun(4).run(body) == "done"
        begun, ended, longest, stopped, since, _, timing, *_ = the_call()
        assert 0 < begun < ended
        assert 20e6 <= longest <= stopped <= ended - begun, (longest, stopped, ended - begun)
        assert stopped >= 40e6
        assert (since, layout.TIMINGS[timing]) == (0, "steps")
    with contextlib.suppress(KeyError):
        await calling.BodyRun(4).run(failing)
    assert the_call()[5:8] == (3, layout.TIMINGS.index("steps"), True)


def the_call():
    return layout.CALL.unpack_from(recorder.record().data, recorder.call_offset(4))


descriptors = len(os.listdir("/proc/self/fd"))
recorder.Record(os.environ["HOLDFAST_RECORD"])
assert len(os.listdir("/proc/self/fd")) == descriptors
check_views()
check_wsgi()
check_threads_and_forks()
check_surrounding()
asyncio.run(check_coroutines())
asyncio.run(check_asgi())
asyncio.run(check_calls())
sys.stdout.write("{}.{}\n".format(*sys.version_info))
