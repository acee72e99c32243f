"""Turns JMeter's HTTP Request, with what applies to it, into a request of a journey; pure.

Source: apache/jmeter 5.5, protocol/http/sampler/HTTPSamplerBase.java (getUrl, followRedirects), HTTPHC4Impl.java
(createHttpRequest, setupRequest), testelement/AbstractTestElement.java (mergeIn: a default fills a property that is
missing or empty, and default arguments come after the request's own). tests/oracle sends each of them with JMeter too.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from itertools import takewhile

from holdfast.jmeter.assertions import ASSERTIONS, assertions_of
from holdfast.jmeter.bodies import body_of, goes_with_get, is_multipart, sends_file, unsendable
from holdfast.jmeter.caches import cache_of
from holdfast.jmeter.extractors import EXTRACTORS, check_markup, extracts_of
from holdfast.jmeter.fields import fields_of, kept_fields, logins_of
from holdfast.jmeter.merged import Merged, merged, template_call
from holdfast.jmeter.modifiers import LINK_PARSER, MODIFIERS, modified_path
from holdfast.jmeter.possible import values_of
from holdfast.jmeter.scope import Scope
from holdfast.journeys.context import FunctionError
from holdfast.journeys.functions_request import NOWHERE, ORIGIN, SCHEMES, TARGET, TARGET_OF_JAVA, target, target_of_java
from holdfast.journeys.functions_rewriting import SET_PATH
from holdfast.model.answers import FunctionCall, Template, Variable
from holdfast.model.journey_request import Links, Multipart, Request, Resources, TextBody
from holdfast.model.scenario import Timeouts
from holdfast.plans.jmx_tree import Node

HANDLED = frozenset(
    {
        "HTTPSamplerProxy",
        "ConfigTestElement",
        "HeaderManager",
        "AuthManager",
        "CacheManager",
        "CookieManager",
        "DNSCacheManager",
        "KeystoreConfig",
        LINK_PARSER,
        *MODIFIERS,
        *EXTRACTORS,
        *ASSERTIONS,
    }
)
"""Kinds of elements that this file turns into requests, or refuses."""

NAMELESS = "it names no server, and neither do the HTTP Request Defaults that apply to it"
_MOST_REDIRECTS = 20
# In a host name, java.net.URL and java.net.URI refuse these.
_NO_HOST = re.compile(r"[\s/\\?#@<>\"{}|^`]")
_HOST_ALONE = re.compile(r"https?://(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d+)?")
_ASKED_TWICE = frozenset({"__V", "__P", "__property", "__env", "__evalVar"})
_WITH_QUERY = frozenset({"GET", "DELETE", "OPTIONS"})
_ALIKE = frozenset({"POST", "PUT", "PATCH"})
_METHODS = frozenset({"GET", "POST", "HEAD", "PUT", "OPTIONS", "TRACE", "DELETE", "PATCH", "PROPFIND", "PROPPATCH",
                      "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "MKCALENDAR", "SEARCH"})  # fmt: skip


def request_of_sampler(node: Node, scope: Scope) -> Request:
    """The request of an HTTP Request; what cannot be done is refused.

    Args:
        scope: whose first level is what is below the HTTP Request.
    """
    found = merged(node, scope)
    method, may_change = _method(found)
    origin, path = _where(found, method)
    body, content_type = body_of(found, method)
    if why := unsendable(found, method):
        scope.reading.note(node, f"{why}: nothing is sent, and it counts as failed, as with JMeter")
        # Its fields are put together before, and of a form what comes before its files.
        parts = body.parts if isinstance(body, Multipart) and not found.is_java() else ()
        said = [each for part in parts if part.file_name is None for each in (part.name, part.media_type, part.content)]
        body = TextBody(template_call(NOWHERE, [(why,), *(each for each in said if isinstance(each, tuple))]))
    has_parts = isinstance(body, Multipart)
    fields = fields_of(found, origin, content_type, replaces=has_parts)
    _tell(found)
    for each in scope.nearest("KeystoreConfig"):
        scope.reading.tell(each, "no certificate of a client is sent", left_out=True)
    links = _links(found, method)
    follows, follows_unseen = found.flag("follow_redirects"), found.flag("auto_redirects")
    return Request(
        label=scope.template(node, node.name, "label"),
        origin=origin if links is None else _origin_or_nowhere(found, origin),
        path=path,
        method=found.template("method") if may_change else (method,),
        headers=fields,
        body=body,
        extracts=extracts_of(scope),
        assertions=assertions_of(scope),
        follow=_MOST_REDIRECTS if follows or follows_unseen else 0,
        redirects="library" if follows_unseen else "get",
        hops_count=False,
        resources=_resources(found),
        cache=cache_of(scope),
        links=links,
        logins=logins_of(found, origin, path),
        keep_alive=found.flag("use_keepalive"),
        kept=_kept(found, has_parts=has_parts, follows_unseen=follows_unseen),
        timeouts=Timeouts(_seconds(found, "connect_timeout"), _seconds(found, "response_timeout"), None),
    )


def _method(found: Merged) -> tuple[str, bool]:
    """Its method; or one of several that rows may give it, and True, where the same is sent with all of them."""
    possible = values_of(found.template("method"), found.scope)
    if possible is not None and _ALIKE.issuperset(possible) and not found.is_java():
        return possible[0], len(possible) > 1
    method = (found.fixed("method", "its method") or "GET").strip()
    if method not in _METHODS:
        found.scope.reading.refuse(
            found.node, f"its method is {method!r}, which JMeter does not send", "Choose its method anew."
        )
    return method, False


def _kept(found: Merged, *, has_parts: bool, follows_unseen: bool) -> frozenset[str]:
    """Fields that go with redirects: of Apache's client also the Content-Type of a file that is the body."""
    of_a_body = frozenset({"content-type"})
    if has_parts:
        return kept_fields(found) - of_a_body
    return kept_fields(found) | (of_a_body if follows_unseen and sends_file(found) else frozenset())


