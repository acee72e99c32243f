"""Tells servers who a client is: with the request, or where one asks (401), by RFC 7616, as Apache HttpClient; pure.

Source: Apache HttpClient 4.5.13, impl/auth/DigestScheme.java (createDigestHeader: the order of its parts, which of them
have quotes, MD5 where no algorithm is named), HttpAuthenticator.java; apache/jmeter 5.5,
protocol/http/control/AuthManager.java (an entry's realm, if it has one, is that of the server).
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from holdfast.engine.redirects import without
from holdfast.model.logins import basic_field, credentials_for

if TYPE_CHECKING:
    from holdfast.engine.fetching import Ended, Exchange
    from holdfast.journeys.steps import Sending
    from holdfast.model.logins import Credentials

UNAUTHORIZED = 401
_FIELD = re.compile(r"^www-authenticate:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_PART = re.compile(r"""\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)""")
_HASHES = {"md5": hashlib.md5, "md5-sess": hashlib.md5, "sha-256": hashlib.sha256, "sha": hashlib.sha1}


def with_login(exchange: Exchange, sending: Sending, before: Exchange | None = None) -> Exchange:
    """A redirect or resource of a request with the credentials that count for it, and not those of the request.

    Args:
        before: what was redirected to it: a library keeps what it has told a server until it comes to another one.
    """
    known = sending.credentials
    if not any(each.told.startswith("unasked") for each in known):
        return exchange
    if before is not None and sending.redirects == "library" and before.origin == exchange.origin and _tells(before):
        return exchange
    field = basic_field(known, _named(exchange.origin, sending), exchange.path)
    headers = without(exchange.headers, frozenset({"authorization"}))
    return exchange._replace(headers=(*headers, ("Authorization", field)) if field else headers)


def asked_again(sent: Exchange, ended: Ended, sending: Sending) -> Exchange | None:
    """A request that was refused, with what its server asks for; None where it is not sent again."""
    found = credentials_for(sending.credentials, _named(sent.origin, sending), sent.path)
    if found is None or found.told != "asked" or ended.read is None:
        return None
    return answered(sent, ended.read.head, found, secrets.token_hex(8))


def _named(origin: str, sending: Sending) -> str:
    """An origin as the plan names it."""
    return sending.named if sending.named and origin == sending.origin else origin


def _tells(exchange: Exchange) -> bool:
    return any(name.lower() == "authorization" for name, _ in exchange.headers)


def answered(refused: Exchange, head: str, credentials: Credentials, nonce: str) -> Exchange | None:
    """The request again, with what the server asks for; None if it asks for something else.

    Args:
        head: of the reply, status line and fields.
        credentials: that count for it; a realm "" is any.
        nonce: the client's own, of 16 hexadecimal digits, another one each time.
    """
    if _tells(refused):
        return None
    for scheme, challenge in sorted(_challenges(head).items(), reverse=True):
        if scheme in ("digest", "basic") and credentials.realm in ("", challenge.get("realm", "")):
            value = _basic(credentials) if scheme == "basic" else _digest(refused, challenge, credentials, nonce)
            # What HttpClient cannot answer it sends once more as it was.
            fields = (("Authorization", value),) if value else ()
            return refused._replace(headers=(*refused.headers, *fields), goes_on=True, made=None)
    return None


def _challenges(head: str) -> Mapping[str, Mapping[str, str]]:
    """What a server asks for, by the scheme in small letters; HttpClient sees the first one of each field."""
    found: dict[str, dict[str, str]] = {}
    for field in _FIELD.findall(head):
        scheme, _, said = field.partition(" ")
        parts = {name.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare for name, quoted, bare in _PART.findall(said)}
        found.setdefault(scheme.lower(), parts)
    return found


def _basic(credentials: Credentials) -> str:
    return "Basic " + base64.b64encode(f"{credentials.name}:{credentials.password}".encode()).decode()


def _digest(refused: Exchange, challenge: Mapping[str, str], credentials: Credentials, own: str) -> str:
    """The value of Authorization; "" where the server asks for what is not known."""
    user, password = credentials.name, credentials.password
    algorithm = challenge.get("algorithm", "MD5")
    make = _HASHES.get(algorithm.lower())
    offered = {each.strip().lower() for each in re.split(r"[\s,]+", challenge.get("qop", "")) if each.strip()}
    quality = "auth-int" if refused.body is not None and "auth-int" in offered else "auth" if "auth" in offered else ""
    realm, nonce = challenge.get("realm"), challenge.get("nonce")
    if make is None or realm is None or nonce is None or (offered and not quality):
        return ""

    def hashed(content: bytes) -> str:
        return make(content, usedforsecurity=False).hexdigest()

    known = hashed(f"{user}:{realm}:{password}".encode("latin-1", "replace"))
    if algorithm.lower() == "md5-sess":
        known = hashed(f"{known}:{nonce}:{own}".encode("latin-1", "replace"))
    what = f"{refused.method}:{refused.path}"
    if quality == "auth-int":
        what += f":{hashed(refused.body or b'')}"
    with_what = hashed(what.encode("latin-1", "replace"))
    between = f"{nonce}:00000001:{own}:{quality}" if quality else nonce
    response = hashed(f"{known}:{between}:{with_what}".encode("latin-1", "replace"))
    quoted = {"username": user, "realm": realm, "nonce": nonce, "uri": refused.path, "response": response}
    parts = [f'{name}="{_escaped(value)}"' for name, value in quoted.items()]
    if quality:
        parts += [f"qop={quality}", "nc=00000001", f'cnonce="{own}"']
    parts.append(f"algorithm={algorithm}")
    if "opaque" in challenge:
        parts.append(f'opaque="{_escaped(challenge["opaque"])}"')
    return "Digest " + ", ".join(parts)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
