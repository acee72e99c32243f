"""Finds the function that answers a request, by watching one request go through an application of any framework.

The first request of a run is answered by the application as any other is, while a profile function sees each call of a
Python function on its way. The person's own functions that code of others calls are candidates: middleware, hooks,
views, callbacks. Of these

- a callback that a library calls on behalf of a view (a converter, a listener) is left out: between it and the view
  lies no code of the framework, and nothing that was given the request;
- one that a call around it has made, such as a `start_response` of middleware, is left out;
- one inside which another is called is middleware;
- one that returns a function that is called after it only makes what answers (ASGI 2);
- of several that are called one after another, those are hooks that are also called for a path that does not exist
  (which is asked for only then), those that return nothing, those that return what they were given, and those that
  return a function: plug-ins that a framework asks for a wrapper around the view, at its first request only; where all
  return nothing, those that leave the response that they were given as it was.

What is left is the view, and every later request is held there. Nothing is watched then, so a held request costs
what it would cost without this. Threads that begin meanwhile are watched too, and so is what is sent to an executor
(see `gate.keeping_context`). A task is recognised by its context: what loses that cannot be held either.
"""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import sys
import threading
import time
import types
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Optional, Set, Tuple

from . import code_patch, finding, installed_app, own_code, recorder, request, staying, view_functions
from .candidate import Candidate, Frames, arguments, around_own, attributes, made_by

