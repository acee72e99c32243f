"""What comes next in a journey: an object for each node that chooses or repeats, and for each client; pure.

A control is asked for the next leaf (a request, a pause, an end) and keeps its place until it is asked again; without
any left it says None, and begins a new pass when it is asked once more. So a client can be taken out of any depth at
any leaf, come back there (an interleaved block), begin its next pass, or leave a loop.
Source: apache/jmeter, control/GenericController.java and its subclasses, whose rules these are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from holdfast.journeys.client import Client
from holdfast.journeys.leaves import Branch, Leaf, is_sets
from holdfast.journeys.steps import Grouped, NewVisitor
from holdfast.journeys.values import set_values
from holdfast.model.journey import Sets

_Made = TypeVar("_Made")
# After so many passes without a leaf, a loop lets the engine breathe: its condition may never change.
MOST_SILENT = 100
BREATH = Leaf(None)
# Another client is where only one may be.
TURN = Leaf(None)
# A child has no leaf left: the control asks itself anew, as JMeter's does, with what that sets and evaluates.
_ANEW = Leaf(None)
# The end of a transaction that is a result of its own.
END = Leaf(None)


class Here:
    """Where a client is in its journey.

    Attributes:
        at: the control of which it has the last leaf.
        steps: to be said before the next leaf is done.
        groups: the transactions that have begun and not ended.
        held: what only one client may do at a time, and this one does.
    """

    __slots__ = ("at", "client", "groups", "held", "steps")

    def __init__(self, client: Client) -> None:
        self.client = client
        self.at: Control | None = None
        self.steps: list[Grouped | NewVisitor] = []
        self.groups: list[Results] = []
        self.held: list[object] = []


class Results:
    """What has become of the requests of a transaction so far.

    Attributes:
        begun_ns: when it was come to; ended_ns: the end of its last request.
        pauses_ns: what went by in between.
        requests, failed: how many there were, and those that were not answered.
    """

    __slots__ = ("begun_ns", "ended_ns", "failed", "pauses_ns", "requests")

    def __init__(self, now_ns: int) -> None:
        self.begun_ns = self.ended_ns = now_ns
        self.pauses_ns = self.requests = self.failed = 0

    def take(self, begun_ns: int, ended_ns: int, *, answered: bool) -> None:
        """Takes a request into account."""
        self.pauses_ns += max(0, begun_ns - self.ended_ns)
        self.ended_ns = ended_ns
        self.requests += 1
        self.failed += not answered


class Control:
    """One after the other; and what the other controls have in common.

    Attributes:
        here: where its client is.
        parent: the control that asks this one; None of the journey itself.
        children: controls, leaves, and what sets values, in order.
        at: the next one.
        first: the next leaf begins a pass.
        done: it never has a leaf again.
        passes: how many have ended since it was last reset.
        silent: how many have ended without a leaf, one after the other.
        kept: see `still`, with the client's pass in which they were found out.
        leaves: how many it has given.
    """

    __slots__ = ("at", "children", "done", "first", "here", "kept", "leaves", "parent", "passes", "silent")

    def __init__(self, here: Here, parent: Control | None, _branch: Branch) -> None:
        self.here = here
        self.parent = parent
        self.children: list[Control | Leaf | Sets] = []
        self.at = 0
        self.first = True
        self.done = False
        self.passes = 0
        self.silent = 0
        self.kept: tuple[int, Any] | None = None
        self.leaves = 0

    def ready(self) -> None:
        """Called once its children are there, and whenever it begins anew."""

    def next(self) -> Leaf | None:
        """The next leaf; None ends a pass."""
        while True:
            if not self.may_go_on():
                return None
            if self.first:
                self.first = False
                self.begin_pass()
            if self.is_done():
                return None
            found = self.of_children()
            if found is _ANEW:
                continue
            if found is not None:
                self.gives(found)
                return found
            if all(is_sets(each) for each in self.children):
                # Without anything to do, JMeter never comes back to it, also to set values.
                self.done = True
                return None
            if not self.ends_pass():
                return None
            self.silent += 1
            if self.silent >= MOST_SILENT:
                self.silent = 0
                return BREATH

    def of_children(self) -> Leaf | None:
        """The next leaf of the children, or that one of them has none left; None: this pass has none left."""
        while self.at < len(self.children):
            child = self.children[self.at]
            if isinstance(child, Leaf):
                self.at += 1
                self.here.at = self
                return child
            if isinstance(child, Control):
                if (found := child.next()) is not None:
                    return found
                self.after(child)
                return _ANEW
            self.at += 1
            self.set(child)
        return None

    def gives(self, found: Leaf) -> None:
        """Notes that it gives a leaf, if that does anything, so that texts that apply to this are read anew."""
        if found is BREATH or found is TURN:
            return
        self.silent = 0
        self.kept = None
        self.leaves += 1

    def set(self, node: Sets) -> None:
        """Sets values at the begin of a pass."""
        client = self.here.client
        set_values(node, client, (client.iteration, self.leaves))

    def may_go_on(self) -> bool:
        """Whether it has a leaf now, as far as it depends on itself."""
        return True

    def begin_pass(self) -> None:
        """Tells the children that a pass begins."""
        for child in self.children:
            if isinstance(child, Control):
                child.hears_of_pass()

    def pass_number(self) -> int:
        """The number of the pass that begins, for the children."""
        return self.passes

    def hears_of_pass(self) -> None:
        """Hears that a pass of its parent begins."""

    def after(self, child: Control) -> None:
        """Moves on from a child that has no leaf left in this pass."""
        if child.is_done():
            del self.children[self.at]
        else:
            self.at += 1

    def is_done(self) -> bool:
        """Whether it never has a leaf again."""
        return self.done

    def ends_pass(self) -> bool:
        """Ends a pass after its last child, and says whether another one begins at once."""
        self.renew()
        return False

    def still(self, find_out: Callable[[], _Made]) -> _Made:
        """What its text says: found out once until a leaf of it is done, its pass ends, or the client's does.

        Source: apache/jmeter, testelement/property/FunctionProperty.java (getStringValue).
        """
        now = self.here.client.iteration
        if self.kept is None or self.kept[0] != now:
            self.kept = (now, find_out())
        found: _Made = self.kept[1]
        return found

    def renew(self) -> None:
        """Makes it begin a new pass."""
        self.kept = None
        self.at = 0
        self.passes += 1
        self.first = True

    def reset(self) -> None:
        """Begins anew, as if it had never been come to."""
        self.at = 0
        self.passes = 0
        self.done = False
        self.first = True
        self.reset_children()
        self.ready()

    def reset_children(self) -> None:
        """Resets all controls below it."""
        for child in self.children:
            if isinstance(child, Control):
                child.reset()

    def give_up(self) -> None:
        """The client leaves its present pass, from here or from below."""
        self.renew()


class Repeating(Control):
    """A loop, which can be left, and whose next pass can be begun from within.

    Attributes:
        index: the variable that has the number of the pass, from 0; "" none.
        leaving: it is being left.
    """

    __slots__ = ("index", "leaving")

    def __init__(self, here: Here, parent: Control | None, branch: Branch) -> None:
        super().__init__(here, parent, branch)
        self.index: str = getattr(branch.node, "index", "")
        self.leaving = False

    def next(self) -> Leaf | None:
        """See `Control`."""
        found = super().next()
        # After the controls below it, which may have a variable of the same name.
        self.tell_index()
        return found

    def next_pass(self) -> None:
        """The client begins the next pass."""
        self.renew()

    def leave(self) -> None:
        """The client leaves the loop."""
        self.leaving = True
        self.first = True
        self.at = 0
        self.forget()

    def forget(self) -> None:
        """Begins to count anew."""
        self.passes = 0

    def tell_index(self) -> None:
        """Gives its variable the number of the pass."""
        if self.index:
            self.here.client.variables[self.index] = str(self.passes)

    def reset(self) -> None:
        """See `Control`."""
        super().reset()
        self.forget()

    def give_up(self) -> None:
        """See `Control`."""
        super().give_up()
        self.forget()


class Looping(Repeating):
    """A number of times; also the journey itself.

    Attributes:
        times: reads the number; below 0 is for ever.
        counted: the number, once it is known; None: it is read when it is next needed.
        once: it is not come to again.
    """

    __slots__ = ("counted", "once", "times")

    def __init__(self, here: Here, parent: Control | None, branch: Branch, times: Callable[[], int]) -> None:
        super().__init__(here, parent, branch)
        self.times = times
        self.counted: int | None = None
        self.once: bool = parent is None or getattr(branch.node, "once", False)

    def may_go_on(self) -> bool:
        """See `Control`."""
        self.tell_index()
        if not self.is_over():
            return True
        self.done = self.done or self.once
        self.leaving = False
        return False

    def is_over(self) -> bool:
        """Whether no pass is left."""
        if self.counted in (None, 0, -1):
            self.counted = self.times()
        return self.leaving or 0 <= self.counted <= self.passes

    def ends_pass(self) -> bool:
        """See `Control`."""
        self.renew()
        if not self.is_over():
            return True
        if self.once:
            self.done = True
            self.leaving = False
        else:
            self.forget()
        self.tell_index()
        return False

    def pass_number(self) -> int:
        """See `Control`: a loop counts from 1."""
        return self.passes + 1

    def forget(self) -> None:
        """See `Repeating`."""
        self.passes = 0
        self.counted = None

    def hears_of_pass(self) -> None:
        """See `Control`."""
        self.renew()
        self.forget()
