"""What happens to a claimed request at the entry of an application of no framework that holdfast knows.

- A plain application (see `own_code`) is itself the person's view: the request is held where it is called.
- Otherwise the first request is watched on its way (see `watch`). If a function is found that answers, later ones are
  held in it. If something further in holds the request, such as the hook of a framework that is mounted there, entries
  let it pass. If neither is found, it is held at the innermost entry, and the record says that this is not a view.

An entry is where an application is called through an interface: by the server, or by a bridge from one to the other.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import sys
import types
from typing import Any, Dict, Iterator, List, Optional, Tuple

from . import find_views, finding, gate, greenlets, hooks, layout, own_code, recorder, request, view_functions, watch

PASS, WATCH, HOLD, LEAD, LEAD_ANEW = range(5)
NO_PATH = "/holdfast-asks-for-no-page"
"""What an application is asked for to see which of its functions run for every path."""


_RETURNED: Tuple[object, ...] = (None, None, "held\n", b"held\n", {})


def _ending(view: finding.View) -> gate.Ending:
    """How a view that was found ends: as it did when it was watched, so that what the framework runs after it runs."""
    if view.returns != finding.A_RESPONSE:
        return gate.Ending(gate.Released, lambda: copy.copy(_RETURNED[view.returns]), returns=view.returns > 0)
    module, _, name = view.response.partition(":")
    made: Any = getattr(sys.modules.get(module), name, None)
    try:
        made()
    except Exception:
        return gate.PLAIN
    return gate.Ending(gate.Released, made, returns=True)


class Entry:
    """One application as it is called through an interface.

    Attributes:
        interface: "wsgi", "asgi" or "rsgi".
        function: the function that answers, if the application is plain. One of a library is watched nevertheless: it
            may find the person's code in a way that is not followed.
        held_in: the entry in words.
        endpoint: the function of a library that a known framework calls as its view, and that calls the person's;
            None where it is an application that is called.
        elsewhere: whether another function than the endpoint answers only where it runs on another thread.
    """

    __slots__ = (
        "_again",
        "_foreign",
        "_gates",
        "_in_front",
        "_is_own",
        "_package",
        "elsewhere",
        "endpoint",
        "function",
        "held_in",
        "interface",
        "unless_asked",
    )

    def __init__(self, application: object, interface: str, held_in: str = "") -> None:
        self.interface = interface
        # What to do before any request was watched: a framework that is loaded may hold it further in.
        self.unless_asked = PASS if hooks.leads_to_views() else HOLD
        self.function = own_code.plain_function(application)
        self._is_own = self.function is not None and own_code.is_own(self.function.__code__.co_filename)
        self.held_in = held_in or f"{interface} entry"
        self._foreign = own_code.framework_files(application)
        self._package = own_code.package_name(application)
        self._gates: Optional[Tuple[finding.View, List[gate.Gate]]] = None
        self._in_front = False
        # Some proxies raise whatever is asked of them.
        with contextlib.suppress(Exception):
            self._in_front = find_views.leads_to_views(application)
        self.endpoint: Optional[types.FunctionType] = None
        self._again = self.elsewhere = False

    def arrive(self, claim: Optional[request.RequestClaim]) -> int:
        """What to do with a request that comes to this entry: PASS, WATCH, HOLD, LEAD (to the view) or LEAD_ANEW."""
        if claim is None or claim.held:
            return PASS
        if self._is_own:
            return HOLD
        claim.depth += 1
        known, at = finding.state()
        if known in (layout.ASKED, layout.ASKED_AGAIN, layout.WATCHED):
            finding.publish(layout.WATCHED, claim.depth)
            return WATCH
        return self._as_known(claim.depth, known, at)

    def _as_known(self, depth: int, known: int, at: int) -> int:
        if known == layout.NOT_ASKED:
            return self.unless_asked
        if known == layout.INSIDE or depth < at:
            return PASS
        if known == layout.MADE_ANEW and depth == at:
            return LEAD_ANEW
        found = known in (layout.IN_VIEW, layout.IN_FRONT)
        return LEAD if found and depth == at and self.gates() else HOLD

    @contextlib.contextmanager
    def watching(self, claim: request.RequestClaim, frame: types.FrameType) -> Iterator[watch.Watch]:
        """Watches a request behind this entry, and then tells all processes what it has shown.

        Args:
            frame: the one that calls the application.
        """
        found, at_entry = None, layout.AT_ENTRY
        seen: Optional[watch.Watch] = None
        before, led = recorder.times_entered(claim.id), request.times_led()
        gate.keep_context_in_threads()
        try:
            with watch.watching(claim, frame, self._foreign, self.endpoint, self._package) as seen:
                yield seen
            seen.answered = True
        finally:
            # Where a framework that is known has named the view, what answers is around that, or calls it where the
            # request cannot be followed to, on a thread or in a task of the application's own.
            if request.times_led() > led:
                seen = None
            # What has answered and raises then, as a consumer of Channels does when its client leaves, has been seen.
            if seen is not None and seen.answered:
                found = seen.view(elsewhere=self.elsewhere)
                if seen.is_whole:
                    at_entry = layout.AT_WHOLE
                elif seen.stays and not seen.way.locked:
                    at_entry = layout.AT_LIBRARIES
                elif seen.stays and not self._again:
                    # Some take a lock at their first request only, to set something up.
                    at_entry, self._again = layout.ASKED_AGAIN, True
            # What a handler raises may be that its client has left.
            if self.elsewhere and found is None and seen is not None and seen.way.seen and not seen.way.left:
                at_entry = layout.AT_WHOLE
            # An entry further in knows better.
            if finding.state()[0] == layout.WATCHED:
                # Not by the claim: an application may hand on a scope of its own, which makes a claim of its own.
                inside = recorder.times_entered(claim.id) > before
                in_view = layout.IN_FRONT if self._in_front and self.endpoint is None else layout.IN_VIEW
                in_view = layout.MADE_ANEW if self._is_made_anew(seen, found) else in_view
                known = layout.INSIDE if inside else at_entry if found is None else in_view
                finding.publish(known, claim.depth, found)

    def gates(self) -> List[gate.Gate]:
        """The gates in the view that was found; none if this process does not have it."""
        view = finding.view()
        if self._gates is None or self._gates[0] != view:
            found = [gate.put_in(each) for each in view_functions.functions_of(view)]
            self._gates = view, [each for each in found if each is not None]
        return self._gates[1]

    def _is_made_anew(self, seen: Optional[watch.Watch], found: Optional[finding.View]) -> bool:
        """Whether the function that answered may be another one for each request, or on each thread.

        So it is where a request was led to it before, and one that was watched then has come to one without a gate.
        """
        if seen is None or found is None or not seen.is_gateless or self.interface != "wsgi" or self.endpoint:
            return False
        # A profile function is of a thread: what one greenlet waits for, all others there would run into.
        if greenlets.current() is not None:
            return False
        return seen.is_anew or found[:1] + found[2:4] == finding.view()[:1] + finding.view()[2:4]

    def held_anew(self, claim: request.RequestClaim) -> gate.Held:
        """As `held_in_view`, where the function that is called need not have a gate."""
        if self.gates():
            return self.held_in_view(claim)
        return gate.Held(claim, None, gate.held_in_view(self.interface, None, "sync", finding.view().qualname), "sync")

    def held_here(self, claim: request.RequestClaim) -> gate.Held:
        """A request that is held at this entry."""
        kind = "sync" if self.interface == "wsgi" else gate.async_kind()
        return gate.Held(claim, None, self.held_in, kind, self._via())

    def is_followed(self) -> bool:
        """Whether a handler was seen to answer by itself; not, where others did something that was not found."""
        return finding.state()[0] != layout.AT_ENTRY

    def _via(self) -> str:
        if self.function is not None:
            return "plain" if self._is_own else "library"
        return {layout.AT_WHOLE: "whole", layout.AT_LIBRARIES: "libraries"}.get(finding.state()[0], "unknown")

    def held_in_view(self, claim: request.RequestClaim) -> gate.Held:
        """A request that is held in the view that was found."""
        view = finding.view()
        original = self.gates()[0].original
        kind = gate.async_kind() if inspect.isgeneratorfunction(original) else gate.kind_of(original)
        held_in = gate.held_in_view(self.interface, None, kind, view.qualname)
        held = gate.Held(claim, self.gates()[0], held_in, kind, ending=_ending(view))
        held.others = tuple(self.gates()[1:])
        return held


_mounted: Dict[int, Tuple[object, Entry]] = {}


def mounted(application: object, interface: str, held_in: str) -> Entry:
    """The entry of an application that another one calls; one for all its requests."""
    return _once(application, interface, held_in, None)


def of_library(endpoint: object, function: types.FunctionType, framework: str) -> Entry:
    """The entry of a library's function that is the view of a framework's route; one for all its requests."""
    return _once(endpoint, framework, "", function)


def of_handler(function: types.FunctionType, server: str) -> Optional[Entry]:
    """As `of_library`, of a handler that may leave it to another thread to answer; None of the person's own."""
    path = function.__code__.co_filename
    if own_code.is_own(path) or own_code.is_standard(path):
        return None
    made = _once(function, server, "", function)
    made.elsewhere = True
    return made


def _once(application: object, interface: str, held_in: str, endpoint: Optional[types.FunctionType]) -> Entry:
    known = _mounted.get(id(application))
    if known is None:
        made = Entry(application, interface, held_in)
        # Around it is a known framework, which leads nowhere else.
        made.unless_asked = HOLD
        made.endpoint = endpoint
        known = _mounted.setdefault(id(application), (application, made))
    return known[1]
