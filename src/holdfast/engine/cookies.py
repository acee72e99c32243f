"""The cookies of one client, kept as a browser keeps them.

Facts
-----
* `http.cookiejar` decides by domain, path, expiry and `Secure`; its rules for cookies of Netscape's kind are those of
  browsers (RFC 6265), but for three things. It takes a host without a dot for one of `.local`, and so finds a cookie
  wrong that names such a host as its domain (`Domain=localhost`). Left alone, it sends a cookie that was set without a
  domain to hosts below its own. It keeps any number of cookies.
* Browsers keep about 180 cookies of a host, each of at most 4,096 bytes (RFC 6265, 6.1, wants 50 and 4,096 at least).

Decisions
---------
* A jar is made when the first cookie comes: most clients have none, and its import takes tens of ms.
* Of one host, MOST_OF_A_HOST are kept; the oldest goes first.
* As long as nothing in the jar expires, what is sent to a URL is worked out once for each change of the jar, and a
  reply that sets what the one before has set changes nothing: 1 us for both instead of 38 us (measured).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any, cast
from urllib.parse import urlsplit

from holdfast.engine.cookie_forms import Kept, taken, unpacked, written
from holdfast.model.journey import CookieForm

MOST_OF_A_HOST = 180
MOST_BYTES = 4096
MOST_FIELDS = 100
"""URLs whose field is remembered."""

_SET_COOKIE = re.compile(r"^set-cookie[ \t]*:[ \t]*(.*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_EXPIRES = re.compile(r";[ \t]*(?:expires|max-age)[ \t]*=", re.IGNORECASE)
_DOMAIN = re.compile(r";[ \t]*domain[ \t]*=[ \t]*\.?([^;,\s]*)", re.IGNORECASE)

Fixed = tuple[str, str, str, str]
"""Name, value, domain and path."""


class Cookies:
    """The cookies of one client.

    Attributes:
        dropped: how many were not kept, since there were too many of a host, or they were too long.
    """

    __slots__ = (
        "_everywhere",
        "_expires",
        "_fields",
        "_fixed",
        "_form",
        "_jar",
        "_maybe_many",
        "_set",
        "_taken",
        "dropped",
    )

    def __init__(self, fixed: Iterable[Fixed] = (), form: CookieForm = "as set") -> None:
        """Has these cookies alone; one without a domain is for every host."""
        self._form = form
        self._fixed = tuple(fixed)
        self._everywhere = [(name, value, path) for name, value, domain, path in self._fixed if not domain]
        self.dropped = 0
        self.clear()

    def clear(self) -> None:
        """Forgets all but those that it began with."""
        self._jar = CookieJar(DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain))
        for number, (name, value, domain, path) in enumerate(self._fixed):
            if domain:
                kept = value if self._form == "as set" else Kept(number, name, value).packed()
                self._jar.set_cookie(_cookie(name, kept, domain, path or "/"))
        self._set = len(self._fixed)
        self._maybe_many = len(self._fixed)
        self._fields: dict[str, str] = {}
        self._taken: tuple[str, list[str]] = ("", [])
        self._expires = False

    def field(self, url: str) -> str:
        """The value of the Cookie field of a request; "" for none."""
        where = url.partition("?")[0]
        found = self._fields.get(where)
        if found is None:
            found = self._field(where)
            if not self._expires and len(self._fields) < MOST_FIELDS:
                self._fields[where] = found
        return found

    def _field(self, url: str) -> str:
        request = _Request(url)
        self._jar.add_cookie_header(cast("Any", request))
        if self._form != "as set":
            paths = {each.value: each.path for each in self._jar}
            sent = [each.partition("=")[2] for each in request.cookie.split("; ") if each]
            kept = sorted((-len(paths[each]), unpacked(each)) for each in sent)
            return written(self._form, [each for _, each in kept]) if kept else ""
        pairs = [f"{name}={value}" for name, value, path in self._everywhere if _is_below(request.path, path)]
        return "; ".join([*pairs, *([request.cookie] if request.cookie else [])])

    def take(self, url: str, head: str) -> None:
        """Keeps what the head of a reply sets."""
        set_ = (url.partition("?")[0], _SET_COOKIE.findall(head))
        if set_ == self._taken:
            return
        request = _Request(url)
        values = [_for_this_host(value, request.host) for value in set_[1]]
        kept = [value for value in values if len(value.partition(";")[0]) <= MOST_BYTES]
        self.dropped += len(values) - len(kept)
        if self._form != "as set":
            fields = list[str]()
            for value in kept:
                fields += taken(self._form, value, url, self._set + len(fields))
            kept = fields
            self._set += len(kept)
        self._jar.extract_cookies(cast("Any", _Reply(kept)), cast("Any", request))
        expires = any(_EXPIRES.search(value) for value in kept)
        self._expires = self._expires or expires
        # To set what expires once more makes it last longer.
        self._taken = ("", []) if expires else set_
        self._fields.clear()
        self._maybe_many += len(kept)
        if self._maybe_many > MOST_OF_A_HOST:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        by_host: dict[str, list[Cookie]] = {}
        for cookie in self._jar:
            by_host.setdefault(cookie.domain, []).append(cookie)
        for cookies in by_host.values():
            for cookie in cookies[: max(0, len(cookies) - MOST_OF_A_HOST)]:
                self._jar.clear(cookie.domain, cookie.path, cookie.name)
                self.dropped += 1
        self._maybe_many = max(map(len, by_host.values()), default=0)


class _Request:
    """A request as `http.cookiejar` reads it (urllib.request.Request)."""

    unverifiable = False

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._url = url
        self.type, self.host, self.path = parts.scheme, parts.netloc, parts.path or "/"
        self.origin_req_host = parts.hostname or ""
        self.cookie = ""

    def get_full_url(self) -> str:
        return self._url

    def get_header(self, _name: str, default: str = "") -> str:
        return default

    def has_header(self, _name: str) -> bool:
        return False

    def add_unredirected_header(self, name: str, value: str) -> None:
        if name == "Cookie":
            self.cookie = value


class _Reply:
    """The fields of a reply as `http.cookiejar` reads them (email.message.Message)."""

    def __init__(self, values: list[str]) -> None:
        self._values = values

    def info(self) -> _Reply:
        return self

    def get_all(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as of Message
        return self._values if name == "Set-Cookie" else default


def _for_this_host(value: str, netloc: str) -> str:
    """What is set, without a domain that is the host itself and has no dot: it is for this host alone."""
    host = urlsplit(f"//{netloc}").hostname or ""
    found = _DOMAIN.search(value)
    if found is None or "." in host or found[1].lower() != host:
        return value
    return value[: found.start()] + value[found.end() :]


def _cookie(name: str, value: str, domain: str, path: str) -> Cookie:
    known = domain if "." in domain else f"{domain}.local"
    return Cookie(
        version=0,
        name=name,
        value=value,
        port=None,
        port_specified=False,
        domain=known,
        domain_specified=domain.startswith("."),
        domain_initial_dot=domain.startswith("."),
        path=path,
        path_specified=True,
        secure=False,
        expires=None,
        discard=True,
        comment=None,
        comment_url=None,
        rest={},
    )


def _is_below(path: str, of: str) -> bool:
    """Whether a path is this one or below it (RFC 6265, 5.1.4)."""
    return not of or path == of or (path.startswith(of) and (of.endswith("/") or path[len(of)] == "/"))
