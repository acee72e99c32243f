"""Lets a request be followed through a queue: from the thread that puts something into it to the one that takes it out.

Some frameworks have threads of their own, which wait for work at a `queue.Queue`. What a request puts there is noted,
and the thread that takes it runs for that request until it comes back to the queue. What it does is a part of the
request's way only if the thread that waits takes an answer of it from a queue: a record for a log is none. Anything
else passes as before. gevent and eventlet have queues of their own, which they also put in the place of the standard
library's.
"""

from __future__ import annotations

import contextvars
import functools
import sys
from typing import Any, Dict, Optional, Tuple


class Brought:
    """A request that came to a thread through a queue.

    Attributes:
        has_answered: whether that thread has put something into a queue from which the one that waited has taken it.
    """

    __slots__ = ("has_answered",)

    def __init__(self) -> None:
        self.has_answered = False


_GATE = f"{__package__}.gate"
_SHARED = (type(None), bool, int, str, bytes)
"""Types of values that are one object wherever they occur."""

_notes: Dict[int, Tuple[object, Any, Any, Any]] = {}
"""What is in a queue, by identity: itself, then the request that has put it there, watched or to be held."""
_answers: Dict[int, Tuple[object, Brought]] = {}
"""The queues into which a thread has put something for a watched request that was brought to it, by identity."""
_brought: contextvars.ContextVar[Optional[Brought]] = contextvars.ContextVar("holdfast brought", default=None)
"""Not of the thread: what runs there in a context of its own has come with that (AnyIO's worker threads)."""

_parts: Optional[Tuple[Any, Any, Any]] = None
"""The modules that know of requests, once they are loaded: to import them anew for each item takes too long."""


def install(name: str) -> None:
    """Notes what passes through the queues of the imported module; the functions are replaced, as in `accepting`."""
    cls: Any = sys.modules[name].Queue
    put, get = cls.put, cls.get

    @functools.wraps(put)
    def noting_put(self: Any, item: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the standard library's
        # The application must not notice; what was missed is not found. `suppress` would take as long as the rest.
        try:  # noqa: SIM105
            _put(self, item)
        except Exception:  # noqa: S110
            pass
        return put(self, item, *args, **kwargs)

    @functools.wraps(get)
    def noting_get(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        try:  # noqa: SIM105
            _come_back()
        except Exception:  # noqa: S110
            pass
        item = get(self, *args, **kwargs)
        try:  # noqa: SIM105
            _got(self, item)
        except Exception:  # noqa: S110
            pass
        return item

    try:
        cls.put, cls.get = noting_put, noting_get
    except TypeError:
        # gevent's are compiled.
        _replace(name, cls, {"put": noting_put, "get": noting_get})


def _replace(module: str, cls: type, functions: Dict[str, Any]) -> None:
    """Puts heirs with these functions in the place of a class and its heirs, where pickle finds them.

    What is compiled keeps those in the module that has compiled them: it takes more from there than Python sees.
    """
    there = sys.modules[module]
    noting = _heir(module, cls, (cls,), functions)
    for name, each in list(vars(there).items()):
        if each is cls:
            setattr(there, name, noting)
        elif isinstance(each, type) and issubclass(each, cls):
            setattr(there, name, _heir(module, each, (each, noting), {}))


def _heir(module: str, cls: type, bases: Tuple[type, ...], functions: Dict[str, Any]) -> type:
    return type(cls.__name__, bases, {"__slots__": (), "__module__": module, "__doc__": cls.__doc__, **functions})


def brought() -> Optional[Brought]:
    """What is known of the request for which the caller runs, if that came to its thread through a queue."""
    return _brought.get()


def _loaded() -> Optional[Tuple[Any, Any, Any]]:
    global _parts  # noqa: PLW0603 - of the whole process
    if _GATE in sys.modules:
        from . import finding, gate, watch

        _parts = finding, gate, watch
    return _parts


def _put(queue: object, item: object) -> None:
    if (parts := _parts or _loaded()) is None:
        return
    finding, gate, watch = parts
    watched, held, by = watch.current(), gate.on_its_way(), brought()
    if watched is not None and by is not None:
        _answers[id(queue)] = queue, by
    if held is not None and (held.claim.held or not finding.view().brought):
        held = None
    if (watched is not None or held is not None) and not isinstance(item, _SHARED):
        sender = () if watched is None else tuple(watched.around(sys._getframe(2)))  # noqa: SLF001 - the one that puts
        _notes[id(item)] = item, watched, held, sender


def _got(queue: object, item: object) -> None:
    if (parts := _parts or _loaded()) is None:
        return
    _, gate, watch = parts
    # On the thread that has asked, it is the answer.
    if watch.current() is not None or gate.on_its_way() is not None:
        _, by = _answers.pop(id(queue), (None, None))
        if by is not None:
            by.has_answered = True
        return
    note = _notes.get(id(item))
    if note is None or note[0] is not item:
        return
    del _notes[id(item)]
    _brought.set(Brought())
    # It may have been held meanwhile, on the thread that has put this there for another purpose.
    gate.current.set(None if note[2] is None or note[2].claim.held else note[2])
    watch.begin_here(note[1], note[3])


def _come_back() -> None:
    if brought() is not None:
        from . import gate, watch

        _brought.set(None)
        gate.current.set(None)
        watch.end_here()
