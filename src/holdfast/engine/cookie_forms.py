"""What JMeter's cookie policies take from a Set-Cookie field, and what they write into a Cookie field; pure.

Source: Apache HttpClient 4.5, impl/cookie (RFC6265CookieSpec, NetscapeDraftSpec, DefaultCookieSpec, RFC2109Spec and
their handlers), Apache HttpCore 4.4, message/TokenParser.java; apache/jmeter, protocol/http/control/CookieManager.java
(a cookie that is set again comes last; one without a value is removed), HC4CookieHandler.java (several Cookie fields
become one without anything between them).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from holdfast.model.journey import CookieForm

_DRAFT_DATE = re.compile(r"[A-Za-z]{3}, \d{1,2}-[A-Za-z]{3}-\d+ \d{1,2}:\d{1,2}:\d{1,2} \S")
_OF_THREE_PARTS_AT_LEAST = re.compile(r"(?i)(?<!\.com)(?<!\.edu)(?<!\.net)(?<!\.gov)(?<!\.mil)(?<!\.org)(?<!\.int)$")
_SPECIAL = re.compile(r'[ ",;\\]')
_BLANKS = " \t\r\n"


class Kept(NamedTuple):
    """A cookie as it is sent.

    Attributes:
        number: of all that were set, in their order.
        path, domain: as they were set; "" if they were not.
    """

    number: int
    name: str
    value: str
    version: int = 0
    path: str = ""
    domain: str = ""

    def packed(self) -> str:
        """The same as the value of a cookie: digits and letters."""
        return json.dumps(self).encode().hex()


def unpacked(text: str) -> Kept:
    """What was packed into a value."""
    return Kept(*json.loads(bytes.fromhex(text)))


def taken(form: CookieForm, field: str, url: str, number: int) -> list[str]:
    """The fields to keep of a Set-Cookie field, whose values are packed; none if it is not understood.

    Args:
        url: that the reply came from.
        number: of the first cookie.
    """
    if form == "standard":
        return _taken_as_standard(field, number)
    pairs = list(_parameters(field, 0, quoted=False))
    names = {name.lower() for name, _ in pairs[1:]}
    if form == "rfc 2109" or (form == "default" and "version" in names and "expires" not in names):
        return _taken_by_2109(field, url, number)
    return _taken_as_draft(pairs, urlsplit(url).hostname or "", number)


def written(form: CookieForm, cookies: Sequence[Kept]) -> str:
    """The value of the Cookie field of these cookies: longer paths come first, and what was set first."""
    version = min((each.version for each in cookies), default=0)
    if form == "standard":
        return "; ".join(f"{each.name}={_quoted(each.value)}" for each in cookies)
    if form == "rfc 2109":
        return "; ".join([f"$Version={version}", *(_with_version(each, version) for each in cookies)])
    if form == "default" and version:
        return "".join(f"$Version={each.version}; {_with_version(each, each.version)}" for each in cookies)
    in_order = sorted(cookies, key=lambda each: each.number)
    return "; ".join(f"{each.name}={each.value}" for each in in_order)


def _quoted(value: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"' if _SPECIAL.search(value) else value


def _with_version(cookie: Kept, version: int) -> str:
    said = [(cookie.name, cookie.value), ("$Path", cookie.path), ("$Domain", cookie.domain)]
    mark = '"' if version else ""
    return "; ".join(f"{name}={mark}{value}{mark}" for name, value in said if value)


def _taken_as_standard(field: str, number: int) -> list[str]:
    name, at = _token(field, 0, "=;")
    if not name or not field[at:].startswith("="):
        return []
    value, at = _token(field, at + 1, ";", quoted=True)
    return [_to_keep(Kept(number, name, value), field[at:])]


def _to_keep(cookie: Kept, attributes: str) -> str:
    kept = f"{cookie.name}={cookie.packed()}{attributes}"
    return kept if cookie.value else f"{kept}; Max-Age=0"


def _taken_as_draft(pairs: Sequence[tuple[str, str | None]], host: str, number: int) -> list[str]:
    """As Netscape's draft says: with dates of one form alone, and no Max-Age."""
    (name, value), *others = pairs or [("", None)]
    said = {key.lower(): text or "" for key, text in reversed(others)}
    domain = said.get("domain", "").lower()
    if not name or ("expires" in said and not _DRAFT_DATE.match(said["expires"])):
        return []
    if domain and "." in host and len([part for part in domain.split(".") if part]) < _fewest_parts(domain):
        return []
    attributes = "".join(f"; {key}={said[key]}" for key in ("path", "domain", "expires") if said.get(key))
    return [_to_keep(Kept(number, name, value or ""), attributes + ("; secure" if "secure" in said else ""))]


