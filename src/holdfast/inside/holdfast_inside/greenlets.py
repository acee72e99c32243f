"""For how long a greenlet lets no other one run: the stops of the loop (hub) of gevent or eventlet.

A greenlet runs from the switch to it until the next one away from it. `greenlet.settrace` tells of each switch on
a thread; gevent's own monitor of blocked hubs (`gevent._tracer`) uses it, too.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import recorder

Took = Callable[[int], None]
_local = recorder.native_local()


def tracing(took: Took) -> Optional[Callable[[Callable[[], Any]], Any]]:
    """What runs a function and tells how long each stretch of it took, ns; None where no greenlet of a hub runs."""
    greenlet = sys.modules.get("greenlet")
    if greenlet is None:
        return None
    me = greenlet.getcurrent()
    # The first greenlet of a thread is the thread itself. What runs beside others was started, by a hub.
    if me.parent is None:
        return None

    def traced(body: Callable[[], Any]) -> Any:  # noqa: ANN401 - what it returns
        tracer = getattr(_local, "tracer", None)
        if tracer is None:
            tracer = _local.tracer = _Tracer(greenlet)
        tracer.begin(me, took)
        try:
            return body()
        finally:
            tracer.end(me)

    return traced


class _Tracer:
    """Of one thread: the greenlets that run a body, and since when the current one of them has been running."""

    def __init__(self, greenlet: Any) -> None:  # noqa: ANN401 - a module
        self._greenlet = greenlet
        self._running: Dict[Any, List[Any]] = {}
        self._before: Optional[Callable[[str, Tuple[Any, Any]], None]] = None

    def begin(self, me: object, took: Took) -> None:
        if not self._running:
            self._before = self._greenlet.settrace(self._switched)
        self._running[me] = [took, time.monotonic_ns()]

    def end(self, me: object) -> None:
        took, since_ns = self._running.pop(me)
        took(time.monotonic_ns() - since_ns)
        if not self._running:
            self._greenlet.settrace(self._before)

    def _switched(self, event: str, of: Tuple[Any, Any]) -> None:
        if event in ("switch", "throw"):
            now_ns = time.monotonic_ns()
            left, entered = (self._running.get(each) for each in of)
            if left is not None:
                left[0](now_ns - left[1])
            if entered is not None:
                entered[1] = now_ns
        if self._before is not None:
            self._before(event, of)
