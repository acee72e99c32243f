"""The header fields of an HTTP Request of JMeter: its Header Managers', and those of an Authorization Manager; pure.

Source: apache/jmeter 5.5, protocol/http/control/HeaderManager.java (merge: the nearest manager's field wins),
AuthManager.java (getAuthForURL: the first entry whose URL the request's begins with), HTTPHC4Impl.java
(setConnectionHeaders; the credentials of a BASIC entry are sent without being asked for).
"""

from __future__ import annotations

import re

from holdfast.jmeter.merged import Merged, template_call
from holdfast.journeys.functions_request import BASIC
from holdfast.model.answers import FunctionCall, Template, Variable
from holdfast.plans.jmx_tree import Node, Properties
from holdfast.plans.samplers import PORTS

_KEPT = frozenset({"content-type", "authorization", "cookie", "proxy-authorization"})
_PORT = re.compile(r":(\d+)$")
_BASIC = frozenset({"", "BASIC", "BASIC_DIGEST"})
_DIGEST = "DIGEST"

_ACCEPT_OF_JAVA = "text/html, image/gif, image/jpeg, */*; q=0.2"
"""What Java's own client adds, for requests whose implementation is Java (measured with Java 17)."""


def fields_of(
    found: Merged, origin: Template, path: Template, content_type: Template, *, replaces: bool
) -> tuple[tuple[Template, Template], ...]:
    """The fields, in order.

    Args:
        content_type: that is added if no manager sets one.
        replaces: the body decides the Content-Type, whatever a manager says.
    """
    fields: list[tuple[Template, Template]] = []
    for place, manager in enumerate(found.scope.nearest("HeaderManager")):
        known = {_lower(name) for name, _ in fields}
        for number, header in enumerate(manager.properties.elements("HeaderManager.headers")):
            name = found.scope.template(manager, header.text("Header.name") or header.name, f"name {number}")
            if _lower(name) not in known and _lower(name) not in ("", "content-length"):
                value = _in_latin_1(found.scope.template(manager, header.text("Header.value"), f"value {number}"))
                is_host = _lower(name) == "host" and not found.is_java()
                fields.append((name, _with_port(value, origin) if is_host else value))
                # The nearest one may have a name twice; of the others only the first is added to it.
                known |= {_lower(name)} if place else set()
    if replaces:
        fields = [each for each in fields if _lower(each[0]) != "content-type"]
    elif content_type and not any(_lower(name) == "content-type" and value for name, value in fields):
        fields.append((("Content-Type",), content_type))
    if found.is_java() and not any(_lower(name) == "accept" for name, _ in fields):
        fields.append((("Accept",), (_ACCEPT_OF_JAVA,)))
    if not found.flag("use_keepalive"):
        fields.insert(0, (("Connection",), ("close",)))
    authorization = _basic(found, origin, path)
    if authorization and not any(_lower(name) == "authorization" for name, _ in fields):
        fields.append((("Authorization",), authorization))
    return tuple(fields)


def kept_fields(found: Merged) -> frozenset[str]:
    """Those of managers, in lower case, that JMeter sends with redirects and embedded resources too, to any server."""
    return _KEPT & {
        (header.text("Header.name") or header.name).strip().lower()
        for manager in found.scope.nearest("HeaderManager")
        for header in manager.properties.elements("HeaderManager.headers")
    }


def _with_port(host: Template, origin: Template) -> Template:
    """A Host field: JMeter adds the port of the request's URL, unless it has one, and never the usual one.

    Source: HTTPHC4Impl.java (setConnectionHeaders, getPortFromHostHeader); HTTPJavaImpl.java does not.
    """
    own, first = _port_of(host), origin[0] if origin else ""
    if own and own == str(PORTS.get(str(first).partition("://")[0])):
        return (*host[:-1], _PORT.sub("", str(host[-1])))
    if own or _port_of(origin) is None:
        return host
    return (*host, ":", _port_of(origin) or "")


def _port_of(server: Template) -> str | Variable | FunctionCall | None:
    """What is behind the last colon of a server; None if nothing is."""
    *before, last = server or ("",)
    if isinstance(last, str):
        found = _PORT.search(last)
        return found[1] if found else None
    return last if before and isinstance(before[-1], str) and before[-1].endswith(":") else None


def _in_latin_1(value: Template) -> Template:
    """A field's value: what ISO 8859-1 does not have is sent as a question mark (measured with JMeter 5.5)."""
    return tuple(
        each.encode("latin-1", "replace").decode("latin-1") if isinstance(each, str) else each for each in value
    )


def _lower(name: Template) -> str:
    return "".join(each.lower() if isinstance(each, str) else str(each) for each in name).strip()


def _basic(found: Merged, origin: Template, path: Template) -> Template:
    """The value of the field Authorization; () sends none."""
    entry = _entry(found, origin, path)
    # Java's client is told the credentials so whatever the mechanism (HTTPJavaImpl.java, setConnectionAuthorization).
    if entry is None or not (found.is_java() or entry[1].text("Authorization.mechanism") in _BASIC):
        return ()
    name, password, _ = _said(*entry, found)
    if found.is_java():
        return ("Basic ", *template_call("__base64Encode", [(*name, ":", *password)]))
    return ("Basic ", *template_call(BASIC, [name, password]))


def credentials_of(found: Merged, origin: Template, path: Template) -> tuple[Template, Template, Template] | None:
    """Name, password and realm for a server that asks for them; None has none."""
    entry = None if found.is_java() else _entry(found, origin, path)
    return _said(*entry, found) if entry and entry[1].text("Authorization.mechanism") == _DIGEST else None


def _said(manager: Node, entry: Properties, found: Merged) -> tuple[Template, Template, Template]:
    name, password, realm = (
        found.scope.reading.template(manager, entry.text(f"Authorization.{each}"))
        for each in ("username", "password", "realm")
    )
    return name, password, realm


def _entry(found: Merged, origin: Template, path: Template) -> tuple[Node, Properties] | None:
    """The entry of an Authorization Manager that applies to a request, and the manager."""
    reading = found.scope.reading
    managers = list(found.scope.nearest("AuthManager"))
    for manager in managers[-1:]:  # the farthest takes the place of those before it
        for entry in manager.properties.elements("AuthManager.auth_list"):
            url = reading.fixed(manager, entry.text("Authorization.url"))
            if url is None:
                reading.refuse(manager, "the URL of an entry is not known before the load begins", "Write it out.")
                continue
            if not _begins_with(url, origin, path, manager, found):
                continue
            mechanism = entry.text("Authorization.mechanism")
            if mechanism not in _BASIC and mechanism != _DIGEST:
                reading.refuse(
                    manager,
                    f"its mechanism {mechanism} takes tickets, which holdfast does not have",
                    "Use BASIC or DIGEST, or send a token in a Header Manager.",
                )
                return None
            return manager, entry
    return None


def _begins_with(url: str, origin: Template, path: Template, manager: Node, found: Merged) -> bool:
    """Whether the request's URL begins with this one, as far as it is known; otherwise it is refused."""
    target = "".join(each if isinstance(each, str) else "\0" for each in (*origin, *_path(path)))
    known, more, _ = target.partition("\0")
    if known.startswith(url):
        return True
    if more and url.startswith(known):
        found.scope.reading.refuse(
            manager,
            f"whether its entry for {url} applies to {found.node.name} is not known before the load begins",
            "Shorten its URL to the server's.",
        )
    return False


def _path(path: Template) -> Template:
    """What is known of a path: the arguments of the function that makes it begin with it."""
    (first, *_) = path or ("",)
    return path if isinstance(first, str) else ("\0",)
