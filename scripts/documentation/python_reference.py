"""The reference of `import holdfast`: functions, their options, and errors, from what they say of themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import holdfast
from holdfast.api import calls, options
from holdfast.errors import HoldfastError
from scripts.documentation import docstrings
from scripts.documentation.tables import table

OPTIONS: Mapping[str, type[Any]] = {
    "probe": options.StartOptions,
    "attach": options.AttachOptions,
    "explain": options.ExplainOptions,
    "capacity": options.CapacityOptions,
    "load": options.LoadOptions,
}
RESULTS = {"Verdict": "verdict", "Explanation": "explanation", "LoadResult": "load", "Capacity": "capacity"}
"""Page of the reference of JSON that has the fields of each."""


def pages() -> Mapping[str, str]:
    """Path on the site -> Markdown."""
    named = {name: getattr(holdfast, name) for name in holdfast._HOMES}  # noqa: SLF001 - all that it has to import
    errors = [each for each in named.values() if isinstance(each, type) and issubclass(each, HoldfastError)]
    parts = [
        "# Python reference",
        "What `import holdfast` has. [From Python](python-api.md) shows how it is used.",
        "## Functions",
    ]
    for name, given in OPTIONS.items():
        parts += _function(getattr(calls, name), given)
    for name, function in named.items():
        if name not in OPTIONS and inspect.isfunction(function):
            parts += _function(function, None)
    parts += ["## Results", "Frozen records, whose fields are those of their JSON; what is null there is None."]
    parts.append("\n".join(f"- `{name}`: [its fields](json/{page}.md)" for name, page in RESULTS.items()))
    parts += [
        "## Errors",
        table(("Class", "Meaning"), [(f"`{each.__name__}`", _said(docstrings.of(each).text)) for each in errors]),
    ]
    return {"python.md": "\n\n".join(parts) + "\n"}


def _function(function: Callable[..., Any], given: type[Any] | None) -> Iterator[str]:
    name, said = function.__name__, docstrings.of(function)
    positional = [
        f"{each.name}=None" if each.default is None else each.name
        for each in inspect.signature(function).parameters.values()
        if each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    returns = str(inspect.signature(function).return_annotation).rpartition(".")[2]
    yield f"### `{name}`"
    yield f"```python\nholdfast.{name}({', '.join([*positional, *(['**options'] if given else [])])}) -> {returns}\n```"
    yield _said(said.text)
    rows = [
        (f"`{argument}`", f"`{_type(function.__annotations__[argument])}`", _said(text))
        for argument, text in said.entries.get("Args", {}).items()
        if argument in function.__annotations__
    ]
    if given is not None:
        meanings, hints = _inherited(given), _annotations(given)
        rows += [(f"`{option}`", f"`{_type(hints[option])}`", _said(meanings[option])) for option in hints]
    if rows:
        yield table(("Argument", "Type", "Meaning"), rows)
    if raised := said.entries.get("Raises"):
        yield "Raises:\n\n" + "\n".join(f"- `{each}`: {_said(why)}" for each, why in raised.items())


def _annotations(given: type[Any]) -> Mapping[str, str]:
    """Option -> its type as it is written, those of the dictionaries that it extends included."""
    return {name: str(getattr(hint, "__forward_arg__", hint)) for name, hint in given.__annotations__.items()}


def _inherited(given: type[Any]) -> Mapping[str, str]:
    """What is said of each option, by the dictionary that brings it.

    Which ones a typed dictionary extends is not kept before Python 3.12, so they are those whose options it has.
    """
    said: dict[str, str] = {}
    for each in vars(options).values():
        if isinstance(each, type) and set(each.__annotations__) <= set(given.__annotations__):
            said |= docstrings.of(each).entries.get("Attributes", {})
    if missing := set(given.__annotations__) - set(said):
        raise ValueError(f"{given.__name__}: {', '.join(sorted(missing))} has no line under Attributes")
    return said


def _type(hint: str) -> str:
    return hint.replace("|", "or") if " | " in hint else hint


def _said(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
