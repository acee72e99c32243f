"""Checks the parts of `holdfast_inside` that need no package, on whichever Python runs this script.

Prints the interpreter's version; any failure is an exception. Run by test_inside_pythons.py.

    python old_python.py RECORD     with the variables of a run in the environment
"""

import asyncio
import contextlib
import os
import sys
import threading
import types

from holdfast_inside import (
    flask_server,
    innermost,
    layout,
    load,
    recorder,
    request,
    suggest,
    target,
    trouble,
    wsgi,
)

MODULES = (flask_server, innermost, layout, load, recorder, request, suggest, target, trouble, wsgi)


def check_views():
    class Base:
        def name(self):
            return "base"

    class View(Base):
        def name(self, first, *rest, key=1, **more):
            return super().name(), first, rest, key, more

    async def coroutine(value=2):
        return value

    original = innermost.copy_of(View.name)
    View.name.__code__ = innermost.gated_code(View.name.__code__, original)
    assert View().name(1, 2, other=3) == ("base", 1, (2,), 1, {"other": 3})
    awaited = innermost.copy_of(coroutine)
    coroutine.__code__ = innermost.gated_code(coroutine.__code__, awaited)
    assert asyncio.run(coroutine()) == 2
    assert isinstance(innermost.unwrapped(View().name), types.FunctionType)


def check_wsgi():
    answers = []
    environ = {"HTTP_X_HOLDFAST": "token/0", "PATH_INFO": "/", "SCRIPT_NAME": "", "QUERY_STRING": ""}
    held = target.application(environ, lambda *head: answers.append(head))
    assert held == [layout.BODY], held
    assert answers[0][0] == "200 OK"
    assert list(target.application({"PATH_INFO": "/"}, lambda *_head: None)) == [b"plain"]


def check_threads_and_forks():
    def enter(id):
        recorder.enter(id, "a view", "sync", "view", recorder.entry_thread())
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
    recorder.enter(3, "a coroutine", "async", "view", recorder.entry_thread())
    held = asyncio.ensure_future(recorder.hold_async(3))
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(held, 0.01)
    assert held.cancelled()
    recorder.leave(3)


descriptors = len(os.listdir("/proc/self/fd"))
recorder.Record(os.environ["HOLDFAST_RECORD"])
assert len(os.listdir("/proc/self/fd")) == descriptors
check_views()
check_wsgi()
check_threads_and_forks()
asyncio.run(check_coroutines())
sys.stdout.write("{}.{}\n".format(*sys.version_info))
