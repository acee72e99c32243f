"""Checks the parts of `holdfast_inside` that need no package, on whichever Python runs this script.

Prints the interpreter's version; any failure is an exception. Run by test_inside_pythons.py.

    python old_python.py RECORD     with the variables of a run in the environment
"""

import asyncio
import concurrent.futures
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
    executors,
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
    stacks,
    startup_report,
    suggest,
    target,
    tornado_server,
    waiting_points,
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
    executors,
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

    def decorated(function):
        def inner():
            return function()

        return inner

    original = code_patch.copy_of(View.name)
    View.name.__code__ = code_patch.gated_code(View.name.__code__, original)
    assert View().name(1, 2, other=3) == ("base", 1, (2,), 1, {"other": 3})
    awaited = code_patch.copy_of(coroutine)
    coroutine.__code__ = code_patch.gated_code(coroutine.__code__, awaited)
    assert asyncio.run(coroutine()) == 2
    assert isinstance(code_patch.innermost_function(View().name), types.FunctionType)
    assert code_patch.innermost_function(decorated(check_wsgi)) is check_wsgi


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


def claimed(id):
    return {request.KEY: request.RequestClaim(id, (0, 0, False))}


def points(ids):
    """Where these requests wait, once all of them wait for their turn."""
    while True:
        found = {
            id: waiting_points.point_of(some, executors.queued())
            for id, some in stacks.of_requests(ids.__contains__).items()
        }
        if set(found) == set(ids) and all(each.waits for each in found.values()):
            return {(found[id].function, found[id].library) for id in ids}
        time.sleep(0.001)


def check_waiting_threads():
    class Guarded:
        def __init__(self):
            self.lock = threading.Lock()

    lock, again, free, guarded = threading.Lock(), threading.RLock(), threading.BoundedSemaphore(1), Guarded()

    def at_lock(environ):
        with lock:
            return environ

    def at_rlock(environ):
        with again:
            return environ

    def at_attribute(environ):
        return guarded.lock.acquire() and environ

    def at_semaphore(environ):
        with free:
            return environ

    for each in (lock, again, free, guarded.lock):
        each.acquire()
    functions = (at_lock, at_rlock, at_attribute, at_semaphore)
    threads = [threading.Thread(target=each, args=(claimed(id),)) for id, each in enumerate(functions)]
    for each in threads:
        each.start()
    assert points([0]) == {("at_lock", "threading.Lock")}
    assert points([1]) == {("at_rlock", "threading.RLock")}
    assert points([2]) == {("at_attribute", "threading.Lock")}
    assert points([3]) == {("at_semaphore", "threading.Semaphore.acquire")}
    for each in (lock, again, free, guarded.lock):
        each.release()
    for each in threads:
        each.join()


def check_waiting_for_results():
    begun, goes_on, bare = threading.Event(), threading.Event(), concurrent.futures.Future()
    pool = concurrent.futures.ThreadPoolExecutor(1)

    def work():
        begun.set()
        goes_on.wait()

    def at_work(environ):
        return pool.submit(work).result() or environ

    def at_result(environ):
        return pool.submit(int).result() or environ

    def at_map(environ):
        return list(pool.map(int, "1")) and environ

    def at_wait(environ):
        return concurrent.futures.wait([pool.submit(int), pool.submit(int)]) and environ

    def at_no_executor(environ):
        return bare.result() or environ

    threads = started(at_work)
    begun.wait()
    threads += started(at_result, at_map, at_wait, at_no_executor, first=1)
    for id, name in enumerate(("at_result", "at_map", "at_wait"), start=1):
        assert points([id]) == {(name, "concurrent.futures.thread.ThreadPoolExecutor.submit")}
    assert not any(waits(id) for id in (0, 4))
    goes_on.set()
    bare.set_result(1)
    for each in threads:
        each.join()
    pool.shutdown()


def waits(id):
    return waiting_points.point_of(stacks.of_requests([id].__contains__)[id], executors.queued()).waits


def started(*functions, first=0):
    threads = [threading.Thread(target=each, args=(claimed(id),)) for id, each in enumerate(functions, start=first)]
    for each in threads:
        each.start()
    return threads


async def check_waiting_tasks():
    free, busy = asyncio.Semaphore(1), threading.Event()
    loop = asyncio.get_running_loop()
    pool = concurrent.futures.ThreadPoolExecutor(1)

    async def takes():
        async with free:
            return

    @contextlib.asynccontextmanager
    async def taken():
        async with free:
            yield

    async def plain(scope):
        async with free:
            return scope

    async def through_generator(scope):
        async with taken():
            return scope

    async def in_time(scope):
        await asyncio.wait_for(free.acquire(), 60)
        free.release()
        return scope

    async def gathering(scope):
        await asyncio.gather(takes(), asyncio.sleep(0))
        return scope

    async def behind_another(scope):
        await loop.run_in_executor(pool, busy.wait)
        return scope

    stacks.note_loop(loop)
    await free.acquire()
    functions = (plain, through_generator, in_time, gathering, behind_another, behind_another)
    tasks = [asyncio.ensure_future(each(claimed(id))) for id, each in enumerate(functions)]
    await asyncio.sleep(0.05)
    at_semaphore = "asyncio.locks.Semaphore.acquire"
    assert points([0]) == {("plain", at_semaphore)}
    assert points([1]) == {("taken", at_semaphore)}
    assert points([2]) == {("in_time", at_semaphore)}
    assert points([3]) == {("takes", at_semaphore)}
    assert points([5]) == {("behind_another", "concurrent.futures.thread.ThreadPoolExecutor.submit")}
    assert not waits(4)
    busy.set()
    free.release()
    await asyncio.gather(*tasks)
    pool.shutdown()


def check_pools_of_interpreters():
    if sys.version_info < (3, 14):
        return
    gate.keep_context_in_threads()
    token = gate.current.set(gate.Held(None, None, "here", "sync"))
    try:
        with concurrent.futures.InterpreterPoolExecutor(1) as pool:
            assert pool.submit(pow, 2, 5).result() == 32
    finally:
        gate.current.reset(token)


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
check_waiting_threads()
check_waiting_for_results()
check_pools_of_interpreters()
asyncio.run(check_waiting_tasks())
sys.stdout.write("{}.{}\n".format(*sys.version_info))
