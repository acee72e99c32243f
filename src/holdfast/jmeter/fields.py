"""The header fields of an HTTP Request of JMeter: its Header Managers', and an Authorization Manager's entries; pure.

Source: apache/jmeter 5.5, protocol/http/control/HeaderManager.java (merge: the nearest manager's field wins),
AuthManager.java, HTTPHC4Impl.java (setConnectionHeaders; the credentials of a BASIC entry are sent without being asked
for). Which entry counts for which URL: `model/logins.py`.
"""

from __future__ import annotations

from holdfast.jmeter.merged import Merged, template_call
from holdfast.journeys.functions_request import FIELD, HOST, field, host
from holdfast.model.answers import Template
from holdfast.model.journey_request import Login, Telling
from holdfast.plans.jmx_tree import Node, Properties

_KEPT = frozenset({"content-type", "authorization", "cookie", "proxy-authorization"})
_BASIC = frozenset({"", "BASIC", "BASIC_DIGEST"})
_DIGEST = "DIGEST"

_ACCEPT_OF_JAVA = "text/html, image/gif, image/jpeg, */*; q=0.2"
"""What Java's own client adds, for requests whose implementation is Java (measured with Java 17)."""


def fields_of(
    found: Merged, origin: Template, content_type: Template, *, replaces: bool
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
                value = found.scope.template(manager, header.text("Header.value"), f"value {number}")
                is_host = _lower(name) == "host" and not found.is_java()
                value = _in_latin_1(value) if is_host or found.is_java() else _as_sent(value)
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
    return tuple(fields)


def kept_fields(found: Merged) -> frozenset[str]:
    """Those of managers, in lower case, that JMeter sends with redirects and embedded resources too, to any server."""
    return _KEPT & {
        (header.text("Header.name") or header.name).strip().lower()
        for manager in found.scope.nearest("HeaderManager")
        for header in manager.properties.elements("HeaderManager.headers")
    }


def _with_port(written: Template, origin: Template) -> Template:
    """A Host field, with the port that JMeter adds to it."""
    if len(written) < 2 and len(origin) == 1 and all(isinstance(each, str) for each in (*written, *origin)):
        return (host(["".join(map(str, written)), str(origin[0])]),)
    return template_call(HOST, [written, origin])


def _in_latin_1(value: Template) -> Template:
    """A field's value: what ISO 8859-1 does not have is sent as a question mark (measured with JMeter 5.5)."""
    return tuple(
        each.encode("latin-1", "replace").decode("latin-1") if isinstance(each, str) else each for each in value
    )


def _as_sent(value: Template) -> Template:
    """A field's value as Apache HttpClient sends it."""
    known = tuple(field(each) if isinstance(each, str) else each for each in value)
    return known if all(isinstance(each, str) for each in known) else template_call(FIELD, [known])


def _lower(name: Template) -> str:
    return "".join(each.lower() if isinstance(each, str) else str(each) for each in name).strip()


def logins_of(found: Merged, origin: Template, path: Template) -> tuple[Login, ...]:
    """The credentials of the Authorization Manager that applies to a request, the farthest of several."""
    return tuple(
        _login(manager, entry, origin, path, found)
        for manager in list(found.scope.nearest("AuthManager"))[-1:]
        for entry in manager.properties.elements("AuthManager.auth_list")
    )


def _login(manager: Node, entry: Properties, origin: Template, path: Template, found: Merged) -> Login:
    reading = found.scope.reading
    url, name, password, realm, domain = (
        reading.template(manager, entry.text(f"Authorization.{each}"))
        for each in ("url", "username", "password", "realm", "domain")
    )
    mechanism = entry.text("Authorization.mechanism")
    told: Telling = "asked" if mechanism == _DIGEST else "unasked"
    if mechanism not in _BASIC and mechanism != _DIGEST:
        told = "never"
        if _may_begin(url, origin, path):
            reading.refuse(
                manager,
                f"its mechanism {mechanism} takes tickets, which holdfast does not have",
                "Use BASIC or DIGEST, or send a token in a Header Manager.",
            )
    elif found.is_java():
        # It is told so whatever the mechanism (HTTPJavaImpl.java, setConnectionAuthorization).
        told = "unasked by java"
    return Login(url, name, password, realm, domain, told)


def _may_begin(url: Template, origin: Template, path: Template) -> bool:
    """Whether the request's URL may begin with this one, as far as both are known."""
    (first, *_) = path or ("",)
    known = [_known(url), _known((*origin, *(path if isinstance(first, str) else ("\0",))))]
    (begin, _), (whole, is_whole) = known
    return whole.startswith(begin) or (not is_whole and begin.startswith(whole))


def _known(template: Template) -> tuple[str, bool]:
    """What is known of a text from its begin on, and whether that is all."""
    known, more, _ = "".join(each if isinstance(each, str) else "\0" for each in template).partition("\0")
    return known, not more
