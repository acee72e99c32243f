"""A plan's requests, sent to other servers than it names; pure.

The server of a request in a JMeter plan is a text with references. Where a URL takes the place of all servers, it need
not be known; to see which of several it is, its references must have values before the load begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from holdfast.errors import UsageError
from holdfast.model.answers import FunctionCall, Template
from holdfast.model.frozen import frozen
from holdfast.model.journey import Crew, Journeys, Sequence
from holdfast.model.journey_request import Request
from holdfast.model.scenario import Group
from holdfast.plans.har_servers import Choice
from holdfast.plans.origins import AS_RECORDED, Origins, check_matches
from holdfast.plans.samplers import PORTS, server_name

_PROPERTIES = frozenset({"__P", "__property"})
_LEFT_OUT = Sequence(())


@frozen
class Elsewhere:
    """What is sent of a plan, and where.

    Attributes:
        choice: which servers these are, and what is left out, in one line; "" where there was no choice.
        left_out: the servers to which requests are left out.
    """

    groups: tuple[Group, ...]
    journeys: Journeys | None
    choice: str
    left_out: tuple[str, ...]


def groups_elsewhere(groups: Iterable[Group], asked: Origins, file: str) -> Elsewhere:
    """Groups of a plan that is fixed beforehand.

    Raises:
        UsageError: a server that is mapped is not in the plan, or nothing is left to send.
    """
    counted = _Counted(asked)
    sent = []
    for group in groups:
        target = counted.target(group.url, len(group.steps))
        if target is not None:
            sent.append(replace(group, url=target, name=target if group.name == group.url else group.name))
    choice, left_out = counted.choice(file)
    return Elsewhere(tuple(sent), None, choice, left_out)


def journeys_elsewhere(journeys: Journeys, values: Mapping[str, Template], asked: Origins, file: str) -> Elsewhere:
    """Journeys of a plan.

    Args:
        values: that every client begins with.

    Raises:
        UsageError: a server that is mapped is not in the plan, nothing is left to send, or which server a request goes
            to is only known while the plan runs.
    """
    if asked == AS_RECORDED:
        return Elsewhere((), journeys, "", ())
    counted = _Counted(asked)
    properties = dict(journeys.properties)

    def changed(request: Request, crew: Crew) -> Request | Sequence:
        known = {**values, **{name: (text,) for name, text in crew.values}}
        origin = _origin(request.origin, known, properties)
        if origin is None:
            return _unknown(request, asked, counted, file)
        target = counted.target(origin, 1)
        return _LEFT_OUT if target is None else _sent_to(target, request)

    crews = tuple(replace(crew, journey=_with_requests(crew, changed)) for crew in journeys.crews)
    crews = tuple(replace(crew, cookies=tuple(map(counted.cookie, crew.cookies))) for crew in crews)
    choice, left_out = counted.choice(file)
    return Elsewhere((), replace(journeys, crews=crews), choice, left_out)


def _unknown(request: Request, asked: Origins, counted: _Counted, file: str) -> Request:
    """A request whose server is not known beforehand: only a URL for all servers can take its place."""
    label = "".join(part if isinstance(part, str) else part.written for part in request.label)
    if asked.base is None:
        raise UsageError(
            f'{file}: the server of "{label}" is only known while the plan runs.',
            "--map replaces servers that are known beforehand.",
            "Give a URL, which replaces the servers of all requests.",
        )
    is_none = request.origin in (("http://",), ("https://",))
    counted.add("no named server" if is_none else "servers that only the running plan knows", asked.base, 1)
    return _sent_to(asked.base, request)


def _sent_to(target: str, request: Request) -> Request:
    """A request to another server; credentials count for the one that the plan names."""
    return replace(request, origin=(target,), named=request.origin if request.logins else ())


def _with_requests(crew: Crew, change: Callable[[Request, Crew], Request | Sequence]) -> Sequence:
    """The crew's journey with other requests; what was one node at several places stays one."""
    changed: dict[int, Any] = {}

    def node_of(node: Any) -> Any:  # noqa: ANN401 - any node of a journey
        if id(node) not in changed:
            if isinstance(node, Request):
                changed[id(node)] = change(node, crew)
            elif hasattr(node, "nodes"):
                changed[id(node)] = replace(node, nodes=tuple(map(node_of, node.nodes)))
            else:
                return node
        return changed[id(node)]

    journey: Sequence = node_of(crew.journey)
    return journey


class _Counted:
    """Which servers there are, where requests to them go, and how many there are."""

    def __init__(self, asked: Origins) -> None:
        self._asked = asked
        self._targets: dict[str, str] = {}
        self._sent: dict[str, int] = {}
        self._left_out: dict[str, int] = {}
        self._known: list[str] = []

    def target(self, origin: str, requests: int) -> str | None:
        """Where requests to this server go; None leaves them out."""
        self._known.append(origin)
        target = self._asked.instead(origin)
        if target is None:
            self._left_out[origin] = self._left_out.get(origin, 0) + requests
        else:
            self.add(origin, target, requests)
        return target

    def add(self, origin: str, target: str, requests: int) -> None:
        """Counts requests that are sent."""
        self._targets[origin] = target
        self._sent[origin] = self._sent.get(origin, 0) + requests

    def cookie(self, cookie: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
        """A cookie that clients begin with, for the host that takes the place of its own."""
        name, value, domain, path = cookie
        domain = domain.lower()
        for origin, target in self._targets.items():
            host = urlsplit(origin).hostname or ""
            if host == domain.removeprefix(".") or (domain.startswith(".") and host.endswith(domain)):
                return name, value, urlsplit(target).hostname or domain, path
        return cookie

    def choice(self, file: str) -> tuple[str, tuple[str, ...]]:
        """The choice in one line, and the servers that are left out.

        Raises:
            UsageError: a server that is mapped is not there.
        """
        check_matches(self._asked, self._known, file)
        choice = Choice(self._targets, self._sent, self._left_out, "", None)
        return choice.in_words(file), tuple(self._left_out)


def _origin(template: Template, values: Mapping[str, Template], properties: Mapping[str, str]) -> str | None:
    """The server that a text means, as `server_name` writes it; None if that is not known beforehand."""
    text = _text(template, values, properties, 0)
    if text is None:
        return None
    url = urlsplit(text.strip().lower())
    try:
        port = url.port or 0
    except ValueError:
        return None
    return server_name(url.scheme, url.hostname, port) if url.scheme in PORTS and url.hostname else None


_DEEP = 20


def _text(template: Template, values: Mapping[str, Template], properties: Mapping[str, str], level: int) -> str | None:
    found = ""
    for part in template:
        if isinstance(part, str):
            found += part
            continue
        one = None
        if isinstance(part, FunctionCall):
            one = _property(part, values, properties, level)
        elif part.name in values and level < _DEEP:
            one = _text(values[part.name], values, properties, level + 1)
        if one is None:
            return None
        found += one
    return found


def _property(
    call: FunctionCall, values: Mapping[str, Template], properties: Mapping[str, str], level: int
) -> str | None:
    """The value of `${__P(name,default)}`, whose default is 1 if it has none; None for other functions."""
    arguments = [_text(each, values, properties, level + 1) for each in call.arguments]
    if call.name not in _PROPERTIES or not arguments or arguments[0] is None or level > _DEEP:
        return None
    default = arguments[-1] if len(arguments) > 1 else "1" if call.name == "__P" else arguments[0]
    return properties.get(arguments[0].strip(), default)
