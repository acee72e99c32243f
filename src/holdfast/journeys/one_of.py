"""The controls that choose one of their nodes: by turns, by chance, or by name; pure.

Source: apache/jmeter, control/InterleaveControl.java, RandomController.java, SwitchController.java.
"""

from __future__ import annotations

from typing import Any

from holdfast.journeys.controls import BREATH, TURN, Control, Here
from holdfast.journeys.leaves import Branch, Leaf, is_sets
from holdfast.journeys.templates import ClientEndsError, text_of
from holdfast.model.journey import OneOf

NONE_OF_THEM = 1 << 60
# So often JMeter 5.5 asks blocks that have nothing, each time from within the time before, until its stack is full and
# its thread ends (measured: between 2,000 and 3,000 times). Asking what comes after the last block takes as much of it.
MOST_ASKED = 2500


class Choosing(Control):
    """What the three ways have in common.

    Attributes:
        sets: what sets values at the begin of each pass.
        weights: of the children that are left.
    """

    __slots__ = ("node", "sets", "weights")

    def __init__(self, here: Here, parent: Control | None, branch: Branch) -> None:
        super().__init__(here, parent, branch)
        assert isinstance(branch.node, OneOf)
        self.node = branch.node
        self.sets: list[Any] = []
        self.weights = list(branch.node.weights)

    def ready(self) -> None:
        """See `Control`."""
        self.sets = [each for each in self.children if is_sets(each)] or self.sets
        self.children = [each for each in self.children if not is_sets(each)]

    def begin_pass(self) -> None:
        """See `Control`."""
        for each in self.sets:
            self.set(each)
        super().begin_pass()


class ByName(Choosing):
    """The one that is named, or has this number from 0; without a name the first, with an unknown one `default`.

    Attributes:
        names: of the children that are left.
    """

    __slots__ = ("names",)

    def ready(self) -> None:
        """See `Control`."""
        super().ready()
        self.names = list(self.node.names)

    def may_go_on(self) -> bool:
        """See `Control`."""
        if self.first:
            self.at = self.chosen()
        return True

    def chosen(self) -> int:
        """The number of the child."""
        name = text_of(self.node.chosen, self.here.client).strip()
        if not name:
            return 0
        if name.isdigit() and len(name) < len("4294967296"):
            number = int(name)
            return number if number < len(self.children) else 0
        found = NONE_OF_THEM
        for number, each in enumerate(self.names):
            if each == name:
                return number
            if each.lower() == "default":
                found = number
        return found

    def of_children(self) -> Leaf | None:
        """See `Control`: once its leaf is done, or its block has ended, nothing is left."""
        while self.at < len(self.children):
            child = self.children[self.at]
            if isinstance(child, Leaf):
                self.at = NONE_OF_THEM
                self.here.at = self
                return child
            assert isinstance(child, Control)
            if (found := child.next()) is not None:
                return found
            self.after(child)
        return None

    def after(self, child: Control) -> None:
        """See `Control`: what comes after a block that never has a leaf again takes its place."""
        if not child.is_done():
            self.at = NONE_OF_THEM
            return
        del self.children[self.at]
        if self.names:
            del self.names[self.at]


class ByWeight(ByName):
    """The one that is farthest behind its share.

    Source: Blazemeter/jmeter-bzm-plugins, WeightedSwitchController.java (getIndex).
    """

    __slots__ = ("counts",)

    def ready(self) -> None:
        """See `Control`."""
        super().ready()
        self.counts = [0] * len(self.node.weights)

    def chosen(self) -> int:
        """See `ByName`."""
        total, passes = sum(self.node.weights), sum(self.counts)
        if not total:
            return NONE_OF_THEM
        shares = [weight / total for weight in self.node.weights]
        behind = [share - (count / passes if passes else 0) for share, count in zip(shares, self.counts, strict=True)]
        if max(behind) <= 0:
            behind = shares
        found = behind.index(max(behind))
        self.counts[found] += 1
        return found