def _fewest_parts(domain: str) -> int:
    return 3 if _OF_THREE_PARTS_AT_LEAST.search(domain) else 2


def _taken_by_2109(field: str, url: str, number: int) -> list[str]:
    parts = urlsplit(url)
    found: list[str] = []
    at = 0
    while at < len(field):
        comma = _end_of_element(field, at)
        (name, value), *others = list(_parameters(field[:comma], at, quoted=True)) or [("", None)]
        said = {key.lower(): text for key, text in reversed(others)}
        at = comma + 1
        version, age = said.get("version", "0") or "", said.get("max-age", "0") or ""
        if not name or not version.strip().isdecimal() or not age.strip().isdecimal():
            return []
        cookie = Kept(
            number + len(found), name, value or "", int(version), (said.get("path") or "/") if "path" in said else ""
        )
        domain = (said.get("domain") or "").lower()
        if " " in name or name.startswith("$") or not _is_below(parts.path, cookie.path):
            continue
        if not _may_set(domain, (parts.hostname or "").lower()):
            continue
        cookie = cookie._replace(domain=domain)
        attributes = [f"; path={cookie.path}" * bool(cookie.path), f"; domain={domain}" * bool(domain)]
        attributes += [f"; max-age={age}" * ("max-age" in said), "; secure" * ("secure" in said)]
        found.append(_to_keep(cookie, "".join(attributes)))
    return found


def _is_below(path: str, of: str) -> bool:
    return not of or (path or "/") == of or (path.startswith(of) and (of.endswith("/") or path[len(of)] == "/"))


def _may_set(domain: str, host: str) -> bool:
    """Whether a host may set a cookie of this domain (RFC2109DomainHandler.java)."""
    if not domain or domain == host:
        return True
    within = domain.startswith(".") and "." in domain[1:-1]
    return within and host.endswith(domain) and "." not in host.removesuffix(domain)


def _end_of_element(field: str, at: int) -> int:
    while at < len(field):
        _, at = _token(field, at, ";,", quoted=True)
        if field[at:].startswith(","):
            return at
        at += 1
    return len(field)


def _parameters(text: str, at: int, *, quoted: bool) -> Iterator[tuple[str, str | None]]:
    """Names and values, of which a `;` ends each; the value is None where there is no `=`."""
    while at < len(text):
        name, at = _token(text, at, "=;")
        value = None
        if text[at:].startswith("="):
            value, at = _token(text, at + 1, ";", quoted=quoted)
        at += 1
        yield name, value


def _token(text: str, at: int, ends: str, *, quoted: bool = False) -> tuple[str, int]:
    """What comes before one of these characters, with one blank for several, and where it ends."""
    found: list[str] = []
    blank = False
    while at < len(text) and text[at] not in ends:
        if text[at] in _BLANKS:
            blank = True
            at += 1
            continue
        if blank and found:
            found.append(" ")
        blank = False
        if quoted and text[at] == '"':
            inside, at = _in_quotes(text, at + 1)
            found += inside
        else:
            found.append(text[at])
            at += 1
    return "".join(found), at


def _in_quotes(text: str, at: int) -> tuple[list[str], int]:
    found: list[str] = []
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
            found += [text[at]] if text[at] in '"\\' else ["\\", text[at]]
        elif text[at] not in "\r\n":
            found.append(text[at])
        at += 1
    return found, at + 1
