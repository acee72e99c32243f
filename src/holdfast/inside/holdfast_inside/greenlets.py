"""For how long a greenlet lets no other one run: the stops of the loop (hub) of gevent or eventlet.

A greenlet runs from the switch to it until the next one away from it. `greenlet.settrace` tells of each switch on
a thread; gevent's own monitor of blocked hubs (`gevent._tracer`) uses it, too.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any, Callable, ContextManager, Dict, Iterator, Optional, Tuple

from . import recorder

Told = Callable[[], None]
_local = recorder.native_local()


def turns(resumes: Told, yields: Told) -> Optional[ContextManager[None]]:
    """While it lasts, tells whenever the greenlet in which it was entered runs, and when it lets others run.

    Returns:
        None where no greenlet of a hub runs.
    """
    greenlet = sys.modules.get("greenlet")
    if greenlet is None:
        return None
    me = greenlet.getcurrent()
    # The first greenlet of a thread is the thread itself. What runs beside others was started, by a hub.
    return None if me.parent is None else _turns(greenlet, me, resumes, yields)


@contextlib.contextmanager
def _turns(greenlet: Any, me: object, resumes: Told, yields: Told) -> Iterator[None]:  # noqa: ANN401 - a module
    tracer = getattr(_local, "tracer", None)
    if tracer is None:
        tracer = _local.tracer = _Tracer(greenlet)
    tracer.begin(me, resumes, yields)
    try:
        yield
    finally:
        tracer.end(me)


class _Tracer:
    """Of one thread: the greenlets that run a body, and whom to tell of each."""

    def __init__(self, greenlet: Any) -> None:  # noqa: ANN401 - a module
        self._greenlet = greenlet
        self._running: Dict[Any, Tuple[Told, Told]] = {}
        self._before: Optional[Callable[[str, Tuple[Any, Any]], None]] = None

    def begin(self, me: object, resumes: Told, yields: Told) -> None:
        if not self._running:
            self._before = self._greenlet.settrace(self._switched)
        self._running[me] = resumes, yields
        resumes()

    def end(self, me: object) -> None:
        _, yields = self._running.pop(me)
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
