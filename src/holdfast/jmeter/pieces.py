"""Puts a plan together: in the place of Module and Include Controllers, what they stand for; pure.

Source: apache/jmeter, control/ModuleController.java (traverse: the last element that the path leads to),
control/IncludeController.java (getProperBranch: what is in the first Test Fragment), JMeter.java (convertSubTree).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from holdfast.errors import UsageError
from holdfast.jmeter.scope import ReadFile
from holdfast.plans.jmx_tree import Node, plan_tree

_MODULE, _INCLUDE, _FRAGMENT = "ModuleController", "IncludeController", "TestFragmentController"
MOST_DEEP = 50


def put_together(root: Node, origin: str, read_file: ReadFile) -> Node:
    """The plan without what is disabled, and with the elements that its Module and Include Controllers stand for.

    Raises:
        UsageError: such a controller leads nowhere, or to itself; names its line.
    """
    return _enabled(root, _Plan(root, origin, read_file, ()))


class _Plan:
    """A plan, or one that is included.

    Attributes:
        within: what led here, for messages: (file or element, line).
    """

    def __init__(self, root: Node, origin: str, read_file: ReadFile, within: tuple[tuple[str, int], ...]) -> None:
        self.root = root
        self.origin = origin
        self.read_file = read_file
        self.within = within

    def inside(self, what: str, line: int) -> _Plan:
        return _Plan(self.root, self.origin, self.read_file, (*self.within, (what, line)))

    def error(self, node: Node, what: str, why: str, remedy: str) -> UsageError:
        return UsageError(f'{node.kind} "{node.name}" in line {node.line} of {self.origin} {what}.', why, remedy)


def _enabled(node: Node, plan: _Plan) -> Node:
    return replace(node, children=[_put(each, plan) for each in node.children if each.is_enabled])


def _put(node: Node, plan: _Plan) -> Node:
    if node.kind == _MODULE:
        return replace(node, children=[_module(node, plan)])
    if node.kind == _INCLUDE:
        return replace(node, children=_included(node, plan))
    return _enabled(node, plan)


def _module(node: Node, plan: _Plan) -> Node:
    path = [each for each in node.properties.items("ModuleController.node_path") if isinstance(each, str)]
    # The first name is that of JMeter's own root, the second that of the plan.
    found = _led_to([plan.root], path[1:])
    words = " > ".join(path[1:]) or "nothing"
    if found is None:
        raise plan.error(
            node, f"leads to {words}, which is not there", "JMeter stops such a test.", "Choose its target anew."
        )
    step = (f"{found.kind} {found.name}", found.line)
    if step in plan.within or len(plan.within) > MOST_DEEP:
        raise plan.error(
            node, f"leads to {words}, in which it is itself", "It would never come to an end.", "Choose another target."
        )
    return replace(_copied(_enabled(found, plan.inside(*step))), is_enabled=True)


def _copied(node: Node) -> Node:
    """An element and what is below it as others, which count on their own wherever a Module Controller puts them."""
    return replace(node, properties=replace(node.properties), children=[_copied(each) for each in node.children])


def _led_to(nodes: Sequence[Node], path: Sequence[str]) -> Node | None:
    found = None
    for node in nodes:
        if path and node.name == path[0] and node.kind != _MODULE:
            found = (node if len(path) == 1 else _led_to(node.children, path[1:])) or found
    return found


def _included(node: Node, plan: _Plan) -> list[Node]:
    name = node.text("IncludeController.includepath").strip()
    if not name:
        return []  # JMeter includes nothing then
    if "${" in name:
        raise plan.error(
            node,
            f"includes {name}",
            "JMeter does not replace references there, and a file of this name cannot be meant.",
            "Write the file's name.",
        )
    step = (name, 0)
    if step in plan.within or len(plan.within) > MOST_DEEP:
        files = " > ".join(each for each, line in (*plan.within, step) if not line)
        raise plan.error(
            node, f"includes {name}, in which it is itself", f"It would never come to an end: {files}.", "Disable it."
        )
    try:
        content = plan.read_file(name)
    except UsageError as error:
        raise plan.error(
            node, f"includes {name}, which cannot be read", f"{error.what} {error.why}", error.remedy
        ) from error
    root = plan_tree(content, name, is_included=True)
    fragment = next((each for each in root.children if each.kind == _FRAGMENT), None)
    if fragment is None:
        raise plan.error(
            node, f"includes {name}, which has no Test Fragment", "JMeter would include nothing.", "Put one into it."
        )
    return _enabled(fragment, _Plan(root, name, plan.read_file, (*plan.within, step))).children
