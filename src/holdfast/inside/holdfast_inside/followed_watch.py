"""What is seen of a request that is followed from its socket, and which function of it answers (see `followed`)."""

from __future__ import annotations

import contextvars
import math
import sys
import threading
import time
import types
from typing import Any, Callable, Dict, List, Optional, Sequence, Set, TypeVar

from . import (
    finding,
    gate,
    installed_app,
    layout,
    loops,
    own_code,
    request,
    startup_report,
    staying,
    view_functions,
    watch,
    with_locks,
)
from .candidate import Candidate, Frames

_SUCCESS = tuple(b"HTTP/1.%d 2" % minor for minor in (0, 1))

_LOOKS_FOR = frozenset({"epoll.modify", "epoll.register"})

_within: contextvars.ContextVar[Optional[types.CodeType]] = contextvars.ContextVar("holdfast within", default=None)
"""The person's coroutine in which the caller runs, or for which."""

_back: contextvars.ContextVar[bool] = contextvars.ContextVar("holdfast back", default=False)
"""Whether the caller is what a thread has left to a reactor of Twisted, such as the use of its result."""

here: contextvars.ContextVar[Any] = contextvars.ContextVar("holdfast connection", default=None)
"""The `followed.Request` for which the caller runs; None where that is not known."""


class Seen(watch.Watch):
    """What is seen of one request from the end of its head on.

    Attributes:
        reader: the thread that read it.
        waited: whether that has since waited for something, or given an executor something to do.
        hook: the profile function that threads have otherwise.
    """

    def __init__(self, of: object, claim: request.RequestClaim, reader: Optional[types.FrameType]) -> None:
        global _latest  # noqa: PLW0603 - the profile function finds it
        super().__init__(claim, None)
        self.of: Any = of
        self.waited = False
        self._led = request.times_led()
        # Whether the reply was there before the reader looked for anything else.
        self._is_ready, self._looked = True, False
        # After which of the frames around the reading it was to be sent.
        self._sends_after: Dict[types.CodeType, bool] = {}
        # When the first of them had returned after which it was, s (monotonic).
        self._ready_at = math.inf
        # Whether something ran that may wait for others by itself, or asks them.
        self._suspends = False
        # Which coroutines of the person's have begun, by frame, and within which code it came to sending.
        self._begun: List[int] = []
        self._sent_within: Set[Optional[types.CodeType]] = set()
        # When the first of the timers is due that were set meanwhile.
        self._due = math.inf
        # Whether one of them was due before the reply.
        self._was_timed = False
        self._reply = b""
        self.reader = threading.get_ident()
        self._around_reader: Dict[int, types.FrameType] = {}
        self._around_reply: Dict[int, types.FrameType] = {}
        self.hook: Any = None
        self._in_reader = self._succeeds = False
        self._late: Set[int] = set()
        # By frame, what threads have left to the reactor, and whether any of it ran since that last waited.
        self._after: Set[int] = set()
        self._came_back = False
        # Whether the reply was there before it ran, and after.
        self._was_ready = self._sends_back = False
        # Whether a thread got something to do after the thread that reads had waited.
        self._sent_late = False
        self._in_loop, self._in_asyncio = loops.loop_runs(), loops.asyncio_runs()
        # Which timers it sets is known (see `staying.due`).
        self._in_reactor = loops.reactor_runs()
        while reader is not None:
            if not reader.f_code.co_filename.startswith(own_code.OURS):
                self._around_reader[id(reader)] = reader
            reader = reader.f_back
        around = next(filter(_is_not_standard, self._around_reader.values()), None)
        self._server = "" if around is None else installed_app.package_of(around.f_code.co_filename)
        # A profiler of the person's own keeps its place; then nothing is seen.
        self._blind = sys.getprofile() not in {None, _profile}
        if not self._blind:
            self.hook = getattr(threading, "_profile_hook", None)
            if _latest is not None and _latest.open:
                # It was sent to what gives no answer: a port that does not speak HTTP.
                _latest.open, self.hook = False, _latest.hook
            _latest = self
            if self._in_reactor:
                reactor: Any = sys.modules["twisted.internet.reactor"]
                gate.surround(getattr(type(reactor), "callFromThread", None), _from_thread)
            threading.setprofile(_profile)
            sys.setprofile(_profile)

    def noted(self, frame: types.FrameType, event: str, argument: object) -> None:
        """Takes in what a thread does, as a profile function is told it."""
        reads = threading.get_ident() == self.reader
        if reads and not self.answered:
            self._proceeds(frame, event, argument)
        if reads and here.get() is not self.of:
            # A loop between what it runs.
            return
        if event == "call":
            self._begins(frame, reads=reads)
        elif event == "c_call":
            self._suspends |= staying.deals_with_others(frame, argument)
        elif event == "return":
            self.returns(frame, argument)
            if self.answered and (frame.f_back is None or id(frame.f_back) in self._around_reader):
                self.conclude()

    def _begins(self, frame: types.FrameType, *, reads: bool) -> None:
        """Notes that a function is called, or resumed."""
        if reads and _back.get():
            self._after.add(id(frame))
            if not self._came_back:
                self._came_back, self._was_ready = True, self._was_ready or self.of.is_to_send()
        # What asyncio resumes it knows by its context.
        elif reads and self.waited and not (self._in_asyncio and view_functions.is_resumed(frame)):
            self._late.add(id(frame))
        self._sent_late |= self.waited and staying.sends_to_thread(frame)
        suspends = staying.may_suspend(frame)
        self._suspends |= suspends is not None and not self._is_of_server(suspends)
        self._due = min(self._due, staying.due(frame))
        self.called(frame)
        if reads and not self.waited and self._in_reactor:
            self._enters(frame)

    def _proceeds(self, frame: types.FrameType, event: str, argument: object) -> None:
        """Notes what tells whether the reply is there before the thread that reads looks for anything else."""
        if self._in_reactor and event == "c_call" and staying.takes_at_once(argument):
            return
        depends = staying.depends_on_others(frame, event, argument, in_asyncio=self._in_asyncio)
        if depends or (event == "c_call" and staying.waits_in_c(argument)):
            self.waited |= depends
            if self._came_back:
                self._sends_back, self._came_back = self.of.is_to_send(), False
            if self._in_reactor and event == "c_call" and staying.only_looks(frame):
                return
            # Of another loop, what it does now may have been due meanwhile, such as a timer.
            sends = self.of.is_to_send() if self._in_reactor else self._sends_after.get(frame.f_code, False)
            self._is_ready, self._looked = sends and not self._looked, True
        elif event == "c_return" and getattr(argument, "__qualname__", "") in _LOOKS_FOR and self.of.is_to_send():
            self._sent_within = self._sent_within or {_within.get(), *staying.driven_around(frame)}
        elif event == "return" and id(frame) in self._around_reader and not self._looked:
            sends = self._sends_after[frame.f_code] = self.of.is_to_send()
            self._ready_at = min(self._ready_at, time.monotonic() if sends else math.inf)

    def _enters(self, frame: types.FrameType) -> None:
        """Notes that the outermost coroutine of the person's begins, before the thread that reads has waited.

        Twisted runs each in a context of its own, which is also that of what it begins (defer.py, `_inlineCallbacks`).
        """
        code = frame.f_code
        driven = code in staying.driven_around(frame.f_back)
        if not (driven or view_functions.may_await(code)) or _within.get() or view_functions.is_resumed(frame):
            return
        if any(owner.is_own(code.co_filename) for owner in self.answering()):
            _within.set(code)
            self._begun.append(id(frame))

    def _is_of_server(self, code: types.CodeType) -> bool:
        """Whether it belongs to the reactor's own package: what that runs in steps had no need to wait in between."""
        return self._in_reactor and installed_app.package_of(code.co_filename) == self._server

    def returns(self, frame: types.FrameType, result: object) -> None:
        """As of any watch; what the server does with the result when the reply has begun is not known."""
        for each in self._owners:
            each.returns(frame, result, answered=False)

    def around(self, frame: Optional[types.FrameType]) -> Frames:
        """As of any watch, as far as to what was running when the request was read."""
        return [each for each in super().around(frame) if id(each) not in self._around_reader]

    def replies(self, data: bytes, frame: Optional[types.FrameType]) -> None:
        """Notes what is sent, and what is around the first sending."""
        self._reply += data
        if self.answered:
            return
        # A redirect or an error is mostly given by something in front of a view.
        self.answered, self._succeeds = True, data.startswith(_SUCCESS)
        self._was_timed = time.monotonic() >= self._due
        self._suspends |= self._was_timed
        self._in_reader = threading.get_ident() == self.reader and here.get() is self.of
        while frame is not None:
            if not frame.f_code.co_filename.startswith(own_code.OURS):
                self._around_reply[id(frame)] = frame
            frame = frame.f_back

    def conclude(self) -> None:
        """Tells all processes what was seen."""
        if not self.open:
            return
        self.open = False
        found = whole = None
        if not self._blind:
            threading.setprofile(self.hook)
        if not self._blind and self._succeeds and request.times_led() == self._led:  # see entries.Entry.watching
            found = self._found()
            whole = found or self._whole() or (finding.LIBRARIES if self._is_by_libraries() else None)
        self._around_reader, self._around_reply, self._owners = {}, {}, []
        if finding.state()[0] == layout.WATCHED:
            known = layout.IN_VIEW if found else layout.AT_WHOLE if whole else layout.AT_ENTRY
            finding.publish(known, 1, found or whole)

    def _found(self) -> Optional[finding.View]:
        """The view that the server's code has called; None if it cannot be told."""
        for owner in self.answering():
            begun = owner.begun(self._begun)
            if not (self._is_ready and len(begun) == 1):
                begun = [each for each in begun if each.code in self._sent_within]
            if begun:
                return begun[0].view({begun[0].code}, driven=True)
            fresh = self._fresh(owner)
            late = [each for each in fresh if each.thread == self.reader and id(each.frame) in self._late]
            if self._is_ready and not self._suspends:
                # What was called when the reply was there has no part in it.
                fresh = [each for each in fresh if each.began <= self._ready_at]
                late = [each for each in late if each in fresh]
            if late and not self._in_asyncio:
                # Without a context of its own, a later call cannot be told from that for another request.
                return None
            elsewhere = [each for each in fresh if each.thread != self.reader]
            replying = [each for each in fresh if id(each.frame) in self._around_reply]
            left = elsewhere or replying
            if not left and self._in_reader:
                left = [each for each in fresh if each.returned] or fresh
            if left:
                if self._stays_here(left):
                    # Wherever one of them is held, as many run at once.
                    left = [max(left, key=lambda each: each.ended - each.began)]
                only = len({each.code for each in left}) == 1 and left[0] not in late and not left[0].promised
                if not only or self._only_begins(left[0]) or not left[0].can_end():
                    return None
                return left[0].view({each.code for each in owner.last()} | left[0].inner)
        return None

    def _fresh(self, owner: Any) -> List[Candidate]:  # noqa: ANN401 - see watch
        """The calls that began meanwhile; on a reactor either what a thread ran, or what itself did.

        A thread's is the view if the reply was there as soon as its one result had come back.
        """
        fresh: List[Candidate] = [each for each in owner.last() if not each.resumed]
        if not self._in_reactor:
            return fresh
        elsewhere = [each for each in fresh if each.thread != self.reader]
        # A timer, or another thread, may be between the result and the reply.
        by_thread = len(elsewhere) == 1 and self._sends_back and not (self._was_ready or self._sent_late)
        if by_thread and not self._was_timed:
            return [each for each in fresh if id(each.frame) not in self._after]
        self._late |= self._after
        return [each for each in fresh if each not in elsewhere]

    def _only_begins(self, candidate: Candidate) -> bool:
        """Whether a function that a reactor called has returned before the reply was there, which came without it."""
        suspends = view_functions.may_await(candidate.code) or candidate.thread != self.reader
        return self._in_reactor and not suspends and not (self._is_ready and not self._suspends)

    def _whole(self) -> Optional[finding.View]:
        """The person's code that reads the request itself and sends the reply; None if it cannot be told."""
        if self.way.left or self.way.locked:
            return None
        for owner in self._owners:
            last = owner.last()
            if any(not each.resumed for each in last):
                return None
            if self._in_loop:
                codes = [each.code for each in last if id(each.frame) in self._around_reply]
            else:
                codes = self._reading_codes(owner)
            if codes:
                return view_functions.as_found(codes[0])
        return None

    def _is_by_libraries(self) -> bool:
        """Whether libraries alone answered, on the thread that read, which had all of the reply before it waited."""
        ends = [
            next(filter(_is_not_standard, each.values()), None) for each in (self._around_reader, self._around_reply)
        ]
        own = any(each.ran or any(end and each.is_own(end.f_code.co_filename) for end in ends) for each in self._owners)
        return not own and self._stays_here() and _is_complete(self._reply)

    def _stays_here(self, some: Sequence[Candidate] = ()) -> bool:
        """Whether all that answered, with these calls, ran on the thread that read, before that waited next."""
        if self._suspends or self.way.left or not self._in_reader or not self._is_ready:
            return False
        # What reads for many connections takes a lock for all of them, or for none.
        by_loop = self._in_loop or self._looked
        return (by_loop or not self.way.locked) and all(each.thread == self.reader for each in some)

    def _reading_codes(self, owner: Any) -> List[types.CodeType]:  # noqa: ANN401 - see watch
        around = list(filter(_is_not_standard, self._around_reader.values()))
        if self.waited or not self._in_reader or not around or not owner.is_own(around[0].f_code.co_filename):
            return []
        if any(map(with_locks.takes_lock, around)):
            return []
        both = [each for each in around if id(each) in self._around_reply]
        return [each.f_code for each in both if owner.is_own(each.f_code.co_filename)]


