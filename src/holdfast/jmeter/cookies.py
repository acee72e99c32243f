"""Turns JMeter's Cookie Managers into the jars of a crew's clients; pure.

Source: apache/jmeter, protocol/http/control/CookieManager.java (testIterationStart, addCookie),
HTTPSamplerBase.java (setCookieManager).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from holdfast.jmeter.scope import Reading
from holdfast.model.frozen import frozen
from holdfast.model.journey import CookieForm
from holdfast.plans.jmx_tree import Node, Properties

_FORMS: Mapping[str, CookieForm] = {
    "standard": "standard",
    "standard-strict": "standard",
    "netscape": "draft",
    "default": "default",
    "compatibility": "default",
    "best-match": "default",
    "rfc2109": "rfc 2109",
}
_KIND, _REQUEST = "CookieManager", "HTTPSamplerProxy"


@frozen
class Jar:
    """The jar of each client.

    Attributes:
        keeps: there is one.
        clears: it begins anew with each pass.
        form: how they are read and sent.
        cookies: name, value, domain and path of those that are in it at first.
    """

    keeps: bool = False
    clears: bool = False
    form: CookieForm = "standard"
    cookies: tuple[tuple[str, str, str, str], ...] = ()


def jar_of(group: Node, common: Sequence[Node], reading: Reading, *, same_user: bool) -> Jar:
    """The jar of a thread group's clients.

    Args:
        common: the elements beside the thread groups.
        same_user: the client stays the same from one pass to the next.
    """
    others = [each for each in common if each.kind == _KIND]
    manager = others[-1] if others else _manager_of_all(group)
    nested = [each for each in group.descendants() if each.kind == _KIND]
    if manager is None:
        for node in nested:
            reading.refuse(
                node,
                "it applies to some of the group's requests only",
                "Put it directly into its Thread Group, where it applies to all of them.",
            )
        return Jar()
    for node in (*others, *nested):
        if node is not manager:
            reading.note(node, f"{manager.name} takes its place, as in JMeter: of several, that of the outermost level")
    policy = (reading.fixed(manager, manager.text("CookieManager.policy")) or "standard").lower()
    if policy == "ignorecookies":
        return Jar()
    form = _FORMS.get(policy)
    if form is None:
        reading.refuse(
            manager, f"its policy {policy} sends cookies in another form", "Choose the policy standard, as browsers do."
        )
    elif policy == "standard-strict":
        reading.tell(manager, f"dates of cookies are read as RFC 6265 says, not by its policy {policy}")
    has_own = any(True for _ in manager.properties.elements("CookieManager.cookies"))
    if has_own and form in ("default", "rfc 2109"):
        reading.refuse(
            manager,
            f"by its policy {policy}, its own cookies are sent in another form ($Version=1; ...)",
            "Choose the policy standard, as browsers do.",
        )
    by_group = reading.flag(manager, "CookieManager.controlledByThreadGroup")
    clears = not same_user if by_group else reading.flag(manager, "CookieManager.clearEachIteration")
    own_cookies = [_cookie(manager, each, reading) for each in manager.properties.elements("CookieManager.cookies")]
    own = tuple(each for each in own_cookies if each is not None)
    return Jar(keeps=True, clears=clears, form=form or "standard", cookies=own)


def _manager_of_all(node: Node) -> Node | None:
    """The manager that applies to all requests below a node: the last one of the outermost level; None: there is none.

    Source: HTTPSamplerBase.java, setCookieManager: each that applies takes the place of the one before.
    """
    here = [each for each in node.enabled if each.kind == _KIND]
    if here:
        return here[-1]
    inside = [each for each in node.enabled if _has_request(each)]
    return _manager_of_all(inside[0]) if len(inside) == 1 else None


def _has_request(node: Node) -> bool:
    return any(each.kind == _REQUEST for each in (node, *node.descendants()))


def _cookie(manager: Node, cookie: Properties, reading: Reading) -> tuple[str, str, str, str] | None:
    """Name, value, domain and path of a cookie of a manager's own; None if it is never sent.

    Source: apache/jmeter, protocol/http/control/HC4CookieHandler.java (makeCookie), and BasicDomainHandler.java of
    Apache HttpClient (match, domainMatch).
    """
    value, domain, path = (
        reading.fixed(manager, cookie.text(f"Cookie.{each}")) for each in ("value", "domain", "path")
    )
    if domain is not None and "/" in domain:
        reading.note(
            manager, f"its cookie {cookie.name} is for {domain}, which no host is, so it is not sent, as by JMeter"
        )
        return None
    if value is None or domain is None or path is None:
        reading.refuse(manager, f"its cookie {cookie.name} is not known before the load begins")
        return None
    domain = domain.strip().lower()
    if not domain:
        reading.note(manager, f"its cookie {cookie.name} has no domain, so it is not sent, as by JMeter")
        return None
    if cookie.text("Cookie.secure").strip().lower() == "true":
        reading.tell(manager, f"its cookie {cookie.name} is for https alone, and is sent over http too")
    is_for_hosts_below = cookie.text("Cookie.domain_specified").strip().lower() == "true"
    if is_for_hosts_below and not domain.startswith(".") and not _is_address(domain):
        domain = f".{domain}"
    return cookie.name, value, domain, path


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdecimal()