class ByTurns(Choosing):
    """The next one each time; of a block all that is in it, or one leaf each time.

    Attributes:
        over: the pass has had its leaf, or its block.
        begun: the block has had a leaf in this pass.
        moved: another child was moved to since the search for a leaf began.
        search: where this search began.
        asked: how often in a row nothing was found.
    """

    __slots__ = ("asked", "begun", "moved", "over", "search")

    def __init__(self, here: Here, parent: Control | None, branch: Branch) -> None:
        super().__init__(here, parent, branch)
        self.over = self.begun = self.moved = False
        self.search: object = None
        self.asked = 0

    def ready(self) -> None:
        """See `Control`."""
        super().ready()
        self.at = 0
        if self.node.across_clients and self.children:
            self.at = self.here.client.index % len(self.children)

    def next(self) -> Leaf | None:
        """See `Control`.

        A search ends where it began, if that block is still there: what is done for good is taken out, and where all
        others have nothing, JMeter searches until its thread ends (InterleaveControl.java, setCurrentElement).
        """
        if self.over:
            self.renew()
            return None
        if self.first:
            self.first = False
            self.begin_pass()
        found: Leaf | None = None
        while self.children:
            self.ask()
            if self.at >= len(self.children):
                self.ask()
                self.start_over()
            child = self.children[self.at]
            if self.search is None:
                self.search = child
            elif self.search is child and self.moved:
                break
            found = self.leaf_of(child)
            if found is not None or self.over:
                break
        else:
            self.done = True
            return None
        if found is None:
            self.renew()
        else:
            self.gives(found)
        return found

    def ask(self) -> None:
        """Counts what takes some of the stack of JMeter's thread.

        Raises:
            ClientEndsError: nothing is left of it.
        """
        self.asked += 1
        if self.asked > MOST_ASKED:
            raise ClientEndsError("blocks in turn with each other have nothing in them")

    def leaf_of(self, child: object) -> Leaf | None:
        """The next leaf of a child, if it has one."""
        if isinstance(child, Leaf):
            self.over = True
            self.move()
            self.here.at = self
            return child
        assert isinstance(child, Control)
        found = child.next()
        if found is None:
            self.after(child)
            return None
        if found is BREATH or found is TURN:
            # Only a pause, after which the same block is asked: it has not had its turn.
            return found
        self.begun = True
        self.asked = 0
        if self.node.whole:
            self.search = None
        else:
            self.move()
            self.over = True
        return found

    def after(self, child: Control) -> None:
        """See `Control`: without whole blocks, one that has nothing is asked again, and again."""
        if child.is_done():
            self.remove()
        elif self.node.whole:
            self.move()

    def remove(self) -> None:
        """Takes out the present child, which never has a leaf again."""
        del self.children[self.at]
        if self.weights:
            del self.weights[self.at]

    def move(self) -> None:
        """Moves to another child."""
        if self.begun:
            self.over = True
        self.moved = True
        self.at += 1

    def start_over(self) -> None:
        """Begins with the first child again."""
        self.at = 0

    def renew(self) -> None:
        """See `Control`: the turns continue where they were."""
        self.first = True
        self.over = self.begun = self.moved = False
        self.search = None
        self.asked = 0
        self.passes += 1

    def reset(self) -> None:
        """See `Control`."""
        self.renew()
        super().reset()


class ByChance(ByTurns):
    """One by chance each time."""

    __slots__ = ()

    def ready(self) -> None:
        """See `Control`."""
        super().ready()
        self.draw()

    def draw(self) -> None:
        """Moves to a child by chance."""
        if not self.children:
            return
        if not self.weights:
            self.at = self.here.client.below(len(self.children))
            return
        point = self.here.client.chance.random() * sum(self.weights)
        for number, weight in enumerate(self.weights):
            self.at = number
            point -= weight
            if point < 0:
                return

    def move(self) -> None:
        """See `ByTurns`."""
        super().move()
        self.draw()

    def remove(self) -> None:
        """See `ByTurns`."""
        super().remove()
        self.draw()

    def start_over(self) -> None:
        """See `ByTurns`."""
        self.draw()


def one_of(here: Here, parent: Control | None, branch: Branch) -> Control:
    """The control of a `OneOf`."""
    assert isinstance(branch.node, OneOf)
    makes = {"by chance": ByChance, "by turns": ByTurns, "by weight": ByWeight, "named": ByName}
    return makes[branch.node.how](here, parent, branch)