def _is_not_standard(frame: types.FrameType) -> bool:
    return not own_code.is_standard(frame.f_code.co_filename)


def _is_complete(reply: bytes) -> bool:
    head, end, body = reply.partition(b"\r\n\r\n")
    fields = [line.partition(b":") for line in head.lower().split(b"\r\n")[1:]]
    lengths = [int(value) for name, _, value in fields if name == b"content-length"]
    return bool(end) and len(lengths) == 1 and len(body) >= lengths[0]


_Result = TypeVar("_Result")


def quietly(function: Callable[[], _Result], *, instead: _Result) -> _Result:
    """Calls one of ours; the process does not notice an error. What it would have shown is not found."""
    try:
        return function()
    except Exception as error:
        startup_report.report_failure("socket", error)
        if finding.state()[0] == layout.WATCHED:
            finding.publish(layout.AT_ENTRY, 1)
        return instead


def _from_thread(original: Any) -> gate.Function:  # noqa: ANN401 - as Twisted's
    def callFromThread(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401, N802
        if not watch.is_watched() or len(args) < 2:
            return original(*args, **kwargs)
        context = contextvars.copy_context()
        context.run(_back.set, True)  # noqa: FBT003 - a context variable's
        reactor, task, *rest = args
        return original(reactor, context.run, task, *rest, **kwargs)

    return callFromThread


_latest: Optional[Seen] = None


def _profile(frame: types.FrameType, event: str, argument: object) -> None:
    seen, of = _latest, here.get()
    if seen is None or not seen.open:
        sys.setprofile(None)
        return
    # A thread that began meanwhile has a context of its own.
    if of is not seen.of and of is not None:
        return
    quietly(lambda: seen.noted(frame, event, argument), instead=None)
