"""How long a greenlet keeps the others from running: the blocking of gevent's or eventlet's hub.

A greenlet runs from the switch to it until the next switch away from it. `greenlet.settrace` reports each switch on
a thread; gevent's own monitor of blocked hubs (`gevent._tracer`) uses it too.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any, Callable, ContextManager, Dict, Iterator, Optional, Set, Tuple

from . import recorder

Notify = Callable[[], None]
_local = recorder.native_local()
with_bodies: Set[Any] = set()
"""The greenlets of all threads that run a body."""


def turns(resumes: Notify, yields: Notify) -> Optional[ContextManager[None]]:
    """A context in which every switch to and from the current greenlet is reported.

    Args:
        resumes: called when the greenlet begins to run.
        yields: called when it lets others run.

    Returns:
        None if the caller does not run in a greenlet that a hub started.
    """
    greenlet, me = sys.modules.get("greenlet"), current()
    return None if greenlet is None or me is None else _turns(greenlet, me, resumes, yields)


def current() -> Any:  # noqa: ANN401 - a greenlet
    """The greenlet in which the caller runs; None if that is not one that a hub started."""
    greenlet = sys.modules.get("greenlet")
    me = None if greenlet is None else greenlet.getcurrent()
    # A thread's main greenlet has no parent; greenlets that a hub started have one.
    return None if me is None or me.parent is None else me


@contextlib.contextmanager
def _turns(greenlet: Any, me: object, resumes: Notify, yields: Notify) -> Iterator[None]:  # noqa: ANN401 - a module
    tracer = getattr(_local, "tracer", None)
    if tracer is None:
        tracer = _local.tracer = _Tracer(greenlet)
    tracer.begin(me, resumes, yields)
    try:
        yield
    finally:
        tracer.end(me)


class _Tracer:
    """The greenlets of one thread that run a body, each with the two callbacks for its switches."""

    def __init__(self, greenlet: Any) -> None:  # noqa: ANN401 - a module
        self._greenlet = greenlet
        self._running: Dict[Any, Tuple[Notify, Notify]] = {}
        self._before: Optional[Callable[[str, Tuple[Any, Any]], None]] = None

    def begin(self, me: object, resumes: Notify, yields: Notify) -> None:
        if not self._running:
            self._before = self._greenlet.settrace(self._switched)
        self._running[me] = resumes, yields
        with_bodies.add(me)
        resumes()

    def end(self, me: object) -> None:
        _, yields = self._running.pop(me)
        with_bodies.discard(me)
        yields()
        if not self._running:
            self._greenlet.settrace(self._before)

    def _switched(self, event: str, of: Tuple[Any, Any]) -> None:
        if event in ("switch", "throw"):
            left, entered = (self._running.get(each) for each in of)
            if left is not None:
                left[1]()
            if entered is not None:
                entered[0]()
        if self._before is not None:
            self._before(event, of)
