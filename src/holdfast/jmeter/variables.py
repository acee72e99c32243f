"""User defined variables of a plan: those that never change, and those that are decided when the load begins; pure.

Source: apache/jmeter, engine/PreCompiler.java: they are set once, before anything else, wherever they are in the plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from holdfast.jmeter.scope import Reading
from holdfast.jmeter.tables import names_in_files
from holdfast.model.answers import FunctionCall, Template
from holdfast.plans.jmx_tree import Node, Properties

# In JMeter's own elements and in plug-ins, properties of such names are names of variables that are set.
_SETS = re.compile(
    r"(ref|reference)_?names?|variable_?names?|return_?val|result_?variable|var|name|input_?val|"
    r"(default)?variable|refvarname",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(.+)_(?:\d+|n|g\d*|matchNr|ALL)", re.DOTALL)
_READ_ONLY = frozenset({"__P", "__V", "__eval", "__evalVar", "__urlencode", "__urldecode", "__isVarDefined"})
_SETS_PROPERTY = "__setProperty"
_PROPERTY_SET = re.compile(r"\$\{__setProperty\(([^,(){}$\\]+)[,)]")


def defined_in(node: Node) -> Iterator[tuple[str, str]]:
    """The variables that a plan or a User Defined Variables element defines, as they are written."""
    if node.kind == "Arguments":
        yield from _pairs(node.properties)
    elif node.kind == "TestPlan":
        yield from _pairs(node.properties.inner("TestPlan.user_defined_variables"))


def _pairs(arguments: Properties) -> Iterator[tuple[str, str]]:
    for argument in arguments.elements("Arguments.arguments"):
        yield argument.text("Argument.name") or argument.name, argument.text("Argument.value")


def changing_properties(root: Node) -> frozenset[str]:
    """The properties that something in a plan may change; "*" where their names are not known beforehand."""
    names: set[str] = set()
    for node in all_nodes(root):
        for text in texts_of(node.properties):
            found = _PROPERTY_SET.findall(text)
            names.update(found if len(found) == text.count(_SETS_PROPERTY) else ["*"])
    return frozenset(names)


def constants_of(root: Node, reading: Reading) -> dict[str, str]:
    """The user defined variables that nothing else in the plan sets, and whose value is known beforehand."""
    changing = _changing(root, reading)
    reading.constants = _constants(root, reading, set(changing))
    # What sets variables may be given their names by others, and so may files with names in them.
    changing |= _changing(root, reading) | names_in_files(root, reading)
    return _constants(root, reading, changing)


def _constants(root: Node, reading: Reading, changing: set[str]) -> dict[str, str]:
    constants: dict[str, str] = {}
    defined: set[str] = set()
    for node in all_nodes(root):
        found: dict[str, str] = {}
        for name, text in defined_in(node):
            if name in defined:
                changing.add(name)  # the last one counts, but those in between have seen the first
                constants.pop(name, None)
            defined.add(name)
            # References to what is in the same element are not replaced.
            if not may_be_set(name, changing) and (value := _known(node, text, constants, reading)) is not None:
                found[name] = value
        constants.update(found)
    return constants


def may_be_set(name: str, changing: set[str]) -> bool:
    """Whether something may set a variable: extractors and `__split` also set NAME_1, NAME_g1, NAME_matchNr, ..."""
    while name not in changing:
        found = _NUMBERED.fullmatch(name)
        if found is None:
            return False
        name = found[1]
    return True


def _known(node: Node, text: str, constants: dict[str, str], reading: Reading) -> str | None:
    before = reading.constants
    reading.constants = constants
    try:
        return _folded(reading.looked_at(node, text))
    finally:
        reading.constants = before


def _folded(template: Template) -> str | None:
    if all(isinstance(part, str) for part in template):
        return "".join(map(str, template))
    return None


def defined_values(root: Node, reading: Reading) -> tuple[tuple[tuple[str, Template], ...], ...]:
    """All user defined variables: a list for each element that defines some."""
    lists = []
    known = reading.constants
    for node in all_nodes(root):
        own = {name for name, _ in defined_in(node)}
        # In JMeter they do not see each other: a reference to one of them stays as it is written.
        reading.constants = {name: value for name, value in known.items() if name not in own}
        pairs = tuple((name, reading.template(node, text, name)) for name, text in defined_in(node) if name)
        if pairs:
            lists.append(pairs)
    reading.constants = known
    return tuple(lists)


def set_by_others(root: Node, reading: Reading) -> set[str]:
    """The variables that something else than a CSV Data Set may set while a plan runs."""
    return _changing(root, reading, by_tables=False)


def _changing(root: Node, reading: Reading, *, by_tables: bool = True) -> set[str]:
    """The variables that something in a plan may set while it runs, as far as the constants so far say their names."""
    names: set[str] = set()
    for node in all_nodes(root):
        if node.kind in ("Arguments", "TestPlan"):
            texts = [text for _, text in defined_in(node)]
        else:
            texts = list(texts_of(node.properties))
            for name, value in node.properties.values.items():
                sets = _SETS.fullmatch(name.rpartition(".")[2]) and (by_tables or node.kind != "CSVDataSet")
                if sets and isinstance(value, str):
                    names.update(each.strip() for each in re.split("[,;]", _looked_up(node, value, reading)))
            names.update(each for each in node.properties.items("UserParameters.names") if isinstance(each, str))
            # A Set Variables Action, and others that hold a list of variables.
            names.update(name for name, _ in _pairs(node.properties.inner(node.kind)))
        for text in texts:
            if "${__" in text:
                names.update(names_kept_in(reading.looked_at(node, text)))
    return names


def _looked_up(node: Node, text: str, reading: Reading) -> str:
    found = _folded(reading.looked_at(node, text)) if "${" in text else None
    return text if found is None else found


def names_kept_in(template: Template) -> Iterator[str]:
    """The fixed arguments of a text's function calls, which may be names of variables that they set."""
    for part in template:
        if isinstance(part, FunctionCall):
            for argument in part.arguments:
                yield from names_kept_in(argument)
                if part.name not in _READ_ONLY and len(argument) == 1 and isinstance(argument[0], str):
                    yield argument[0].strip()


def all_nodes(root: Node) -> Iterator[Node]:
    """The plan itself and every enabled element in it, in order."""
    yield root
    yield from root.descendants()


def texts_of(properties: Properties) -> Iterator[str]:
    """Every text of an element, its name included."""
    yield properties.name
    yield from _within(tuple(properties.values.values()))


def _within(values: tuple[object, ...]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Properties):
            yield from texts_of(value)
        elif isinstance(value, tuple):
            yield from _within(value)
