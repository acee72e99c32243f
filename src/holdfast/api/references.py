"""Texts with references to values, as a person writes them in a scenario or on the command line; pure.

    {name}      the value of that name
    {{name}}    the text {name}

Other braces are themselves, so JSON can be written as it is. What a path cannot hold of a value is percent-encoded; in
a form and within JSON a value is written as it is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Literal

from holdfast.model.answers import FunctionCall, Template, Variable

_REFERENCE = re.compile(r"\{\{(\w+)\}\}|\{(\w+)\}")

Escape = Literal["", "percent", "form", "json"]
"""How a value is written where it is filled in; each is a function of `journeys.functions`."""


def template(
    text: str, escape: Escape = "", *, known: Container[str] | None = None, constant: Callable[[str], str] = str
) -> Template:
    """The text with its references.

    Args:
        escape: of values.
        known: braces around other names are themselves; None takes every name.
        constant: what becomes of the text between references.
    """
    parts: list[str | Variable | FunctionCall] = []
    plain, end = "", 0
    for found in _REFERENCE.finditer(text):
        literal, name = found.groups()
        plain += text[end : found.start()]
        end = found.end()
        if known is not None and (literal or name) not in known:
            plain += found[0]
        elif literal is not None:
            plain += f"{{{literal}}}"
        else:
            if plain:
                parts.append(constant(plain))
                plain = ""
            variable = Variable(name, found[0])
            parts.append(FunctionCall(escape, ((variable,),), found[0]) if escape else variable)
    plain += text[end:]
    return (*parts, constant(plain)) if plain else tuple(parts)


def names_in(text: str) -> Iterator[str]:
    """The names of the values to which a text refers, in order."""
    return (found[2] for found in _REFERENCE.finditer(text) if found[2] is not None)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with those values filled in that are known beforehand; other references stay."""
    return _REFERENCE.sub(lambda found: values.get(found[2] or "", found[0]), text)
