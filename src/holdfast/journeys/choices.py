"""The controls that choose: by a condition, by a share, once, in an order by chance; and those of transactions; pure.

Source: apache/jmeter, control/IfController.java, RandomOrderController.java, ThroughputController.java,
OnceOnlyController.java, TransactionController.java.
"""

from __future__ import annotations

from typing import Any

from holdfast.journeys.assertions import unmet
from holdfast.journeys.client import LAST_ANSWERED
from holdfast.journeys.controls import END, TURN, Control, Here, Looping, Results
from holdfast.journeys.deciding import holds
from holdfast.journeys.leaves import Branch, Leaf, is_sets
from holdfast.journeys.numbers import decimal, integer
from holdfast.journeys.steps import Grouped
from holdfast.journeys.templates import text_of
from holdfast.journeys.values import set_values
from holdfast.model.answers import Answer
from holdfast.model.journey import Alone, Given, If, Share, Transaction
from holdfast.model.units import MS


class Conditional(Control):
    """An `If`."""

    __slots__ = ("node",)

    def __init__(self, here: Here, parent: Control | None, branch: Branch) -> None:
        super().__init__(here, parent, branch)
        assert isinstance(branch.node, If)
        self.node = branch.node

    def may_go_on(self) -> bool:
        """See `Control`."""
        if not (self.first or self.node.each) or self.still(lambda: holds(self.node.condition, self.here.client)):
            return True
        self.reset_children()
        self.renew()
        return False

    def give_up(self) -> None:
        """See `Control`."""
        self.reset_children()
        self.renew()


class Setting(Control):
    """A `Given`.

    Source: undera/jmeter-plugins, plugins/prmctl, ParameterizedController.java (next).
    """

    __slots__ = ("sets",)

    def __init__(self, here: Here, parent: Control | None, branch: Branch) -> None:
        super().__init__(here, parent, branch)
        assert isinstance(branch.node, Given)
        self.sets = branch.node.sets

    def next(self) -> Leaf | None:
        """See `Control`."""
        self.give()
        return super().next()

    def after(self, child: Control) -> None:
        """See `Control`: JMeter asks itself anew for what comes next."""
        super().after(child)
        self.give()

    def give(self) -> None:
        """Sets its values."""
        for each in self.sets:
            set_values(each, self.here.client)


class First(Control):
    """A `Once`."""

    __slots__ = ()

    def hears_of_pass(self) -> None:
        """See `Control`."""
        parent = self.parent
        if parent is not None and parent.pass_number() == (1 if isinstance(parent, Looping) else 0):
            self.renew()

    def ends_pass(self) -> bool:
        """See `Control`: it stays behind its last child, until the loop around it is come to again."""
        return False


class Shuffling(Control):
    """A `Shuffled`."""

    __slots__ = ("sets",)

    def ready(self) -> None:
        """See `Control`."""
        self.sets = _taken_out(self)
        self.shuffle()

    def begin_pass(self) -> None:
        """See `Control`."""
        for each in self.sets:
            self.set(each)
        super().begin_pass()

    def renew(self) -> None:
        """See `Control`."""
        super().renew()
        self.shuffle()

    def shuffle(self) -> None:
        """Puts the children in an order by chance: each order is as likely as any other."""
        for last in range(len(self.children) - 1, 0, -1):
            other = self.here.client.below(last + 1)
            self.children[last], self.children[other] = self.children[other], self.children[last]


class Sharing(Control):
    """A `Share`: whether it is done is decided whenever a pass of its parent begins."""

    __slots__ = ("node", "now")

    def __init__(self, here: Here, parent: Control | None, branch: Branch) -> None:
        super().__init__(here, parent, branch)
        assert isinstance(branch.node, Share)
        self.node = branch.node
        self.now = False

    def hears_of_pass(self) -> None:
        """See `Control`."""
        counts: dict[object, Any] = self.here.client.own if self.node.per_client else self.here.client.remembered
        key = ("share", id(self.node))
        passes, done = counts.get(key, (0, 0))
        if self.node.percent:
            self.now = (100.0 * done + 50.0) / (passes + 1) < self.percent()
        else:
            self.now = done < self.most()
        counts[key] = (passes + 1, done + self.now)

    def percent(self) -> float:
        """In how many of a hundred passes it is done."""
        return decimal(self.still(lambda: text_of(self.node.number, self.here.client)), 100.0)

    def most(self) -> int:
        """How often it is done in all."""
        return integer(self.still(lambda: text_of(self.node.number, self.here.client)), 1)

    def ends_pass(self) -> bool:
        """See `Control`: once it was done as often as it is to be, it stays behind its last child."""
        return not self.is_done() and super().ends_pass()

    def may_go_on(self) -> bool:
        """See `Control`."""
        return self.now

    def is_done(self) -> bool:
        """See `Control`."""
        if all(is_sets(each) for each in self.children):
            return True
        if self.node.percent:
            return self.percent() == 0
        most = self.most()
        counts: dict[object, Any] = self.here.client.own if self.node.per_client else self.here.client.remembered
        done = counts.get(("share", id(self.node)), (0, 0))[1]
        return most == 0 or (done >= most and self.at >= len(self.children))


