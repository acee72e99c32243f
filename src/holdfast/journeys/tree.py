"""The controls of a whole journey, made anew for each client; pure."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.journeys.choices import Conditional, First, Group, GroupAbove, OneAtATime, Setting, Sharing, Shuffling
from holdfast.journeys.controls import Control, Here, Looping
from holdfast.journeys.leaves import Branch
from holdfast.journeys.loops import AsLongAs, Each, ForSeconds
from holdfast.journeys.numbers import integer
from holdfast.journeys.one_of import one_of
from holdfast.journeys.templates import FunctionFailsError, text_of
from holdfast.model.journey import (
    Alone,
    ForEach,
    Given,
    If,
    Loop,
    Node,
    Once,
    OneOf,
    Sequence,
    Share,
    Shuffled,
    Transaction,
    While,
)

_MAKES: dict[type[Node], Callable[[Here, Control | None, Branch], Control]] = {
    Sequence: Control,
    If: Conditional,
    While: AsLongAs,
    ForEach: Each,
    Once: First,
    Shuffled: Shuffling,
    Share: Sharing,
    Alone: OneAtATime,
    Given: Setting,
}


def control_of(branch: Branch, here: Here, parent: Control) -> Control:
    """The control of a node, with all that is below it."""
    node = branch.node
    control: Control
    if isinstance(node, Loop):
        if node.seconds:
            control = ForSeconds(here, parent, branch)
        else:
            control = Looping(here, parent, branch, lambda: _times(node, here))
    elif isinstance(node, Transaction):
        control = (GroupAbove if node.parent else Group)(here, parent, branch)
    elif isinstance(node, OneOf):
        control = one_of(here, parent, branch)
    else:
        control = _MAKES[type(node)](here, parent, branch)
    control.children = [control_of(each, here, control) if isinstance(each, Branch) else each for each in branch.below]
    control.ready()
    return control


def _times(loop: Loop, here: Here) -> int:
    """How often: a function that has no number counts as 0 (apache/jmeter, control/LoopController.java, getLoops)."""
    try:
        return integer(text_of(loop.times, here.client)) if loop.times else -1
    except FunctionFailsError:
        return 0
