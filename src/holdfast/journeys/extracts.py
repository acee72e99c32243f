"""Takes from an answer what a journey needs later; pure."""

from __future__ import annotations

import re

from holdfast.journeys.client import Client
from holdfast.model.answers import Answer, BoundaryExtract, Extract, HeaderExtract, RegexExtract


def take(extract: Extract, answer: Answer, client: Client) -> str:
    """Gives the client's variables what an extract finds.

    Returns:
        Why it counts as failed, in words; "" if it does not.
    """
    if not isinstance(extract, HeaderExtract | RegexExtract | BoundaryExtract):
        return f"{type(extract).__name__} is not known"
    found = _found(extract, answer, client)
    if found is None:
        if extract.default is None:
            return f"{extract.name} was not found"
        client.variables[extract.name] = client.filled(extract.default)
    else:
        client.variables[extract.name] = found[1] if found.re.groups else found[0]
    return ""


def _found(
    extract: HeaderExtract | RegexExtract | BoundaryExtract, answer: Answer, client: Client
) -> re.Match[str] | None:
    if isinstance(extract, HeaderExtract):
        name = re.escape(client.filled(extract.field))
        return re.search(rf"^{name}:[ \t]*([^\r\n]*)", answer.head, re.IGNORECASE | re.MULTILINE)
    text = answer.head if extract.source == "head" else answer.body.decode("utf-8", "replace")
    if isinstance(extract, RegexExtract):
        return re.search(client.filled(extract.pattern), text)
    left, right = re.escape(client.filled(extract.left)), re.escape(client.filled(extract.right))
    return re.search(f"{left}(.*?){right}", text, re.DOTALL)
