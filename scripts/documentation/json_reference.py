"""The reference of what `--json` writes: from the classes that are written, and from what they say of themselves.

The names, types and order of fields are those of the code. What each means is its line under "Attributes:" in the
docstring of its class; a field without one fails the build.
"""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from holdfast.model.capacity import Capacity
from holdfast.model.explanation import Explanation
from holdfast.model.installed import Installed
from holdfast.model.load import LoadResult
from holdfast.model.study import StudyResult
from holdfast.model.verdict import Verdict
from scripts.documentation import docstrings
from scripts.documentation.tables import table

_SIMPLE = {int: "integer", float: "number", str: "string", bool: "boolean", types.NoneType: "null"}


@dataclass(frozen=True, slots=True)
class Result:
    """One kind of JSON object.

    Attributes:
        name: of its page.
        written_by: the commands that write it, in words.
        more: links to documents that explain it, in Markdown.
    """

    of: type[Any]
    name: str
    title: str
    written_by: str
    more: str


RESULTS = (
    Result(
        Verdict,
        "verdict",
        "Verdict",
        "`probe`, `exec` and `attach` write it with `--json`, and `holdfast show RUN --json` writes it again",
        "[The verdict as JSON](../verdict-json.md) explains it by an example, and says when a field is null",
    ),
    Result(
        Explanation,
        "explanation",
        "Explanation",
        "`holdfast explain --json` writes it",
        "[Which setting decides?](../explain.md), [overload](../overload.md) and [silent clients](../silent.md) "
        "explain it",
    ),
    Result(
        LoadResult,
        "load",
        "Result of a load",
        "`holdfast load --json` writes it",
        "[Send load](../load.md#as-json) explains it by an example",
    ),
    Result(
        Capacity,
        "capacity",
        "The highest rate",
        "`holdfast capacity --json` writes it",
        "[What is the highest rate?](../capacity.md) explains it",
    ),
    Result(StudyResult, "study", "Study", "`holdfast study --json` writes it", "[Studies](../studies.md) explains it"),
    Result(
        Installed,
        "servers",
        "Servers that are installed",
        "`holdfast servers --json` writes it",
        "[Probe your application](../probe.md#the-server) says where holdfast looks for servers",
    ),
)


def pages() -> Mapping[str, str]:
    """Path on the site -> Markdown.

    Raises:
        ValueError: a field is not documented where it is defined.
    """
    homes = _homes(RESULTS)
    return {f"json/{result.name}.md": _page(result, homes) for result in RESULTS}


def page_of(result: Result) -> str:
    """The page of a result on its own; raises as `pages`."""
    return _page(result, _homes((result,)))


def _homes(results: Sequence[Result]) -> Mapping[type[Any], tuple[str, str]]:
    """Where each class is described: the page, and the heading there; "" is its top."""
    homes: dict[type[Any], tuple[str, str]] = {}
    for result in results:
        for path, of in _reached(result.of, "", []):
            taken = (result.name, f"`{path}`") in homes.values()
            heading = f"`{path}`, its other form" if taken else f"`{path}`" if path else ""
            homes.setdefault(of, (result.name, heading))
    return homes


def _page(result: Result, homes: Mapping[type[Any], tuple[str, str]]) -> str:
    paths: dict[type[Any], list[str]] = {}
    for path, of in _reached(result.of, "", []):
        paths.setdefault(of, []).append(f"`{path}`")
    rules = "What is null was not measured or does not apply. Suffixes are units: `_s`, `_ms`, `_us`, `_ns`, `_bytes`."
    parts = [f"# {result.title}: JSON reference", f"{result.written_by}. {result.more}. {rules}"]
    for of, (page, heading) in homes.items():
        if page == result.name:
            parts += [f"## {heading}"] if heading else []
            parts += [f"Also {', '.join(paths[of][1:])}."] if paths[of][1:] else []
            parts += [_said(docstrings.of(of).text), _fields(of, result.name, homes)]
    return "\n\n".join(parts) + "\n"


