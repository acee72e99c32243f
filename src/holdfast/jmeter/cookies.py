"""Turns JMeter's Cookie Managers into the jars of a crew's clients; pure.

Source: apache/jmeter, protocol/http/control/CookieManager.java (testIterationStart, addCookie), config in
HTTPSamplerBase: a request uses the nearest one.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.jmeter.scope import Reading
from holdfast.model.frozen import frozen
from holdfast.plans.jmx_tree import Node, Properties

_KIND = "CookieManager"


@frozen
class Jar:
    """The jar of each client.

    Attributes:
        keeps: there is one.
        clears: it begins anew with each pass.
        cookies: name, value, domain and path of those that are in it at first.
    """

    keeps: bool = False
    clears: bool = False
    cookies: tuple[tuple[str, str, str, str], ...] = ()


def jar_of(group: Node, common: Sequence[Node], reading: Reading, *, same_user: bool) -> Jar:
    """The jar of a thread group's clients.

    Args:
        common: the elements beside the thread groups.
        same_user: the client stays the same from one pass to the next.
    """
    own = [each for each in group.children if each.kind == _KIND]
    others = [each for each in common if each.kind == _KIND]
    managers = own or others
    for node in [each for each in group.descendants() if each.kind == _KIND and each not in own]:
        reading.refuse(
            node,
            "it applies to some of the group's requests only",
            "Put it directly into its Thread Group, where it applies to all of them.",
        )
    if not managers:
        return Jar()
    if len(managers) > 1:
        reading.refuse(managers[1], "a request would have two of them", "Keep one of them.")
    (manager, *_) = managers
    policy = reading.fixed(manager, manager.text("CookieManager.policy"))
    if policy == "ignoreCookies":
        return Jar()
    if policy not in ("", "standard", "default", "compatibility", "best-match"):
        reading.tell(manager, f"cookies are kept as RFC 6265 says, not by its policy {policy}")
    by_group = reading.flag(manager, "CookieManager.controlledByThreadGroup")
    clears = not same_user if by_group else reading.flag(manager, "CookieManager.clearEachIteration")
    own_cookies = [_cookie(manager, each, reading) for each in manager.properties.elements("CookieManager.cookies")]
    return Jar(keeps=True, clears=clears, cookies=tuple(each for each in own_cookies if each is not None))


def _cookie(manager: Node, cookie: Properties, reading: Reading) -> tuple[str, str, str, str] | None:
    """Name, value, domain and path of a cookie of a manager's own; None if it is never sent.

    Source: apache/jmeter, protocol/http/control/HC4CookieHandler.java (makeCookie), and BasicDomainHandler.java of
    Apache HttpClient (match, domainMatch).
    """
    value, domain, path = (
        reading.fixed(manager, cookie.text(f"Cookie.{each}")) for each in ("value", "domain", "path")
    )
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
