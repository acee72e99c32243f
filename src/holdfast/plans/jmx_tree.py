"""A JMeter plan as XML -> its test elements with their properties, in the tree that says what applies to what.

JMeter saves each element followed by a `hashTree` that holds what is below it. The element's tag is its class, with
or without its package; attributes give its name and whether it is enabled. This has been so from 2.x to 5.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from holdfast.errors import UsageError
from holdfast.plans.xml import Xml, parsed

_TEXTS = frozenset({"stringProp", "intProp", "longProp", "boolProp", "floatProp", "doubleProp"})
# Kinds that JMeter itself reads as others (its saveservice.properties).
_SAME = {"HTTPSampler": "HTTPSamplerProxy", "HTTPSampler2": "HTTPSamplerProxy"}


@dataclass(frozen=True, slots=True)
class Properties:
    """Named properties of an element, or of an element inside of a property.

    Attributes:
        kind: its class without the package.
        values: texts, further properties, or tuples of these, by name.
    """

    kind: str
    name: str
    values: Mapping[str, object]

    def text(self, name: str, default: str = "") -> str:
        """A property that is a text; `default` where it is absent."""
        value = self.values.get(name, default)
        return value if isinstance(value, str) else default

    def inner(self, name: str) -> Properties:
        """A property that is an element; one without properties where it is absent."""
        value = self.values.get(name)
        return value if isinstance(value, Properties) else Properties("", "", {})

    def items(self, name: str) -> tuple[object, ...]:
        """What a collection holds; nothing where it is absent."""
        value = self.values.get(name)
        return value if isinstance(value, tuple) else ()

    def elements(self, name: str) -> Iterator[Properties]:
        """The enabled elements that a collection holds."""
        for item in self.items(name):
            if isinstance(item, Properties) and item.text("TestElement.enabled", "true") != "false":
                yield item


@dataclass(frozen=True, slots=True)
class Node:
    """A test element of the plan.

    Attributes:
        below: the elements below it, enabled or not, in order.
    """

    properties: Properties
    enabled: bool
    line: int
    column: int
    below: list[Node] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Its class, without the package."""
        return self.properties.kind

    @property
    def name(self) -> str:
        """What its author called it."""
        return self.properties.name

    def text(self, name: str, default: str = "") -> str:
        """As of `Properties`."""
        return self.properties.text(name, default)

    @property
    def active(self) -> list[Node]:
        """The enabled elements directly below."""
        return [each for each in self.below if each.enabled]

    def everything(self) -> Iterator[Node]:
        """All enabled elements below, however deep, in order."""
        for each in self.active:
            yield each
            yield from each.everything()


def plan_tree(content: bytes, origin: str) -> tuple[Node, str]:
    """The plan's root element, `TestPlan`, and the version of JMeter that saved it ("" if it does not say).

    Raises:
        UsageError: these bytes are no JMeter plan; with line and column.
    """
    root = parsed(content, origin)
    if root.tag != "jmeterTestPlan":
        raise _wrong(origin, root, f"Its root is <{root.tag}>; that of a JMeter plan is <jmeterTestPlan>")
    trees = [each for each in root.children if each.tag == "hashTree"]
    if not trees:
        raise _wrong(origin, root, "It holds no elements (no <hashTree> is in its root)")
    for node in _nodes(trees[0], origin):
        if node.kind == "TestPlan":
            return node, root.attributes.get("jmeter", "")
    raise _wrong(origin, trees[0], "It holds no <TestPlan>")


def _nodes(tree: Xml, origin: str) -> list[Node]:
    nodes: list[Node] = []
    for element in tree.children:
        if element.tag != "hashTree":
            nodes.append(_node(element))
        elif nodes:
            nodes[-1].below.extend(_nodes(element, origin))
        else:
            raise _wrong(origin, element, "A <hashTree> belongs to no element")
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
    # Which panel edits an element decides what it is, for ConfigTestElement is many things.
    values.setdefault("TestElement.gui_class", element.attributes.get("guiclass", ""))
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


def _wrong(origin: str, element: Xml, why: str) -> UsageError:
    return UsageError(
        f"{origin} is no JMeter plan (line {element.line}, column {element.column}).",
        f"{why}.",
        "Give a test plan as JMeter saves it (.jmx).",
    )
