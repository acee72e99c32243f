"""Cases of the HTTP Cache Manager."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import jmx_elements as e
from oracle_case import Case, seen
from plans.writing import csv

OLD, NEW = "Mon, 01 Jan 2024 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


def kept(name: str, **fields: str) -> str:
    """The path of an answer with these fields."""
    query = urlencode({each.replace("_", "-"): value for each, value in fields.items()}, quote_via=quote)
    return f"/kept/{name}?{query}"


ANSWERS = (
    kept("tag", ETag='"a"'),
    kept("age", Cache_Control="max-age=60"),
    kept("age-of-more", Cache_Control="public, max-age=60, must-revalidate", ETag='"b"'),
    kept("no-age", Cache_Control="max-age=0", ETag='"c"'),
    kept("shared", Cache_Control="s-maxage=60", ETag='"d"'),
    kept("no-cache", Cache_Control="no-cache", ETag='"e"'),
    kept("no-cache-age", Cache_Control="no-cache, max-age=60", Last_Modified=OLD),
    kept("no-store", Cache_Control="no-store", ETag='"f"'),
    kept("private", Cache_Control="private"),
    kept("old", Last_Modified=OLD),
    kept("future", Expires=NEW),
    kept("past", Expires=OLD, ETag='"g"'),
    kept("past-age", Expires=OLD, Cache_Control="max-age=60"),
    kept("zero", Expires="0", ETag='"h"'),
    kept("nothing", X_Other="C"),
    kept("anything", Vary="*", Cache_Control="max-age=60"),
    kept("encoding", Vary="Accept-Encoding", Cache_Control="max-age=60"),
    kept("agent", Vary="User-Agent", Cache_Control="max-age=60"),
    kept("lane", Vary="Accept, X-Lane", Cache_Control="max-age=60", ETag='"i"'),
    kept("spelt", Vary="x-lane", Cache_Control="max-age=60"),
)


def of_caches() -> list[Case]:
    fresh = kept("fresh", Cache_Control="max-age=60")
    old = kept("changed", ETag='"z"', Cache_Control="no-cache")
    return [
        Case(
            "cache",
            "HTTP Cache Manager: what says how long it is fresh, dates and tags, Vary",
            e.cache_manager()
            + csv("lanes.csv", "lane")
            + e.header_manager(X_Lane="${lane}")
            + "".join(map(e.request, ANSWERS)),
            loops="4",
            files={"lanes.csv": b"A\nB\nA\nB\n"},
        ),
        Case(
            "cache-asks",
            'HTTP Cache Manager: without "Use Cache-Control/Expires header"',
            e.cache_manager(expires="false") + "".join(map(e.request, ANSWERS)),
            loops="3",
        ),
        Case(
            "cache-cleared",
            'HTTP Cache Manager: "Clear cache each iteration"',
            e.cache_manager(clear="true") + e.request(fresh) + e.request(fresh, name="again") + e.request(old),
            loops="2",
        ),
        Case(
            "cache-of-a-client",
            "HTTP Cache Manager: of each thread its own, and of three answers at most",
            e.cache_manager(most="3")
            + "".join(e.request(kept(f"n{number}", Cache_Control="max-age=60")) for number in (1, 2, 1, 3, 4, 1, 2, 3)),
            threads="2",
            ordered=False,
        ),
        Case(
            "cache-and-methods",
            "HTTP Cache Manager: other methods, redirects, and what comes after a request that is not sent",
            e.cache_manager()
            + e.request(fresh, method="POST")
            + e.request(fresh, method="HEAD")
            + e.request(fresh, below=e.json("a", "$.key") + e.response_assertion("response_data", 16, "key"))
            + seen("a")
            + e.request(fresh, method="POST")
            + e.request(old, method="DELETE")
            + e.request(old)
            + e.request(old, method="DELETE")
            + e.request(f"/go?to={quote(fresh, safe='')}", follow_redirects="true", below=e.json("b", "$.key"))
            + e.request(f"/go?to={quote(old, safe='')}", follow_redirects="true")
            + e.controller(
                "IfController", e.request("/after"), IfController__condition="${JMeterThread.last_sample_ok}"
            )
            + seen("a", "b"),
            loops="2",
        ),
        Case(
            "cache-of-pages",
            "HTTP Cache Manager: embedded resources",
            e.cache_manager()
            + e.request("/embedding", image_parser="true")
            + e.request("/embedding?again", image_parser="true"),
            loops="2",
            ordered=False,
        ),
    ]
