"""The HTTP cache of one client: which answers it still has, and with what it asks whether they have changed.

Source: apache/jmeter 5.5, protocol/http/control/CacheManager.java, and HTTPHC4Impl.sample, which asks it. It keeps no
bodies: a request that the cache answers is not sent, and no result of it is seen.

Facts
-----
* An entry is kept as it came first: a 304, or a later answer to the same URL, does not make it younger. Only one with
  a Vary field is replaced.
* Without Expires, max-age and Last-Modified, an answer with an ETag or a Cache-Control field is fresh for a year.
* The fields that Vary names are compared by their exact names, and as far as the plan sets them: those that the client
  adds itself are known when an answer is kept, and not yet when it is looked up, so an answer that varies by them is
  never found again. With Cookie it is the other way round.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from holdfast.model.journey_request import Cache

_YEAR_S = 365 * 86_400.0
_OF_LAST_MODIFIED = 0.1
_MAX_AGE = re.compile(r"max-age=([^, ]*)")
_DIGITS = 12
"""Of a number of seconds that a clock can count to."""
_VALIDATORS = (("If-Modified-Since", "last-modified"), ("If-None-Match", "etag"))
_OWN = {"User-Agent": "", "Host": ""}
"""Fields that the client adds by itself, unless the plan sets them."""

Fields = Iterable[tuple[str, str]]


class _Entry(NamedTuple):
    """What is known of an answer.

    Attributes:
        conditions: the fields that ask whether it has changed.
        fresh_until_s: wall clock; None asks each time.
        varies_by: the Vary field; "" where it has none.
    """

    conditions: tuple[tuple[str, str], ...]
    fresh_until_s: float | None
    varies_by: str = ""


class AnswerCache:
    """What one client remembers of answers."""

    __slots__ = ("_cache", "_entries")

    def __init__(self, cache: Cache) -> None:
        """Remembers nothing."""
        self._cache = cache
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def has(self, url: str, fields: Fields, now_s: float) -> bool:
        """Whether the answer to a GET of this URL is still fresh, so that nothing is sent.

        Args:
            fields: of the request, cookies included.
            now_s: wall clock.
        """
        found = self._find(url, fields)
        return found is not None and found.fresh_until_s is not None and now_s < found.fresh_until_s

    def conditions(self, url: str, fields: Fields) -> tuple[tuple[str, str], ...]:
        """The fields with which a request asks whether the answer has changed; () where none is kept."""
        found = self._find(url, fields)
        return () if found is None else found.conditions

    def take(self, url: str, fields: Fields, status: int, head: str, now_s: float) -> None:
        """Remembers the answer to a GET, if it may be used again.

        Args:
            fields: of the request.
            head: of the reply.
        """
        said = _last_fields(head)
        varies_by = said.get("vary", "")
        if not (200 <= status <= 299 or status == 304) or varies_by == "*":
            return
        if not any(said.get(name, "").strip() for name in ("last-modified", "expires", "etag", "cache-control")):
            return
        if self._cache.keeps_fresh and "no-store" in said.get("cache-control", ""):
            return
        conditions = tuple((field, said[name]) for field, name in _VALIDATORS if name in said)
        entry = _Entry(conditions, self._fresh_until_s(said, now_s))
        if "vary" in said:
            sent = {**_OWN, **dict(fields)}
            sent.pop("Cookie", None)
            self._keep(url, entry._replace(varies_by=varies_by))
            self._keep(_varied(url, varies_by, sent.items()), entry)
        elif url not in self._entries:
            self._keep(url, entry)

    def _fresh_until_s(self, said: dict[str, str], now_s: float) -> float | None:
        return _fresh_until_s(said, now_s) if self._cache.keeps_fresh else None

    def _find(self, url: str, fields: Fields) -> _Entry | None:
        found = self._entries.get(url)
        if found is not None and found.varies_by:
            url = _varied(url, found.varies_by, fields)
            found = self._entries.get(url)
        if found is not None:
            self._entries.move_to_end(url)
        return found

    def _keep(self, key: str, entry: _Entry) -> None:
        self._entries[key] = entry
        self._entries.move_to_end(key)
        while len(self._entries) > self._cache.most:
            self._entries.popitem(last=False)


def _fresh_until_s(said: dict[str, str], now_s: float) -> float | None:
    """Until when an answer is fresh; None is asked for each time.

    Args:
        said: fields of its head.
    """
    control, expires = said.get("cache-control", ""), said.get("expires")
    until_s = None if expires is None else _seconds(expires)
    if "no-cache" in control:
        return until_s
    if (found := _MAX_AGE.search(control)) is not None:
        number = found[1]
        return now_s + int(number) if number.isascii() and number.isdigit() and len(number) < _DIGITS else None
    return until_s if expires is not None else _fresh_by_age(said, now_s)


def _fresh_by_age(said: dict[str, str], now_s: float) -> float | None:
    """As `_fresh_until_s`, of an answer that says nothing of it: a tenth of its age (RFC 9111, 4.2.2)."""
    modified, date = said.get("last-modified"), said.get("date")
    if not modified or not date:
        return now_s + _YEAR_S
    modified_s, date_s = _seconds(modified), _seconds(date)
    if modified_s is None or date_s is None:
        return None
    return now_s + (date_s - modified_s) * _OF_LAST_MODIFIED


def _varied(url: str, varies_by: str, fields: Fields) -> str:
    """The key of an answer that varies by these fields."""
    names = re.split(r",\s*", varies_by)
    given = [(name, value) for name, value in fields if name in names]
    return f"vary-{varies_by}-{sorted(given)}-{url}"


def _last_fields(head: str) -> dict[str, str]:
    """The fields of a reply by their names in lower case; of several with one name, the last."""
    lines = (line.partition(":") for line in head.split("\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}


def _seconds(date: str) -> float | None:
    """An HTTP date as seconds since the epoch; None if it is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