def _may_be_asked_twice(part: str | Variable | FunctionCall) -> bool:
    """Whether a part of a text has the same value again; a counter would count."""
    return not isinstance(part, FunctionCall) or part.name in _ASKED_TWICE


def _seconds(found: Merged, name: str) -> float | None:
    element, text = found.written(name)
    ms = found.scope.reading.number(element, text, f"its {name}")
    return ms / 1000 if ms > 0 else None


def _where(found: Merged, method: str) -> tuple[Template, Template]:
    """Scheme, host and port, and path and query."""
    path = found.template("path")
    first = path[0] if path else ""
    if isinstance(first, str) and first.startswith(SCHEMES):
        return _whole_url(found, path)
    begin = tuple(takewhile(_may_be_asked_twice, path))
    if isinstance(first, str) or not begin:
        return _origin(found), _target(found, path, method)
    # What the variable has may be a whole URL.
    named = _origin(found) if found.written("domain")[1] else ()
    return template_call(ORIGIN, [begin, named]), _target(found, path, method)


def _origin(found: Merged) -> Template:
    scheme = found.template("protocol") or ("http",)
    scheme = tuple(each.lower() if isinstance(each, str) else each for each in scheme)
    host, port = found.template("domain"), found.template("port")
    port = tuple(each.strip() if isinstance(each, str) else each for each in port)
    node, reading = found.node, found.scope.reading
    if why := _no_server(scheme, host):
        # It fails each time, unsent, as with JMeter.
        reading.note(node, f"{why}: nothing is sent, and it counts as failed, as with JMeter")
        return template_call(NOWHERE, [(why,)])
    if not host and not reading.elsewhere:
        reading.nameless.append(node)
        return template_call(NOWHERE, [(NAMELESS,)])
    if len(port) == 1 and isinstance(port[0], str) and not port[0].isdecimal():
        reading.note(node, f"its port is {port[0]!r}, no number, so it is the usual one, as with JMeter")
        port = ()
    if port in (("80",), ("443",), ("0",)):
        port = () if (scheme, port) in ((("http",), ("80",)), (("https",), ("443",))) or port == ("0",) else port
    if len(host) == 1 and isinstance(host[0], str) and ":" in host[0] and not host[0].startswith("["):
        host = (f"[{host[0]}]",)
    return _joined(*scheme, "://", *host, *((":", *port) if port else ()))


def _no_server(scheme: Template, host: Template) -> str:
    """Why these cannot be a server's scheme and host, as far as they are known; "" if they can."""
    if all(isinstance(each, str) for each in scheme) and scheme not in (("http",), ("https",)):
        return f"its protocol is {''.join(map(str, scheme))!r}, and neither http nor https"
    if len(host) != 1 or not isinstance(host[0], str):
        return ""
    name = host[0]
    if _NO_HOST.search(name) or (":" in name and not _is_address(name)):
        return f"its server name is {name!r}, which has more than a name in it"
    return ""


def _is_address(name: str) -> bool:
    try:
        return bool(IPv6Address(name.removeprefix("[").removesuffix("]").partition("%")[0]))
    except AddressValueError:
        return False