def _fields(of: type[Any], page: str, homes: Mapping[type[Any], tuple[str, str]]) -> str:
    hints, meanings = get_type_hints(of), _meanings(of)
    missing = [each.name for each in fields(of) if each.name not in meanings]
    if missing:
        raise ValueError(
            f"{of.__module__}.{of.__qualname__}: {', '.join(missing)} has no line under Attributes, so the reference "
            "of JSON cannot say what it means."
        )
    body = [(each.name, _type(hints[each.name], page, homes), _said(meanings[each.name])) for each in fields(of)]
    return table(
        ("Field", "Type", "Meaning"), [(f"`{name}`", hint, said.removesuffix(".")) for name, hint, said in body]
    )


def _meanings(of: type[Any]) -> dict[str, str]:
    """What is said of each field, where it is defined or where it is inherited."""
    said: dict[str, str] = {}
    for each in reversed(of.__mro__):
        said |= docstrings.parsed(_docstring(each)).entries.get("Attributes", {})
    return said


def _docstring(of: type[Any]) -> str:
    return inspect.cleandoc(of.__dict__.get("__doc__") or "")


def _reached(of: type[Any], path: str, above: list[type[Any]]) -> Iterator[tuple[str, type[Any]]]:
    """Every class of which a result is made, with the dotted name of each field that holds it."""
    if of in above:
        return
    yield path, of
    hints = get_type_hints(of)
    for each in fields(of):
        for inner, many in _classes(hints[each.name], many=False):
            name = f"{path}.{each.name}" if path else each.name
            yield from _reached(inner, f"{name}[]" if many else name, [*above, of])


def _classes(hint: Any, *, many: bool) -> Iterator[tuple[type[Any], bool]]:  # noqa: ANN401 - any annotation
    if is_dataclass(hint) and isinstance(hint, type):
        yield hint, many
    for each in get_args(hint):
        yield from _classes(each, many=many or get_origin(hint) in {tuple, list, dict})


def _type(hint: Any, page: str, homes: Mapping[type[Any], tuple[str, str]]) -> str:  # noqa: ANN401 - any annotation
    """An annotation in the words of JSON."""
    origin, arguments = get_origin(hint), get_args(hint)
    words = _SIMPLE.get(hint, "")
    if isinstance(hint, type) and is_dataclass(hint):
        name, heading = homes[hint]
        words = f"[object]({'' if name == page and heading else f'{name}.md'}{_anchor(heading)})"
    elif isinstance(hint, type) and issubclass(hint, Enum):
        words = ", ".join(f'`"{each.value}"`' for each in hint)
    elif origin is Literal:
        words = ", ".join(f"`{json.dumps(each)}`" for each in arguments)
    elif origin in {Union, types.UnionType}:
        words = " or ".join(_type(each, page, homes) for each in arguments)
    elif origin is dict:
        words = f"object: name to {_type(arguments[1], page, homes)}"
    elif origin is tuple and arguments[-1] is not Ellipsis:
        words = f"[{', '.join(_type(each, page, homes) for each in arguments)}]"
    elif origin in {tuple, list}:
        words = f"list of {_type(arguments[0], page, homes)}"
    if not words:
        raise ValueError(f"{hint} has no word in JSON yet")
    return words


def _said(text: str) -> str:
    """What a docstring says, with the words of JSON for Python's."""
    for python, ours in (("None", "null"), ("True", "true"), ("False", "false")):
        text = re.sub(rf"\b{python}\b", ours, text)
    return "\n\n".join(" ".join(each.split()) for each in text.split("\n\n"))


def _anchor(heading: str) -> str:
    """As the site names it: in lower case, without punctuation, with hyphens for spaces."""
    return f"#{re.sub(r'[^a-z0-9_ -]', '', heading.lower()).replace(' ', '-')}" if heading else ""