class OneAtATime(Control):
    """An `Alone`: a client that comes while another one is in it looks again a little later."""

    __slots__ = ("key", "node")

    def __init__(self, here: Here, parent: Control | None, branch: Branch) -> None:
        super().__init__(here, parent, branch)
        assert isinstance(branch.node, Alone)
        self.node = branch.node
        self.key: object = None

    def next(self) -> Leaf | None:
        """See `Control`."""
        if self.first and self.key is None:
            key = ("alone", text_of(self.node.name, self.here.client))
            if self.here.client.remembered.setdefault(key, self.here) is not self.here:
                return TURN
            self.key = key
            self.here.held.append(key)
        found = super().next()
        if found is None:
            self.let_go()
        return found

    def give_up(self) -> None:
        """See `Control`."""
        self.let_go()
        super().give_up()

    def let_go(self) -> None:
        """Lets another client in."""
        if self.key is not None:
            self.here.held.remove(self.key)
            if self.key not in self.here.held:
                self.here.client.remembered.pop(self.key, None)
            self.key = None


class Group(Control):
    """A `Transaction` that is one result more.

    Attributes:
        label: its name, as it was when its pass began; JMeter asks for it once more before the first.
        results: of this pass; None: it is not in one.
    """

    __slots__ = ("label", "node", "results")

    def __init__(self, here: Here, parent: Control | None, branch: Branch) -> None:
        super().__init__(here, parent, branch)
        assert isinstance(branch.node, Transaction)
        self.node = branch.node
        self.results: Results | None = None
        self.label: str | None = None

    def ready(self) -> None:
        """See `Control`."""
        if self.label is None:
            self.label = text_of(self.node.label, self.here.client)

    def next(self) -> Leaf | None:
        """See `Control`."""
        found = super().next()
        if self.done:
            self.tell()
        return found

    def begin_pass(self) -> None:
        """See `Control`."""
        self.label = text_of(self.node.label, self.here.client)
        self.results = Results(self.here.client.now_ns)
        self.here.groups.append(self.results)
        super().begin_pass()

    def ends_pass(self) -> bool:
        """See `Control`."""
        self.tell()
        self.renew()
        return False

    def give_up(self) -> None:
        """See `Control`."""
        self.tell(answered=None if self.node.parent else self.here.client.last_answered)
        self.renew()

    def tell(self, *, answered: bool | None = None) -> None:
        """Gives the result of what was done in this pass; JMeter gives an additional one only after a first request.

        Args:
            answered: whether it counts as such; None: if all of its requests were.
        """
        results, client = self.results, self.here.client
        if results is None:
            return
        self.results = None
        self.here.groups.remove(results)
        if client.answer is None and not self.node.parent:
            return
        timed = self.node.timed_pauses
        pauses_ns = 0 if timed else results.pauses_ns
        took_ns = max(0, (client.now_ns if timed else results.ended_ns) - results.begun_ns - pauses_ns)
        counts = (results.requests, results.failed, pauses_ns)
        good = self.is_good(results, took_ns) if answered is None else answered
        self.here.steps.append(Grouped(self.label or "", took_ns, good, *counts))

    def is_good(self, results: Results, _took_ns: int) -> bool:
        """Whether its result counts as answered; JMeter tells one directly below a `GroupAbove` of no request."""
        return isinstance(self.parent, GroupAbove) or not results.failed


class GroupAbove(Group):
    """A `Transaction` whose result has those of its requests below it; its end is a leaf of its own."""

    __slots__ = ("ended",)

    def __init__(self, here: Here, parent: Control | None, branch: Branch) -> None:
        super().__init__(here, parent, branch)
        self.ended = False

    def next(self) -> Leaf | None:
        """See `Control`."""
        if self.ended:
            self.ended = False
            return None
        is_under_way = self.first or self.results is not None
        found = super().next()
        if found is None and is_under_way:
            self.ended = True
            self.here.at = self
            return END
        return found

    def give_up(self) -> None:
        """See `Control`."""
        self.ended = False
        super().give_up()

    def is_good(self, results: Results, took_ns: int) -> bool:
        """See `Group`: it is judged like a request's, and then it is the last one.

        Source: apache/jmeter, threads/JMeterThread.java (doEndTransactionSampler).
        """
        client = self.here.client
        answered = not results.failed
        message = f"Number of samples in transaction : {results.requests}, number of failing samples : {results.failed}"
        answer = Answer("", answered, 200 if answered else 0, message, head="", body=b"", took_ms=took_ns / MS)
        why = unmet(self.node.assertions, answer, client)
        good = not why and (answered or any(each.ignores_status for each in self.node.assertions))
        client.last_answered = good
        client.variables[LAST_ANSWERED] = "true" if good else "false"
        if answered and not good:
            for each in self.here.groups:
                each.failed += 1
        return good


def _taken_out(control: Control) -> list[Any]:
    """Takes what sets values out of the children, and returns it."""
    sets = [each for each in control.children if is_sets(each)]
    control.children = [each for each in control.children if not is_sets(each)]
    return sets or getattr(control, "sets", [])