def _whole_url(found: Merged, path: Template) -> tuple[Template, Template]:
    """A path that is a URL: JMeter takes it as it is, without arguments."""
    first = path[0]
    assert isinstance(first, str)
    scheme, _, rest = first.partition("://")
    host, slash, local = rest.partition("/")
    if not slash and len(path) > 1:
        found.scope.reading.refuse(
            found.node,
            f"its path is a whole URL whose server is not known before the load begins: {first}...",
            "Fill in the server name, and only the path as its path.",
        )
    origin = (f"{scheme}://{host}",)
    local_path = modified_path(_joined(f"/{local}", *path[1:]), found.scope)
    return origin, template_call(TARGET_OF_JAVA if found.is_java() else TARGET, [local_path, ("utf-8",)])


def _target(found: Merged, path: Template, method: str) -> Template:
    modified = modified_path(path, found.scope)
    arguments: list[Template] = [modified, (found.charset(),)]
    if method in _WITH_QUERY:
        both = not found.is_java() and (method == "DELETE" or goes_with_get(found))
        for each in found.arguments_of_both(of_body=False) if both else found.arguments():
            if not each.name:
                continue
            arguments += [each.name, (each.equals,), each.value, ("true" if each.encode else "false",)]
    if found.is_java() and any(not each.isascii() for each in path if isinstance(each, str)):
        found.scope.reading.tell(found.node, "what is not ASCII in its path is percent-encoded")
    of_client, as_sent = (TARGET_OF_JAVA, target_of_java) if found.is_java() else (TARGET, target)
    made = template_call(SET_PATH if modified != path and method in ("GET", "DELETE") else of_client, arguments)
    if not all(isinstance(each, str) for argument in arguments for each in argument):
        return made
    try:
        return (as_sent(["".join(map(str, each)) for each in arguments]),)
    except FunctionError as error:
        # It fails each time, unsent, as with JMeter.
        found.scope.reading.tell(found.node, str(error).rstrip("."))
        return made


def _joined(*parts: object) -> Template:
    """Parts of a template with adjacent texts joined."""
    out: list[object] = []
    for part in parts:
        if isinstance(part, str) and out and isinstance(out[-1], str):
            out[-1] += part
        elif part != "":
            out.append(part)
    return tuple(out)  # type: ignore[arg-type]


def _origin_or_nowhere(found: Merged, origin: Template) -> Template:
    """The origin of a request that follows links: what its server has to be like may be the name of none."""
    text = "".join(map(str, origin)) if all(isinstance(each, str) for each in origin) else ""
    if not text or _HOST_ALONE.fullmatch(text):
        return origin
    why = f"{text} does not name a server, and no link of the page matches {found.written('path')[1]}"
    return (f"{text.partition('://')[0]}://", *template_call(NOWHERE, [(why,)]), f":{text.rpartition(':')[2]}")


def _links(found: Merged, method: str) -> Links | None:
    """That it follows a link of the last page, if an HTML Link Parser applies to it."""
    reading = found.scope.reading
    parsers = [*found.scope.nearest(LINK_PARSER)]
    if not parsers:
        return None
    arguments = found.arguments()
    as_query = method in _WITH_QUERY
    if is_multipart(found) or (not as_query and (goes_with_get(found) or method not in ("POST", "PUT", "PATCH"))):
        reading.refuse(
            parsers[0],
            "a request to which it applies has a body of another kind than a form",
            "Take the values with an extractor, and refer to its variables.",
        )
    if len(parsers) > 1 or [*found.scope.nearest(*MODIFIERS)]:
        reading.refuse(parsers[0], "another modifier applies to its request", "Keep one of them.")
    check_markup(parsers[0], ("//a",), "xpath", (), reading)
    return Links(
        scheme=found.template("protocol"),
        host=found.template("domain"),
        path=found.template("path"),
        arguments=tuple((each.name, each.value, each.equals, each.encode) for each in arguments),
        as_query=as_query,
        charset=found.charset(),
    )


def _resources(found: Merged) -> Resources | None:
    if not found.flag("image_parser"):
        return None
    if found.flag("concurrentDwn"):
        meaning = "its embedded resources are fetched one after the other"
        found.scope.reading.tell(found.node, meaning)
    return Resources(
        found.template("embedded_url_re"), found.template("embedded_url_exclude_re"), with_body=goes_with_get(found)
    )


_DIFFERENT = {
    "proxyHost": "it is sent directly to its server, not to the proxy",
    "ipSource": "its source address is ignored; set one with --source",
}


def _tell(found: Merged) -> None:
    for name, meaning in _DIFFERENT.items():
        if found.written(name)[1]:
            found.scope.reading.tell(found.node, meaning)
    if found.is_java() and found.flag("auto_redirects"):
        found.scope.reading.tell(found.node, "redirects are followed as Apache's client does, and not Java's")
    if found.flag("md5"):
        found.scope.reading.tell(found.node, "its body is kept as it is, and not replaced by its MD5 sum")
