"""Puts elements of a plan that are written once and meant at several places at each of them; pure.

XStream, with which JMeter saves and loads plans, writes an object that it has written before as a path to it:
`<collectionProp reference="../../../HTTPSamplerProxy[2]/elementProp/collectionProp"/>`.
Source: XStream's XPathTracker and Path (`..`, names, and a number from 1 among those of one name).
"""

from __future__ import annotations

import re

from holdfast.errors import UsageError
from holdfast.plans.xml import Xml

# References within references grow without bound.
_MOST_ELEMENTS = 2_000_000
_STEP = re.compile(r"([^\[\]]+)(?:\[([0-9]+)\])?")


def with_shared(root: Xml, origin: str) -> None:
    """Replaces every element that is such a path by what it leads to.

    Args:
        origin: the file's name, for messages.

    Raises:
        UsageError: a path leads nowhere, or to what it is in, or too many elements come of it.
    """
    found: list[tuple[Xml, int, Xml]] = []
    _look(root, (), origin, found)
    for parent, at, target in found:
        parent.children[at] = target
    _check_size(root, origin)


def _look(element: Xml, above: tuple[Xml, ...], origin: str, found: list[tuple[Xml, int, Xml]]) -> None:
    for at, child in enumerate(element.children):
        path = child.attributes.get("reference")
        if path is not None and not child.children:
            found.append((element, at, _target(child, path, (*above, element), origin)))
        else:
            _look(child, (*above, element), origin, found)


def _target(element: Xml, path: str, above: tuple[Xml, ...], origin: str) -> Xml:
    here = [*above, element]
    if path.startswith("/"):
        here, steps = [above[0]], path[1:].split("/")[1:]
    else:
        steps = path.split("/")
    for step in steps:
        matched = _STEP.fullmatch(step)
        if step == "..":
            here = here[:-1]
        elif matched is not None and here:
            same = [each for each in here[-1].children if each.tag == matched[1]]
            number = int(matched[2] or 1)
            here = [*here, same[number - 1]] if 0 < number <= len(same) else []
        if not here or matched is None:
            raise _error(element, origin, f"It refers to {path}, where nothing is")
    return here[-1]


def _check_size(root: Xml, origin: str) -> None:
    elements = 0
    waiting: list[tuple[Xml, tuple[int, ...]]] = [(root, ())]
    while waiting:
        element, above = waiting.pop()
        elements += 1
        if id(element) in above:
            raise _error(element, origin, "It refers to something that it is in itself")
        if elements > _MOST_ELEMENTS:
            raise _error(element, origin, f"With what it refers to, the plan has more than {_MOST_ELEMENTS:,} elements")
        above = (*above, id(element))
        waiting += [(child, above) for child in element.children]


def _error(element: Xml, origin: str, why: str) -> UsageError:
    return UsageError(
        f"{origin} cannot be read (line {element.line}, column {element.column}).",
        f"{why}.",
        "Open the plan in JMeter, and save it.",
    )
