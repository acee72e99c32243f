"""A step of a scenario that is a request: its keys -> a request of a journey."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote, quote_plus

from holdfast.api import option_values
from holdfast.api.extract_syntax import extract
from holdfast.api.hook_name import hook_of
from holdfast.api.input_files import read_input
from holdfast.api.option_values import MOST_HOPS
from holdfast.api.references import names_in, template
from holdfast.api.scenario_table import Table
from holdfast.engine import quantities
from holdfast.engine.url import parse_url
from holdfast.model.answers import Assertion, Extract, Template
from holdfast.model.frozen import frozen
from holdfast.model.http_syntax import IN_PATH
from holdfast.model.journey_request import Body, Multipart, Part, Request, Resources, TextBody
from holdfast.model.scenario import Pause, Timeouts
from holdfast.model.suggestions import did_you_mean

_LINE = re.compile(r"(?:([A-Z][A-Z-]*)\s+)?(\S.*)", re.DOTALL)
_METHOD_AND_PATH = re.compile(r"(get|post|put|patch|delete|head|options)\s*(/.*)", re.IGNORECASE | re.DOTALL)
_ORIGIN = re.compile(r"([a-z]+://[^/?#]*|unix:/[^:]+)(.*)", re.IGNORECASE | re.DOTALL)
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"

OF_ALL = ("headers", "think", "follow", "expect-status", "resources", "hook", "keep-alive")
"""Keys of a group that its steps have too."""

KEYS = (
    *OF_ALL,
    *("request", "name", "body", "body-file", "json", "form", "part"),
    *("extract", "expect-body", "expect-match", "thresholds"),
)


@frozen
class Usual:
    """What each request of a group is like unless it says something else.

    Attributes:
        origin: scheme, host and port; "" where the group has none.
        headers: as they are written; one that uses a value is sent once something has set that value.
        think: before each request.
        hook: as it is written in the file; "" calls none.
        allowed_hooks: the files whose functions may be called.
    """

    origin: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    think: Pause = Pause()
    follow: int = 0
    expected: frozenset[int] | None = None
    resources: bool = False
    hook: str = ""
    allowed_hooks: frozenset[str] = frozenset()
    keep_alive: bool = True
    timeouts: Timeouts = Timeouts()


class Known:
    """The values that there are at one place of a journey: it is walked from its begin to its end.

    Attributes:
        names: of those that something before has set.
        later: what sets a value only afterwards, by its name.
        any, any_later: a hook of the person's own may have set any, or may do so afterwards.
    """

    def __init__(self, names: Sequence[str], later: Mapping[str, str], *, any_later: bool = False) -> None:
        self.names = set(names)
        self.later = later
        self.any = False
        self.any_later = any_later

    def has(self, text: str) -> bool:
        """Whether each reference of a text may have a value."""
        return self.any or all(name in self.names for name in names_in(text))

    def check_some_time(self, table: Table, key: str, text: str) -> str:
        """The same text, if each of its references may have a value here or later.

        Raises:
            UsageError: one never has.
        """
        if self.any_later or all(name in self.later or name in self.names for name in names_in(text)):
            return text
        return self.check(table, key, text)

    def check(self, table: Table, key: str | tuple[str | int, ...], text: str) -> str:
        """The same text, if each of its references may have a value.

        Raises:
            UsageError: one cannot.
        """
        for name in names_in(text):
            if not self.has(f"{{{name}}}"):
                there = ", ".join(f"{{{each}}}" for each in sorted(self.names)) or "none"
                why = f"{{{name}}} has no value there: nothing before this step sets it. There is {there}."
                if name in self.later:
                    why = f"{{{name}}} has no value there: {self.later[name]} sets it, which comes after."
                otherwise = (
                    f"Set it under [values], in rows or by extract, or write {{{{{name}}}}} for the text itself."
                )
                raise table.wrong(key, why, did_you_mean(name, self.names, otherwise, "{{{}}}"))
        return text


def usual_in(table: Table, before: Usual, check: Callable[[Table, str, str], str]) -> Usual:
    """What a table says of each request, over what is usual around it.

    Args:
        check: of the references in a header.
    """
    headers = _headers(table, check)
    return Usual(
        origin=before.origin,
        headers=_over(before.headers, headers),
        think=table.read("think", quantities.pause) or before.think,
        follow=_or(table.whole("follow", 0, MOST_HOPS), before.follow),
        expected=_statuses(table) or before.expected,
        resources=table.flag("resources", otherwise=before.resources),
        hook=_hook(table, before.allowed_hooks) if "hook" in table.values else before.hook,
        allowed_hooks=before.allowed_hooks,
        keep_alive=table.flag("keep-alive", otherwise=before.keep_alive),
        timeouts=before.timeouts,
    )


def request_in(table: Table, around: Usual, known: Known, values: Mapping[str, str]) -> tuple[Request, Usual]:
    """The request of a step, and what is usual for it.

    Args:
        around: what is usual in its group.
        known: values that there are; those that the step sets are added.
        values: that all clients begin with and nothing else sets.

    Raises:
        UsageError: it is not one.
    """
    usual = usual_in(table, around, known.check)
    headers = tuple((name, text) for name, text in usual.headers if known.has(text))
    line = known.check(table, "request", table.text("request").strip())
    found = _LINE.fullmatch(line)
    if found is None:
        raise table.wrong("request", 'It must be a path, or a method and a path: request = "POST /orders".')
    body, content_type = _body(table, known)
    method = found[1] or ("GET" if body is None else "POST")
    origin, path = _target(table, found[2], usual, values)
    if content_type and not any(name.lower() == "content-type" for name, _ in headers):
        headers = (*headers, ("Content-Type", content_type))
    extracts = _extracts(table, known)
    if usual.hook:
        extracts = (*extracts, hook_of(usual.hook, table.file.parent))
        known.any = True
    request = Request(
        label=(table.text("name") or f"{method} {' '.join(found[2].split())}",),
        origin=(origin,),
        path=template(path, "percent", constant=lambda text: quote(text, safe=IN_PATH)),
        method=(method,),
        headers=tuple(((name,), template(text)) for name, text in headers),
        body=body,
        expected=usual.expected,
        assertions=tuple(_assertions(table, known)),
        extracts=extracts,
        follow=usual.follow,
        resources=Resources() if usual.resources else None,
        keep_alive=usual.keep_alive,
        timeouts=usual.timeouts,
    )
    return request, usual


def names_set_in(table: Table) -> Iterator[str]:
    """The values that a step sets."""
    yield from table.table("extract", "extract").values


def _target(table: Table, text: str, usual: Usual, values: Mapping[str, str]) -> tuple[str, str]:
    """Origin and path."""
    for name, value in values.items():
        # Which server it is has to be known before the load begins, to see whether it may be loaded.
        if text.startswith(f"{{{name}}}") and _ORIGIN.match(value):
            text = value.removesuffix("/") + text[len(name) + 2 :]
    found = _ORIGIN.fullmatch(text)
    if found is None:
        if not text.startswith("/") and next(names_in(text.partition("/")[0]), None) is None:
            near = _METHOD_AND_PATH.fullmatch(text)
            remedy = f"Did you mean {near[1].upper()} {near[2]}?" if near else ""
            raise table.wrong("request", f"{text!r} is not a path: it begins with a slash.", remedy)
        if not usual.origin:
            raise table.wrong("request", "Nothing says to which server it goes.", 'Add url = "http://127.0.0.1:8000".')
        return usual.origin, text
    path = found[2].removeprefix(":") if found[1].lower().startswith("unix:") else found[2]
    path = path if path.startswith("/") else f"/{path}"
    return table.made("request", lambda: parse_url(found[1]).server), path


def _headers(table: Table, check: Callable[[Table, str, str], str]) -> tuple[tuple[str, str], ...]:
    headers = table.table("headers", "headers")
    found = []
    for name in headers.values:
        if name.lower() in ("content-length", "transfer-encoding"):
            raise headers.wrong(name, "It follows from the body, so holdfast sets it.", "Remove it.")
        found += [(name, check(headers, name, each)) for each in headers.texts(name)]
        headers.made(name, partial(option_values.fits_into_a_request, "/", [each for each in found if each[0] == name]))
    return tuple(found)


def _over(before: tuple[tuple[str, str], ...], after: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    replaced = {name.lower() for name, _ in after}
    return (*(each for each in before if each[0].lower() not in replaced), *after)


def _or(said: int | None, otherwise: int) -> int:
    return otherwise if said is None else said


def _statuses(table: Table) -> frozenset[int] | None:
    found = table.values.get("expect-status")
    several = found if isinstance(found, list) else [] if found is None else [found]
    for each in several:
        if not isinstance(each, int) or isinstance(each, bool) or not 100 <= each <= 599:
            raise table.wrong("expect-status", "It must be a status from 100 to 599, or a list of these.")
    return frozenset(several) or None


def _hook(table: Table, allowed: frozenset[str]) -> str:
    text = table.text("hook")
    if text and table.made("hook", lambda: hook_of(text, table.file.parent)).file not in allowed:
        name = text.rpartition(":")[0]
        raise table.wrong(
            "hook",
            f"The command does not name {name}, and a scenario runs no code on its own.",
            f"If you know what is in it: --hook {table.file.parent / name}.",
        )
    return text


def _body(table: Table, known: Known) -> tuple[Body | None, str]:
    """The body, and the type that it has unless a header says another."""
    said = [key for key in ("body", "body-file", "json", "form", "part") if key in table.values]
    if len(said) > 1:
        raise table.wrong(said[1], f"{' and '.join(said)} are each the whole body.", "Keep one of them.")
    if not said:
        return None, ""
    return _BODIES[said[0]](table, known)


def _text_body(table: Table, known: Known) -> tuple[Body, str]:
    return TextBody(template(known.check(table, "body", table.text("body")))), ""


def _file_body(table: Table, known: Known) -> tuple[Body, str]:
    content = table.made("body-file", lambda: read_input(table.file.parent / table.text("body-file")))
    try:
        return TextBody(template(known.check(table, "body-file", content.decode()))), ""
    except UnicodeDecodeError:
        return content, ""


def _json_body(table: Table, known: Known) -> tuple[Body, str]:
    try:
        text = json.dumps(table.values["json"], ensure_ascii=False, default=str, allow_nan=False)
    except ValueError as error:
        raise table.wrong("json", "JSON has no number nan or inf.", "Write it as a text, or leave it out.") from error
    return TextBody(template(known.check(table, "json", text), "json")), _JSON


def _form_body(table: Table, known: Known) -> tuple[Body, str]:
    form = table.table("form", "a form")
    parts: list[Template] = []
    for name, value in form.values.items():
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, str | int | float) or isinstance(each, bool):
                raise form.wrong(name, "It must be a text, a number, or a list of these.")
            text = template(known.check(form, name, str(each)), "form", constant=quote_plus)
            parts.append((f"{'&' if parts else ''}{quote_plus(name)}=", *text))
    return TextBody(tuple(each for part in parts for each in part)), _FORM


def _multipart_body(table: Table, known: Known) -> tuple[Body, str]:
    return Multipart(tuple(_part(each, known) for each in table.tables("part", "a part"))), ""


def _part(table: Table, known: Known) -> Part:
    table.only(("name", "content", "file", "file-name", "type"))
    if ("content" in table.values) == ("file" in table.values):
        raise table.wrong((), "It has either content or a file.")
    name = template(known.check(table, "name", table.text("name")))
    media_type = template(table.text("type"))
    if "content" in table.values:
        file_name = template(table.text("file-name")) if "file-name" in table.values else None
        return Part(name, template(known.check(table, "content", table.text("content"))), file_name, media_type)
    path = Path(table.text("file"))
    content = table.made("file", lambda: read_input(table.file.parent / path))
    return Part(name, content, (table.text("file-name", path.name),), media_type)


_BODIES = {
    "body": _text_body,
    "body-file": _file_body,
    "json": _json_body,
    "form": _form_body,
    "part": _multipart_body,
}


def _assertions(table: Table, known: Known) -> Iterator[Assertion]:
    for each in table.texts("expect-body"):
        yield Assertion("body", "contains", (template(known.check(table, "expect-body", each)),))
    for pattern in table.each("expect-match", quantities.pattern):
        yield Assertion("body", "finds", ((pattern,),))


def _extracts(table: Table, known: Known) -> tuple[Extract, ...]:
    wanted = table.table("extract", "extract")
    found = []
    for name, value in wanted.values.items():
        if isinstance(value, dict):
            one = wanted.table(name, f"the extract of {name}")
            one.only(("from", "default", "match"))
            default = one.text("default") if "default" in one.values else None
            match = _or(one.whole("match", 0, 1_000_000), 1)
            found.append(one.made("from", partial(extract, name, one.text("from"), default, match)))
        else:
            found.append(wanted.made(name, partial(extract, name, wanted.text(name))))
        known.names.add(name)
    return tuple(found)
