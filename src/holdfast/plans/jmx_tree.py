"""Parses a JMeter plan's XML into its tree of test elements and their properties; pure.

JMeter saves each element followed by a `hashTree` with its children. The element's tag is its class, with or without
the package; attributes give its name and whether it is enabled. This format has not changed from 2.x to 5.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace

from holdfast.errors import UsageError
from holdfast.model.frozen import frozen
from holdfast.plans.shared_elements import with_shared
from holdfast.plans.xml import Xml, parse_xml

_TEXTS = frozenset({"stringProp", "intProp", "longProp", "boolProp", "floatProp", "doubleProp", "FloatProperty"})
_SAVED_BY = "jmeterTestPlan.jmeter"
# Old class names that JMeter itself reads as new ones (its saveservice.properties).
_SAME = {"HTTPSampler": "HTTPSamplerProxy", "HTTPSampler2": "HTTPSamplerProxy"}


@frozen
class Properties:
    """The named properties of an element, or of an element inside a property.

    Attributes:
        kind: the element's class without the package.
        values: by name: texts, nested properties, or tuples of these.
    """

    kind: str
    name: str
    values: Mapping[str, object]

    def text(self, name: str, default: str = "") -> str:
        """A text property; `default` if it is absent."""
        value = self.values.get(name, default)
        return value if isinstance(value, str) else default

    def inner(self, name: str) -> Properties:
        """An element property; an empty element if it is absent."""
        value = self.values.get(name)
        return value if isinstance(value, Properties) else Properties("", "", {})

    def items(self, name: str) -> tuple[object, ...]:
        """The items of a collection property; none if it is absent."""
        value = self.values.get(name)
        return value if isinstance(value, tuple) else ()

    def elements(self, name: str) -> Iterator[Properties]:
        """The enabled elements in a collection property."""
        for item in self.items(name):
            if isinstance(item, Properties) and item.text("TestElement.enabled", "true") != "false":
                yield item


@frozen
class Node:
    """A test element of the plan.

    Attributes:
        line, column: where it begins in the file, from 1.
        children: the elements directly below it, enabled or not, in order.
    """

    properties: Properties
    is_enabled: bool
    line: int
    column: int
    children: list[Node] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The element's class, without the package."""
        return self.properties.kind

    @property
    def name(self) -> str:
        """The name that the plan's author gave it."""
        return self.properties.name

    def text(self, name: str, default: str = "") -> str:
        """A text property of the element, see `Properties.text`."""
        return self.properties.text(name, default)

    @property
    def enabled(self) -> list[Node]:
        """The enabled children."""
        return [each for each in self.children if each.is_enabled]

    def descendants(self) -> Iterator[Node]:
        """All enabled elements below it, at any depth, in order."""
        for each in self.enabled:
            yield each
            yield from each.descendants()


def plan_tree(content: bytes, origin: str, *, is_included: bool = False) -> Node:
    """The plan's root element, `TestPlan`.

    Args:
        content: the .jmx file.
        origin: the file's name, for messages.
        is_included: it may also be a Test Fragment that was saved by itself, which is then below an element like it.

    Raises:
        UsageError: the bytes are not a JMeter plan; names line and column.
    """
    root = parse_xml(content, origin)
    if b"reference=" in content:
        with_shared(root, origin)
    if root.tag != "jmeterTestPlan":
        raise _error(origin, root, f"Its root is <{root.tag}>; the root of a JMeter plan is <jmeterTestPlan>")
    trees = [each for each in root.children if each.tag == "hashTree"]
    if not trees:
        raise _error(origin, root, "It holds no elements: its root has no <hashTree>")
    for node in _nodes(trees[0], origin):
        if node.kind == "TestPlan":
            saved_by = {_SAVED_BY: root.attributes.get("jmeter", "")}
            return replace(node, properties=replace(node.properties, values={**node.properties.values, **saved_by}))
        # As IncludeController.java of JMeter takes it (getProperBranch).
        if is_included and node.kind == "TestFragmentController":
            return replace(node, children=[node])
    raise _error(origin, trees[0], "It holds no <TestPlan>")


def is_before_5_6(plan: Node) -> bool:
    """Whether a plan was saved by a JMeter before 5.6, or by none that says so.

    Bodies without an encoding are UTF-8 since then, those of answers too.
    """
    found = re.match(r"([0-9]+)\.([0-9]+)", plan.text(_SAVED_BY))
    return found is None or (int(found[1]), int(found[2])) < (5, 6)


def _nodes(tree: Xml, origin: str) -> list[Node]:
    nodes: list[Node] = []
    for element in tree.children:
        if element.tag != "hashTree":
            nodes.append(_node(element))
        elif nodes:
            nodes[-1].children.extend(_nodes(element, origin))
        else:
            raise _error(origin, element, "A <hashTree> belongs to no element")
    return nodes


def _node(element: Xml) -> Node:
    properties = _properties(element, element.tag, element.attributes.get("testname", ""))
    enabled = element.attributes.get("enabled", "true") != "false"
    return Node(
        properties,
        enabled and properties.text("TestElement.enabled", "true") != "false",
        element.line,
        element.column,
    )


def _properties(element: Xml, kind: str, name: str) -> Properties:
    values: dict[str, object] = {}
    for child in element.children:
        key, value = _property(child)
        if value is not None:
            values[key] = value
    kind = kind.rpartition(".")[2]
    if element.attributes.get("enabled") == "false":
        values["TestElement.enabled"] = "false"
    # A ConfigTestElement can be many things; the panel that edits it decides which.
    values.setdefault("TestElement.gui_class", element.attributes.get("guiclass", ""))
    if "testname" in element.attributes:
        values.setdefault("TestElement.name", element.attributes["testname"])
    own_name = values.get("TestElement.name")
    return Properties(_SAME.get(kind, kind), name or (own_name if isinstance(own_name, str) else ""), values)


def _property(child: Xml) -> tuple[str, object]:
    name = child.attributes.get("name", "")
    if child.tag in _TEXTS:
        parts = {each.tag: each.text for each in child.children}
        return parts.get("name", name), parts.get("value", child.text)
    if child.tag == "elementProp":
        return name, _properties(child, child.attributes.get("elementType", ""), child.attributes.get("name", ""))
    if child.tag == "collectionProp":
        return name, tuple(value for _, value in map(_property, child.children) if value is not None)
    return name, None


def _error(origin: str, element: Xml, why: str) -> UsageError:
    return UsageError(
        f"{origin} is not a JMeter plan (line {element.line}, column {element.column}).",
        f"{why}.",
        "Give a test plan as JMeter saves it (.jmx).",
    )
