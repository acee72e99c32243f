"""One call of a person's own function that may be the view, and what it shows of itself (see `watch`)."""

from __future__ import annotations

import threading
import time
import types
from typing import Any, Callable, Dict, FrozenSet, List, Optional, Set, Tuple

from . import finding, installed_app, queues, view_functions

Frames = List[types.FrameType]
_MOST_DECORATORS = 20


class Candidate:
    """One call of the person's own function by code of others.

    Attributes:
        frame: of the call.
        callers: the frames around it, the nearest first, across threads where that is known.
        inner: the codes of the person's functions that it calls by itself, or through others of them, as decorators do.
        within: whether it was called inside the function in which the view is looked for.
        made: the codes of functions that it returned: one of any, or several of its own.
        given: each response that it was given, with what that had for its attributes.
        asked: whether it was given a request.
        answered: whether it changed one of these.
        passed_on: whether it returned what it was given, as what looks at each reply does, or a function.
        promised: whether it returned what will have its result later, and is no coroutine itself.
        brought: what is known of its request, if that came to its thread through a queue; None where it did not.
        resumed: whether it had begun before the request was watched.
        returned: whether it returned anything but None.
        thread: the one that called it.
        returns, response: what it returned, as `finding.View` has it.
    """

    __slots__ = (
        *(
            "answered",
            "asked",
            "began",
            "brought",
            "callers",
            "code",
            "ended",
            "frame",
            "given",
            "inner",
            "made",
            "passed_on",
            "response",
        ),
        *("promised", "resumed", "returned", "returns", "thread", "within"),
    )

    def __init__(self, frame: types.FrameType, callers: Frames, *, within: bool) -> None:
        self.within = within
        self.frame = frame
        self.code = frame.f_code
        self.callers = callers
        self.inner: Set[types.CodeType] = set()
        self.made: FrozenSet[types.CodeType] = frozenset()
        self.passed_on = self.returned = self.answered = self.promised = False
        self.brought = queues.brought()
        self.resumed = view_functions.is_resumed(frame)
        self.thread = threading.get_ident()
        self.given = [(each, attributes(each)) for each in _named(frame, "Response")]
        self.asked = bool(_named(frame, "Request"))
        self.returns, self.response = 0, ""
        self.began = self.ended = time.monotonic()

    def rank(self, *, within: bool) -> Tuple[float, int, float]:
        """What the view has most of, of several that were called one after another.

        The longest: what is before and after a view is usually short. Of those to which a library's view has given the
        request, the last: a login comes before.

        Args:
            within: whether the view is looked for in what a library's view calls.
        """
        return self.began if within and self.asked else 0.0, len(self.callers), self.ended - self.began

    def around(self, is_own: Callable[[str], bool]) -> List[int]:
        """Which of the frames around it are the owner's."""
        return [at for at, frame in enumerate(self.callers) if is_own(frame.f_code.co_filename)]

    def comes_back(self, is_own: Callable[[str], bool]) -> bool:
        """Whether a package that has called the owner's outermost function around it calls it from the innermost."""
        own = self.around(is_own)
        packages = [installed_app.package_of(each.f_code.co_filename) for each in self.callers]
        return bool(own) and not ({*packages[own[-1] + 1 :]} - {""}).isdisjoint(packages[: own[0]])

    def is_made_in_request(self) -> bool:
        """Whether a call around it has made the function, as middleware makes its own `start_response` or `send`."""
        return any(self.code in frame.f_code.co_consts for frame in self.callers)

    def has_a_part(self) -> bool:
        """Whether the request waited for it, where it was called on a thread that waits at a queue."""
        return self.brought is None or self.brought.has_answered

    def can_end(self) -> bool:
        """Whether a hold can end by what it returned, where a thread that waits at a queue may not outlive an error.

        Of an object of a class it is not known whether another one can be made.
        """
        return self.brought is None or 0 < self.returns < finding.A_RESPONSE

    def view(self, called: Set[types.CodeType], *, driven: bool = False) -> Optional[finding.View]:
        """The function to hold, if this is the call of the view; None if it cannot be held.

        Args:
            driven: as of `view_functions.to_hold`.
        """
        found = view_functions.to_hold(self.code, self.returns, self.response, called, driven=driven)
        return None if found is None else found._replace(brought=self.brought is not None)


def around_own(
    frame: Optional[types.FrameType], calls: Dict[int, Candidate], is_own: Callable[[str], bool]
) -> Optional[Candidate]:
    """The candidate, by its frame in `calls`, that has come to this frame through the owner's functions alone."""
    for _ in range(_MOST_DECORATORS):
        if frame is None or not is_own(frame.f_code.co_filename):
            return None
        if id(frame) in calls:
            return calls[id(frame)]
        frame = frame.f_back
    return None


def made_by(frame: types.FrameType, result: Any) -> FrozenSet[types.CodeType]:  # noqa: ANN401 - anything
    """The codes of the functions that a call returned: of one, or in a collection those that it has made itself."""
    code = getattr(getattr(result, "__func__", result), "__code__", None)
    if isinstance(code, types.CodeType):
        return frozenset((code,))
    # In one step: another thread may change it meanwhile.
    several = list(result.values()) if type(result) is dict else result if type(result) in {list, tuple} else ()
    codes = [each.__code__ for each in several if type(each) is types.FunctionType]
    return frozenset(each for each in codes if each in frame.f_code.co_consts)


def attributes(thing: object) -> Dict[str, int]:
    """What an object has for each of its attributes, by identity."""
    names = set(getattr(thing, "__dict__", ()))
    for cls in type(thing).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        names.update((slots,) if isinstance(slots, str) else slots)
    return {name: id(getattr(thing, name, None)) for name in names}


def _named(frame: types.FrameType, kind: str) -> List[object]:
    """Its arguments of a class of such a name."""
    return [each for each in arguments(frame) if type(each).__name__.endswith(kind)]


def arguments(frame: types.FrameType) -> List[object]:
    """What a function was called with, `*args` and `**kwargs` left out."""
    names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    return [frame.f_locals.get(name) for name in names]
