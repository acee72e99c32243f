"""Whether a recorded entry was a request on the wire; pure.

A recording also has what the browser answered by itself (its cache, a service worker, a policy that blocked the
request), tunnels through a proxy, and what no page asked for (preflights). Sent again these would be requests that the
server never got.

Facts
-----
* Browsers mark the cache by `_fromCache` (Chromium), `_fetchType` (Safari) and `cache.afterRequest` (Firefox, which
  writes it for nothing else), and Chromium and Playwright by a `_transferSize` of 0; a reply on the wire has at least
  its head. A conditional request (304) was on the wire, although it has `cache.beforeRequest`.
* A request that has left the browser has the fields that go on the wire: Host, or `:authority`. One that was blocked,
  or found no connection, has none or provisional ones. Insomnia writes its collection of requests, and status 0 where
  one was not sent yet.

Source: HAR 1.2; Chromium, front_end/models/har/HARLog.ts; Playwright, server/har/harTracer.ts; WebKit,
UserInterface/Models/HARBuilder.js (fetchType); Firefox, devtools/client/netmonitor/src/har/har-builder.js (buildCache);
Insomnia, common/har.ts (exportHarResponse); Fetch standard, 3.2.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult

from holdfast.plans.differences import Note
from holdfast.plans.har_bodies import mapping

_SWITCHING, _NOT_MODIFIED = 101, 304
_COLLECTION = "Insomnia"
_CACHES = frozenset({"Memory Cache", "Disk Cache", "Inspector Override"})
_NEVER_LEFT = re.compile(
    r"BLOCKED|NAME_NOT_RESOLVED|CONNECTION_REFUSED|INTERNET_DISCONNECTED|ADDRESS_UNREACHABLE|CACHE_MISS|CERT_|SSL_"
)


def not_on_the_wire(
    entry: Mapping[str, object], url: SplitResult, named: Mapping[str, str], browser: str
) -> Note | None:
    """Why an entry is left out; None if it was a request to an HTTP server.

    Args:
        named: its header fields by names in lower case.
        browser: the program that wrote the recording, as it names itself.
    """
    request = mapping(entry["request"])
    response = entry.get("response")
    answer: Mapping[str, object] = response if isinstance(response, dict) else {}
    method, status = str(request["method"]), answer.get("status")
    origin = f"{url.scheme}://{url.netloc}"
    if method.upper() == "CONNECT":
        return Note("left out", "CONNECT", url.netloc or str(request["url"]), "a tunnel through a proxy")
    upgraded = status == _SWITCHING or named.get("upgrade", "").lower() == "websocket"
    # Chromium also says so of requests that have an ordinary reply.
    is_named = entry.get("_resourceType") == "websocket" and not _is_answer(status)
    if url.scheme in ("ws", "wss") or upgraded or is_named:
        return Note("left out", "WebSocket", f"{origin}{url.path}", "only requests with one reply are sent")
    why = _by_the_browser(entry, answer, named, browser) if url.scheme in ("http", "https") else None
    return None if why is None else Note("left out", "request", f"{method} {url.path or '/'}", why)


def unanswered(entry: Mapping[str, object]) -> bool:
    """Whether a request had no answer when it was recorded."""
    response = entry.get("response")
    return isinstance(response, dict) and "status" in response and not _is_answer(response["status"])


def _is_answer(status: object) -> bool:
    return isinstance(status, int) and status > 0


def _by_the_browser(
    entry: Mapping[str, object], answer: Mapping[str, object], named: Mapping[str, str], browser: str
) -> str | None:
    """What the browser did by itself, as a clause; None if it sent the page's request."""
    if _is_preflight(entry, named):
        return "a preflight, which the browser sends and no page"
    if _by_service_worker(answer) or entry.get("_fetchType") == "Service Worker":
        return "a service worker answered it"
    if _from_cache(entry, answer, browser):
        return "the browser's cache answered it"
    return (
        "it never left the browser"
        if not browser.startswith(_COLLECTION) and _never_left(entry, answer, named)
        else None
    )


def _from_cache(entry: Mapping[str, object], answer: Mapping[str, object], browser: str) -> bool:
    if entry.get("_fromCache") or entry.get("_fetchType") in _CACHES:
        return True
    cache = entry.get("cache")
    if browser == "Firefox" and isinstance(cache, dict) and "afterRequest" in cache:
        return answer.get("status") != _NOT_MODIFIED
    return answer.get("_transferSize") == 0 and _is_answer(answer.get("status"))


def _is_preflight(entry: Mapping[str, object], named: Mapping[str, str]) -> bool:
    method = str(mapping(entry["request"])["method"])
    return method.upper() == "OPTIONS" and (
        "access-control-request-method" in named or entry.get("_resourceType") == "preflight"
    )


def _by_service_worker(answer: Mapping[str, object]) -> bool:
    return bool(answer.get("_fetchedViaServiceWorker")) and answer.get("_serviceWorkerResponseSource") != "network"


def _never_left(entry: Mapping[str, object], answer: Mapping[str, object], named: Mapping[str, str]) -> bool:
    if not unanswered(entry):
        return False
    error = str(entry.get("_error") or answer.get("_error") or entry.get("_failureText") or "")
    return _NEVER_LEFT.search(error) is not None or not {"host", ":authority"} & named.keys()
