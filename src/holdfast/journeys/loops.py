"""The controls that repeat: as long as a condition holds, for each of some values, for a time; pure.

Source: apache/jmeter, control/WhileController.java, ForeachController.java, RunTime.java.
"""

from __future__ import annotations

from holdfast.journeys.controls import Control, Here, Repeating
from holdfast.journeys.deciding import repeats
from holdfast.journeys.leaves import Branch, is_sets
from holdfast.journeys.numbers import decimal, integer
from holdfast.journeys.templates import text_of
from holdfast.model.answers import Template
from holdfast.model.journey import ForEach, Loop, Sets, While
from holdfast.model.units import NS_PER_S

FAR = 1 << 60


class AsLongAs(Repeating):
    """A `While`."""

    __slots__ = ("node",)

    def __init__(self, here: Here, parent: Control | None, branch: Branch) -> None:
        super().__init__(here, parent, branch)
        assert isinstance(branch.node, While)
        self.node = branch.node

    def may_go_on(self) -> bool:
        """See `Control`."""
        self.tell_index()
        if self.first and self.is_over(after_pass=False):
            self.leaving = False
            self.passes = 0
            return False
        return True

    def is_over(self, *, after_pass: bool) -> bool:
        """Whether it ends before the pass that is to begin, or after the one that has ended."""
        if self.leaving:
            return True
        return not repeats(self.node.condition, self.here.client, after_pass=after_pass)

    def ends_pass(self) -> bool:
        """See `Control`."""
        self.renew()
        if not self.is_over(after_pass=True):
            return True
        self.leaving = False
        self.passes = 0
        return False

    def hears_of_pass(self) -> None:
        """See `Control`."""
        self.renew()
        self.forget()

    def give_up(self) -> None:
        """See `Control`: JMeter looks at the condition once more, so that its functions are called."""
        super().give_up()
        self.is_over(after_pass=True)


class Each(Repeating):
    """A `ForEach`; `passes` is the number that the last value had.

    Attributes:
        sets: what sets values at the begin of each pass, when its variable still has the value before.
    """

    __slots__ = ("node", "sets")

    def __init__(self, here: Here, parent: Control | None, branch: Branch) -> None:
        super().__init__(here, parent, branch)
        assert isinstance(branch.node, ForEach)
        self.node = branch.node
        self.sets: list[Sets] = []

    def ready(self) -> None:
        """See `Control`."""
        self.sets = [each for each in self.children if is_sets(each)] or self.sets
        self.children = [each for each in self.children if not is_sets(each)]
        self.forget()

    def begin_pass(self) -> None:
        """See `Control`."""
        for each in self.sets:
            self.set(each)
        super().begin_pass()

    def value(self) -> str | None:
        """The value of this pass; None: there is none."""
        client = self.here.client
        return client.variables.get(f"{text_of(self.node.prefix, client)}{self.node.separator}{self.passes + 1}")

    def last(self) -> int:
        """The number of the last value."""
        return self.still(lambda: _integer(self.node.last, self.here, 0)) if self.node.last else FAR

    def may_go_on(self) -> bool:
        """See `Control`."""
        self.tell_index()
        if not self.leaving and self.value() is not None:
            return True
        self.leaving = False
        self.renew()
        self.forget()
        return False

    def is_done(self) -> bool:
        """See `Control`; whenever it is looked at, the variable gets the value of the pass that would be next."""
        if self.passes >= self.last():
            return True
        value = self.value()
        if value is None:
            return self.done
        self.here.client.variables[self.node.name] = value
        return False

    def ends_pass(self) -> bool:
        """See `Control`."""
        self.renew()
        if not self.leaving and self.value() is not None and self.passes < self.last():
            return True
        self.leaving = False
        self.forget()
        return False

    def forget(self) -> None:
        """See `Repeating`."""
        self.passes = _integer(self.node.after, self.here, 0) if self.node.after else 0

    def pass_number(self) -> int:
        """See `Control`."""
        return self.passes + 1

    def hears_of_pass(self) -> None:
        """See `Control`."""
        self.renew()
        self.forget()


class ForSeconds(Repeating):
    """A `Loop` that has a time, and perhaps a number of passes too.

    Attributes:
        begun_ns: when its present stay in it began; None: it has not begun.
    """

    __slots__ = ("begun_ns", "node")

    def __init__(self, here: Here, parent: Control | None, branch: Branch) -> None:
        super().__init__(here, parent, branch)
        assert isinstance(branch.node, Loop)
        self.node = branch.node
        self.begun_ns: int | None = None

    def seconds(self) -> float:
        """How long it lasts."""
        return self.still(lambda: decimal(text_of(self.node.seconds, self.here.client)))

    def is_done(self) -> bool:
        """See `Control`."""
        return self.done or self.seconds() <= 0 or not self.children

    def is_over(self) -> bool:
        """Whether its time is up, or its number of passes reached."""
        times = _integer(self.node.times, self.here, 0) if self.node.times else -1
        for_ns = self.here.client.now_ns - (self.begun_ns or 0)
        return for_ns >= self.seconds() * NS_PER_S or 0 <= times <= self.passes

    def may_go_on(self) -> bool:
        """See `Control`."""
        self.tell_index()
        if self.begun_ns is None:
            self.begun_ns = self.here.client.now_ns
        if not self.leaving and not self.is_over():
            return True
        self.leaving = False
        self.renew()
        self.forget()
        return False

    def ends_pass(self) -> bool:
        """See `Control`."""
        self.renew()
        if not self.is_over():
            return True
        self.forget()
        return False

    def forget(self) -> None:
        """See `Repeating`."""
        self.passes = 0
        self.begun_ns = None

    def pass_number(self) -> int:
        """See `Control`."""
        return self.passes + 1


def _integer(template: Template, here: Here, otherwise: int) -> int:
    return integer(text_of(template, here.client), otherwise)
