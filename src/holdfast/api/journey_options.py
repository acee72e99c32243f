"""The load that options mean whose clients remember something: arguments of a command line -> journeys."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from holdfast.api.hook_name import hook_of
from holdfast.api.load_arguments import LoadArguments
from holdfast.api.load_shape import shape_of
from holdfast.api.option_values import fits_into_a_request
from holdfast.api.references import Escape, names_in, template
from holdfast.api.scenario_shape import stays_of
from holdfast.api.scenario_steps import once, pause
from holdfast.engine.http1 import check_method
from holdfast.engine.url import parse_url
from holdfast.journeys.sharing import may_look_at
from holdfast.model import journey
from holdfast.model.answers import Assertion, CallsExtract, Extract, HookExtract
from holdfast.model.frozen import frozen
from holdfast.model.http_syntax import IN_PATH
from holdfast.model.journey_request import Body, Request, TextBody
from holdfast.model.scenario import Check, DataRows, Pause, Step
from holdfast.model.shapes import Clients, Shape
from holdfast.model.suggestions import did_you_mean

_STEP = re.compile(r"(?:([A-Z][A-Z-]*)\s+)?(\S+)(?:\s+(.*))?", re.DOTALL)
# A reference alone, {token}, is not an object.
_JSON = re.compile(r"\s*(\[|\{(?!\w+\}))")
_NUMBER = "id"


@frozen
class _Line:
    """One request of the command line, as it was written.

    Attributes:
        body: None sends none.
        media_type: of the body; "" leaves that to the headers.
        once: for each client.
        main: it is that of URL, to which checks belong.
    """

    method: str
    origin: str
    path: str
    body: bytes | str | None = None
    media_type: str = ""
    once: bool = False
    main: bool = False

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"

    def names(self) -> Iterator[str]:
        """The names in braces in its path and body."""
        yield from names_in(self.path)
        if isinstance(self.body, str):
            yield from names_in(self.body)


def journeys_of(arguments: LoadArguments, *, body: bytes | None, data: DataRows | None) -> journey.Journeys:
    """The journeys of the clients that the arguments describe.

    Args:
        body: of each request to URL; None sends none.
        data: values that have the names of its columns; None if there are none.

    Raises:
        ValueError: the arguments do not go together.
    """
    memory = arguments.memory
    shape = shape_of(arguments.shape)
    lines = _lines(arguments, body)
    fits_into_a_request("/", arguments.request.headers)
    fixed = {_NUMBER, *(data.names if data else ())}
    hooks = tuple(hook_of(each, Path()) for each in memory.hooks)
    later = set(map(_name, memory.extracts))
    if not hooks:
        _check_paths(lines, fixed | later)
    taken = _taken_from(lines, arguments, fixed)
    keep_alive = _keeps(arguments, shape, lines)
    known = set(fixed)
    nodes: list[journey.Node] = []
    firsts: list[journey.Node] = []
    for number, line in enumerate(lines):
        # A hook may have set any value, once it was called.
        hooked = bool(hooks) and number > 0
        headers = [
            (name, value)
            for name, value in arguments.request.headers
            if hooked or known.issuperset(each for each in names_in(value) if hooks or each in later)
        ]
        request = _request(line, headers, None if hooked else known | later, arguments)
        extracts: tuple[Extract, ...] = tuple(each for each in memory.extracts if taken[_name(each)] == number)
        known.update(map(_name, extracts))
        request = replace(request, extracts=(*extracts, *hooks), keep_alive=keep_alive)
        steps: tuple[journey.Node, ...] = (*pause(arguments.shape.think or Pause()), request)
        (firsts if line.once else nodes).extend(steps)
    # A number that all clients count keeps them on one host.
    counts = may_look_at((*firsts, *nodes), _NUMBER)
    begin: list[journey.Node] = [journey.Count(_NUMBER, ("0",))] if counts else []
    if data is not None:
        # A client that logs in with a row is that person for all of its passes.
        of_client = any(name in data.names for line in lines if line.once for name in line.names())
        begin.append(journey.Once((_rows(data),)) if of_client else _rows(data))
    before: tuple[journey.Node, ...] = (once(firsts),) if firsts else ()
    crew = journey.Crew(
        name=arguments.url or "",
        journey=journey.Sequence((*begin, *before, *nodes)),
        stays=stays_of(shape, arguments.run.seed),
        open=not isinstance(shape, Clients),
        keeps_cookies=memory.cookies,
    )
    return journey.Journeys((crew,))


def journeys_of_steps(
    steps: Sequence[Step], servers: Sequence[str], shape: Shape, arguments: LoadArguments
) -> journey.Journeys:
    """The journeys of clients that send steps which are fixed beforehand, each to its server."""
    nodes: list[journey.Node] = []
    for step, server in zip(steps, servers, strict=True):
        assert isinstance(step.path, str)
        assert not isinstance(step.body, tuple)
        nodes += pause(step.pause)
        nodes.append(
            Request(
                label=(step.label,),
                origin=(server,),
                path=(step.path,),
                method=(step.method,),
                headers=tuple(((name,), (str(value),)) for name, value in step.headers),
                body=step.body,
                expected=step.expected,
                assertions=tuple(map(_assertion, step.checks)),
                keep_alive=arguments.connection.keep_alive is not False,
                timeouts=arguments.timeouts,
            )
        )
    crew = journey.Crew(
        name=", ".join(dict.fromkeys(servers)),
        journey=journey.Sequence(tuple(nodes)),
        stays=stays_of(shape, arguments.run.seed),
        open=not isinstance(shape, Clients),
        keeps_cookies=arguments.memory.cookies,
    )
    return journey.Journeys((crew,))


def _lines(arguments: LoadArguments, body: bytes | None) -> tuple[_Line, ...]:
    url, request = parse_url(arguments.url or ""), arguments.request
    check_method(request.method or "GET")
    text: bytes | str | None = body
    if body is not None:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = body
    own = _Line(request.method or ("GET" if body is None else "POST"), url.server, url.path, text, main=True)
    return (
        *(_line(each, url.server, once=True) for each in arguments.memory.first),
        own,
        *(_line(each, url.server) for each in arguments.memory.then),
    )


def _line(text: str, server: str, *, once: bool = False) -> _Line:
    found = _STEP.fullmatch(text.strip())
    if found is None or not re.match(r"/|https?://|\{\w+\}", found[2]):
        raise ValueError(f"{text!r} is not a request: write it as /path, or 'POST /login name=ann'.")
    method, target, body = found.groups()
    if "://" in target:
        url = parse_url(target)
        server, target = url.server, url.path
    media_type = (
        "" if body is None else "application/json" if _JSON.match(body) else "application/x-www-form-urlencoded"
    )
    return _Line(method or ("GET" if body is None else "POST"), server, target, body, media_type, once)


def _taken_from(lines: Sequence[_Line], arguments: LoadArguments, fixed: Container[str]) -> dict[str, int]:
    """From which request's answer each value is taken: from the one before the first that uses it.

    One that only headers use is taken from the last `--first`, or without one from URL.
    """
    found: dict[str, int] = {}
    in_headers = {name for _, value in arguments.request.headers for name in names_in(value)}
    last_first = max(0, sum(line.once for line in lines) - 1)
    for each in arguments.memory.extracts:
        name = _name(each)
        if name in found or name in fixed:
            raise ValueError(f"{{{name}}} has two values: --extract {name} and another of that name.")
        users = [number for number, line in enumerate(lines) if name in line.names()]
        if users and users[0] == 0:
            raise ValueError(
                f"Nothing comes before {lines[0].label}, which uses {{{name}}}. Send something first: "
                "--first 'POST /login name=ann' once for each client, or put the request behind it with --then."
            )
        if not users and name not in in_headers and not arguments.memory.hooks:
            raise ValueError(f"Nothing uses {{{name}}}. Write it in a path, a body, or a header: -H 'X: {{{name}}}'.")
        found[name] = users[0] - 1 if users else last_first
    return found


def _check_paths(lines: Sequence[_Line], known: set[str]) -> None:
    """Raises ValueError for a reference in a path to a value that there is not."""
    for line in lines:
        for name in names_in(line.path):
            if name not in known:
                there = ", ".join(f"{{{each}}}" for each in sorted(known))
                near = did_you_mean(name, known, "A literal brace is written %7B.", "{{{}}}")
                raise ValueError(f"{{{name}}} in {line.path} has no value: there is {there}. {near}")


def _request(
    line: _Line, headers: Sequence[tuple[str, str]], known: Container[str] | None, arguments: LoadArguments
) -> Request:
    fields = tuple(((name,), template(value, known=known)) for name, value in headers)
    if line.media_type and not any(name.lower() == "content-type" for name, _ in headers):
        fields = (*fields, (("Content-Type",), (line.media_type,)))
    check = arguments.check
    return Request(
        label=(line.label,),
        origin=(line.origin,),
        path=template(line.path, "percent", known=known, constant=lambda text: quote(text, safe=IN_PATH)),
        method=(line.method,),
        headers=fields,
        body=_body(line, known),
        expected=check.expected if line.main else None,
        assertions=tuple(map(_assertion, check.checks)) if line.main else (),
        follow=arguments.memory.follow,
        timeouts=arguments.timeouts,
    )


def _body(line: _Line, known: Container[str] | None) -> Body | None:
    if line.body is None or isinstance(line.body, bytes):
        return line.body
    escapes: dict[str, Escape] = {"application/json": "json", "application/x-www-form-urlencoded": "form"}
    return TextBody(template(line.body, escapes.get(line.media_type, ""), known=known))


def _name(extract: Extract) -> str:
    assert not isinstance(extract, HookExtract | CallsExtract)
    return extract.name


def _keeps(arguments: LoadArguments, shape: Shape, lines: Sequence[_Line]) -> bool:
    said = arguments.connection.keep_alive
    return isinstance(shape, Clients) or len(lines) > 1 if said is None else said


def _assertion(check: Check) -> Assertion:
    how = ("matches" if check.whole else "finds") if check.pattern else ("equals" if check.whole else "contains")
    return Assertion("body", how, ((check.text,),), check.wanted)  # type: ignore[arg-type]


def _rows(data: DataRows) -> journey.TakeRow:
    return journey.TakeRow(data.names, data.rows, "load", again=data.again, ends=not data.again, origin=data.origin)