_NO_FUNCTIONS = ("<module>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_DEEPEST = 500
_local = recorder.native_local()  # `watch`: of the request that the thread serves, if any, beside other greenlets


class _Code:
    """The functions of one owner that are called in a request: the person's, or an installed application's.

    Attributes:
        is_own: whether a file is the owner's.
        ran: whether any function of the owner was called.
        is_whole: whether the function that answers is the application itself, and its body runs after it was called,
            as a generator's does, or it is made anew for each request; known when `view` was called.
        is_gateless: whether what answers awaits nothing, was called on the thread that began, and has no gate.
        is_anew: whether it is gateless and may be made anew.
    """

    def __init__(
        self, is_own: Callable[[str], bool], claim: request.RequestClaim, is_within: Optional[Callable[[Frames], bool]]
    ) -> None:
        self.is_own = is_own
        self._is_within = is_within
        self.ran = self.is_whole = self.is_gateless = self.is_anew = False
        self._claim = claim
        self._calls: Dict[int, Candidate] = {}  # by frame; what runs on, on another thread, adds more at any time
        self._foreign: Set[types.CodeType] = set()
        self._elsewhere: Optional[Set[types.CodeType]] = None
        self._is_elsewhere = False
        self._thread = threading.get_ident()

    def called(self, frame: types.FrameType, around: Callable[[Optional[types.FrameType]], Frames]) -> None:
        """Notes the call of a function, or the resumption of a coroutine, which is the same call."""
        code = frame.f_code
        if code in self._foreign:
            return
        is_function = code.co_flags & inspect.CO_OPTIMIZED and code.co_name not in _NO_FUNCTIONS
        if not (is_function and self.is_own(code.co_filename)):
            self._foreign.add(code)
            return
        self.ran = True
        if id(frame) in self._calls:
            return
        caller = frame.f_back
        if caller is not None and self.is_own(caller.f_code.co_filename):
            nearest = around_own(caller, self._calls, self.is_own)
            if nearest is not None:
                nearest.inner.add(code)
            return
        if self._elsewhere is not None:
            self._elsewhere.add(code)
            return
        callers = around(frame.f_back)
        self._calls[id(frame)] = Candidate(frame, callers, within=self._is_within is None or self._is_within(callers))

    def returns(self, frame: types.FrameType, result: object, *, answered: bool) -> None:
        """Notes what a call returned; a coroutine's last result counts.

        Args:
            answered: the reply is complete; then the framework waits for nothing that the view would return.
        """
        found = self._calls.get(id(frame))
        if found is not None:
            found.returned = result is not None
            found.promised = not view_functions.runs_later(found.code) and inspect.isawaitable(result)
            found.made = made_by(frame, result)
            found.answered = any(attributes(each) != before for each, before in found.given)
            is_given = type(result) is types.FunctionType or any(each is result for each in arguments(frame))
            found.passed_on = found.returned and is_given
            found.returns = 0 if answered else finding.place_of(result)
            found.response = f"{type(result).__module__}:{type(result).__name__}"
            found.ended = time.monotonic()

    def begun(self, frames: List[int]) -> List[Candidate]:
        """The calls of these frames, in the order in which they began."""
        return [self._calls[each] for each in frames if each in self._calls]

    def keep_elsewhere(self, thread: int) -> None:
        """Leaves out what was called on a thread; of the rest, it need not be the framework that called it."""
        self._calls = {id: each for id, each in list(self._calls.items()) if each.thread != thread}
        self._is_elsewhere = True

    def is_doubtful(self) -> bool:
        """Whether several functions may be the view. From now on only what is called elsewhere is noted."""
        self._elsewhere, last = set(), self.last()
        return len(last) > 1 or any(map(self._senders, last))

    def view(self) -> Optional[finding.View]:
        """The function that answered, or None if none was seen that can be told from others and can be held."""
        called = {each.code for each in list(self._calls.values())}
        # A coroutine whose beginning was no call by others is none when it is resumed.
        last = [each for each in self.last() if not each.made & called and not each.resumed]
        of_path = [each for each in last if each.code not in (self._elsewhere or ())] or last
        answered = [each for each in of_path if each.answered] or of_path
        returning = [each for each in of_path if each.returned] or answered
        answering = [each for each in returning if not each.passed_on] or returning
        chosen = max(answering, key=lambda each: each.rank(within=self._is_within is not None), default=None)
        chosen = None if chosen is None else self._sent_by_view(chosen)
        if chosen is None or self._is_sent_twice(chosen) or not chosen.can_end():
            return None
        # What is made anew for each request has no function that could be held.
        anew = any(chosen.code in each.code.co_consts for each in list(self._calls.values()))
        here = chosen.thread == self._thread
        direct = here and all(map(installed_app.is_of_server, chosen.callers))
        self.is_whole = direct and (anew or view_functions.runs_later(chosen.code))
        found = None if self.is_whole else chosen.view(called | chosen.inner)
        gated = any(code_patch.is_gate(each.f_code) for each in chosen.callers[:2])
        self.is_gateless = here and not gated and not view_functions.may_await(chosen.code)
        self.is_anew = self.is_gateless and found is not None and (anew or "<locals>" in found.qualname)
        return found

    def _is_sent_twice(self, candidate: Candidate) -> bool:
        """Whether a function on another thread ran more than once: it may run whatever is sent to any of them."""
        calls = [each for each in list(self._calls.values()) if each.code is candidate.code]
        # Of an endpoint it is known that it answers, and where: by what it calls.
        return self._is_within is None and candidate.thread != self._thread and len(calls) > 1

    def _senders(self, candidate: Candidate) -> List[Candidate]:
        """What of the owner's was running where the candidate was sent to another thread, the outermost first."""
        if self._is_within is not None or candidate.thread == self._thread or not candidate.comes_back(self.is_own):
            return []
        return [self._calls[id(each)] for each in reversed(candidate.callers) if id(each) in self._calls]

    def _sent_by_view(self, candidate: Candidate) -> Optional[Candidate]:
        """The view that sent a candidate to a thread of the framework's, or the candidate; None if both may be it."""
        senders, elsewhere = self._senders(candidate), self._elsewhere or set()
        unless = None if senders and candidate.code in elsewhere else candidate
        return next((each for each in senders if each.code not in elsewhere), unless)  # middleware is for any path

    def last(self) -> List[Candidate]:
        """The candidates inside which no other one was called."""
        within = [each for each in list(self._calls.values()) if each.within and each.has_a_part()]
        candidates = [each for each in within if self._is_of_framework(each) and not each.is_made_in_request()]
        around = {id(frame) for each in candidates for frame in each.callers}
        return [each for each in candidates if id(each.frame) not in around]

    def _is_of_framework(self, candidate: Candidate) -> bool:
        """Whether the framework called it, and not a library that another of the candidates uses."""
        own = candidate.around(self.is_own)
        if not own or self._is_elsewhere or candidate.comes_back(self.is_own):
            return True
        given: List[Any] = [each for frame in candidate.callers[: own[0]] for each in arguments(frame)]
        # type(), not isinstance: that would ask the person's objects, some of which do something then.
        return any(issubclass(type(each), dict) and each.get(request.KEY) is self._claim for each in given)


class Watch:
    """What is seen of one request.

    Attributes:
        open: whether the request is still on its way.
        answered: whether the reply is complete, or the application has returned.
        is_whole: whether the application's own code answers, and can be held at its entry only; known after `view`.
        is_gateless, is_anew: as of the code that answers; known after `view`.
        stays: whether nothing but libraries was seen to answer, on the thread that began; known after `view`.
    """

    def __init__(
        self,
        claim: request.RequestClaim,
        entry: Optional[types.FrameType],
        foreign: FrozenSet[str] = frozenset(),
        within: Optional[types.FunctionType] = None,
        package: str = "",
    ) -> None:
        self._entry = entry
        self._within = None if within is None else within.__code__
        self._came_within, self._thread = False, threading.get_ident()
        is_within = None if within is None else self._is_within
        persons = _Code(lambda path: own_code.is_own(path) and path not in foreign, claim, is_within)
        caller = installed_app.that_calls(entry)
        # What calls the application belongs to it only where the application has brought it.
        installed = installed_app.packages(without="" if caller == package else caller)
        self._owners = [persons, *(_Code(installed_app.is_in(each), claim, is_within) for each in installed)]
        self.open = True
        self.answered = self.is_whole = self.is_gateless = self.is_anew = self.stays = False
        self.way = staying.Way()

    def called(self, frame: types.FrameType) -> None:
        """Notes the call of a function, or the resumption of a coroutine."""
        self.way.called(frame)
        self._came_within |= frame.f_code is self._within
        for each in self._owners:
            each.called(frame, self.around)

    def _is_within(self, callers: Frames) -> bool:
        if any(each.f_code is self._within for each in callers):
            return True
        # Who sent it to a thread is not always known; what comes before the endpoint is over by then.
        return self._came_within and threading.get_ident() != self._thread

    def around(self, frame: Optional[types.FrameType]) -> Frames:
        """The frames from this one outwards as far as the entry, then those that sent the task to this thread."""
        found: Frames = []
        while frame is not None and frame is not self._entry and len(found) < _DEEPEST:
            found.append(frame)
            frame = frame.f_back
        return [*found, *_sent_from.get()]

    def returns(self, frame: types.FrameType, result: object) -> None:
        """Notes what a call returned."""
        for each in self._owners:
            each.returns(frame, result, answered=self.answered)

    def is_doubtful(self) -> bool:
        """Whether several functions may be the view; only what is called for another path is noted from now on."""
        before = sys.getprofile()
        # What this asks of the person's objects is no part of the request; some raise whatever is asked of them.
        sys.setprofile(None)
        try:
            return sum(each.is_doubtful() for each in self.answering()) > 0
        finally:
            sys.setprofile(before)

    def view(self, *, elsewhere: bool = False) -> Optional[finding.View]:
        """The function that answered, or None if none was seen that can be told from others and can be held.

        An installed application's, if none of the person's own functions ran.

        Args:
            elsewhere: only those on another thread than the one that began.
        """
        owners = self.answering()
        if elsewhere:
            for each in owners:
                each.keep_elsewhere(self._thread)
        found = next((view for view in map(_Code.view, owners) if view is not None), None)
        self.is_whole = found is None and any(each.is_whole for each in owners)
        self.is_gateless = any(each.is_gateless for each in owners)
        self.is_anew = any(each.is_anew for each in owners)
        self.stays = self.way.seen and not self.way.left and not any(each.last() for each in self._owners)
        self._owners, self._entry = [], None
        return found

    def answering(self) -> List[_Code]:
        """Whose functions may be the view: the person's, if any of them ran."""
        persons, *installed = self._owners
        return [persons] if persons.ran else installed


_current: contextvars.ContextVar[Optional[Watch]] = contextvars.ContextVar("holdfast watch", default=None)
_sent_from: contextvars.ContextVar[Tuple[types.FrameType, ...]] = contextvars.ContextVar("holdfast sent", default=())


@contextlib.contextmanager
def watching(
    claim: request.RequestClaim,
    entry: types.FrameType,
    foreign: FrozenSet[str],
    within: Optional[types.FunctionType] = None,
    package: str = "",
) -> Iterator[Watch]:
    """Watches what runs in this block, here and on threads that it uses.

    Args:
        entry: the frame that calls the application; what is outside of it does not count.
        foreign: files of a framework that lie among the person's own.
        within: the function inside which the view is called; None where it is not known.
        package: the installed package that has the application's code; "" where it is in none.
    """
    token = _current.set(watch := Watch(claim, entry, foreign, within, package))
    # A profiler of the person's own keeps its place; then nothing is seen.
    free = sys.getprofile() is None
    before = getattr(threading, "_profile_hook", None)
    if free:
        threading.setprofile(profile)
        sys.setprofile(profile)
        _local.watch = watch
    try:
        yield watch
    finally:
        if sys.getprofile() is profile:
            sys.setprofile(None)
        if free:
            threading.setprofile(before)
            _local.watch = None
        watch.open = False
        _current.reset(token)


elsewhere: List[Callable[[], Optional[Watch]]] = []
"""Of what knows the watched request by something else than the context in which the caller runs."""


def current() -> Optional[Watch]:
    """What is seen of the request for which the caller runs; None if that is not watched."""
    found = _current.get()
    return next(filter(None, (find() for find in elsewhere)), None) if found is None and elsewhere else found


def begin_here(watch: Optional[Watch], sender: Tuple[types.FrameType, ...]) -> None:
    """Watches what this thread, or greenlet, does from now on, for a request that was sent to it."""
    if watch is None or not watch.open or sys.getprofile() not in (None, profile):
        return
    _current.set(watch)
    _sent_from.set(sender)
    sys.setprofile(profile)


def end_here() -> None:
    """Ends what `begin_here` has begun."""
    if _current.get() is not None:
        _current.set(None)
        _sent_from.set(())
        # The watched request needs it too, where that is served by another greenlet of this thread.
        if sys.getprofile() is profile and getattr(_local, "watch", None) is None:
            sys.setprofile(None)


def is_watched() -> bool:
    """Whether the caller runs for a request that is watched."""
    return current() is not None


def watched(task: Callable[..., Any]) -> Callable[..., Any]:
    """The task, watched on the thread on which it will run; for one that is sent there by a watched request."""
    watch = current()
    sender = () if watch is None else tuple(watch.around(sys._getframe(1)))  # noqa: SLF001 - one's callers

    def run(*args: object, **kwargs: object) -> object:
        before = sys.getprofile()
        # A thread that began while the request was watched has it already.
        if before not in (None, profile):
            return task(*args, **kwargs)
        token = _sent_from.set(sender)
        sys.setprofile(profile)
        try:
            return task(*args, **kwargs)
        finally:
            sys.setprofile(before)
            _sent_from.reset(token)

    return run


def unseen(function: Callable[..., object], *args: object, **kwargs: object) -> object:
    """Calls a function that does not count as a part of the way, nor does what it runs in a copy of its context."""
    before = sys.getprofile()
    token = _current.set(None)
    sys.setprofile(None)
    try:
        return function(*args, **kwargs)
    finally:
        sys.setprofile(before)
        _current.reset(token)


def profile(frame: types.FrameType, event: str, argument: object) -> None:
    """The profile function of each thread on which a watched request may run."""
    watch = current()
    if watch is None:
        return
    if not watch.open:
        # A thread that began while the request was watched.
        sys.setprofile(None)
        return
    try:
        if event == "call":
            watch.called(frame)
        elif event == "return":
            watch.returns(frame, argument)
        elif event == "c_call":
            watch.way.built_in(frame, argument)
    except Exception:
        # The application must not notice; what was missed is not found.
        watch.open = False
