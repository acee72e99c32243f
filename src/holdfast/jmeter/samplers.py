"""Turns JMeter's HTTP Request, with what applies to it, into a request of a journey; pure."""

from __future__ import annotations

from urllib.parse import quote

from holdfast.jmeter.scope import Scope
from holdfast.model.answers import Template
from holdfast.model.journey_request import Request
from holdfast.plans.jmx_tree import Node, Properties
from holdfast.plans.thread_groups import KINDS as _GROUPS

HANDLED = frozenset({"HTTPSamplerProxy", "ConfigTestElement", "HeaderManager"})
"""Kinds of elements that this file turns into requests, or refuses."""


def request_of_sampler(node: Node, scope: Scope) -> Request:
    """The request of an HTTP Request; what cannot be done is refused.

    Args:
        scope: whose first level is what is below the HTTP Request.
    """
    assert node.kind not in _GROUPS
    elements = [node, *scope.nearest("ConfigTestElement")]

    def filled(name: str) -> Template:
        for each in elements:
            if text := each.text(f"HTTPSampler.{name}"):
                return scope.template(each, text)
        return ()

    port = filled("port")
    origin = (*(filled("protocol") or ("http",)), "://", *filled("domain"), *((":", *port) if port else ()))
    headers: list[tuple[Template, Template]] = []
    for manager in scope.nearest("HeaderManager"):
        for header in manager.properties.elements("HeaderManager.headers"):
            name = header.text("Header.name")
            if not any(known == (name,) for known, _ in headers):
                headers.append(((name,), scope.template(manager, header.text("Header.value"))))
    return Request(
        label=scope.template(node, node.name),
        origin=tuple(origin),
        path=_path(node, filled("path"), scope),
        method=filled("method") or ("GET",),
        headers=tuple(headers),
    )


def _path(node: Node, path: Template, scope: Scope) -> Template:
    first = path[0] if path else "/"
    out = list(path) if isinstance(first, str) and first.startswith("/") else ["/", *path]
    out = [quote(part, safe="%/?&=:+,;@~!$'()*[]") if isinstance(part, str) else part for part in out]
    for argument in node.properties.inner("HTTPsampler.Arguments").elements("Arguments.arguments"):
        out += ["&" if any("?" in str(part) for part in out) else "?", *_argument(node, argument, scope)]
    return tuple(out)


def _argument(node: Node, argument: Properties, scope: Scope) -> Template:
    name, value = argument.text("Argument.name"), argument.text("Argument.value")
    return (*scope.template(node, name), "=", *scope.template(node, value))
