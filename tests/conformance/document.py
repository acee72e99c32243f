"""Writes the table of conformance rows as a person reads it: docs/conformance.md.

    python tests/conformance/document.py            writes it
    python tests/conformance/document.py --check    exits 1 where it is not what the rows say

What depends on the number of cores is written for a machine with two, and what depends on the version of Python for one
before 3.15.
"""

from __future__ import annotations

import os
import socketserver
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

CORES = 2
ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "conformance.md"

# Before the rows are made: the threads of an executor follow from it.
os.cpu_count = lambda: CORES
if hasattr(os, "process_cpu_count"):
    os.process_cpu_count = lambda: CORES
socketserver.TCPServer.request_queue_size = 5
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests")]

from expectation import Between, Case, Formula, Quote  # noqa: E402 - after the number of cores
from table import ROWS, named  # noqa: E402
from test_conformance import EVERY_TIME  # noqa: E402

HEAD = f"""\
# Conformance

What holdfast must find on real servers. Every figure follows from the server's installed source, its manual or the
kernel; none was taken from holdfast. `make conformance` runs all {len(ROWS)} rows. `make test` runs those in bold: one
of each kind, which is a process model and the place where the overflow ends.

This file is generated from the rows in `tests/conformance/` by `make conformance-table`. Each row there also claims
the process model, exact load, what becomes of clients that leave, and more. The test compares all of it.

- **At once**: requests in service at the ceiling.
- **The rest wait in**: the places that fill next, in this order, and how many requests each one takes.
- **One more sees**: what a client gets that finds all of these full.

Figures that depend on the number of cores are those of a machine with {CORES}. Those of wsgiref are those
of Python before 3.15: from there on its accept queue takes SOMAXCONN requests and one more, as far as the kernel lets
it.
"""
STREAMS = """\
## Streams of HTTP/2

The rows above that are over HTTP/2, with one stream on each connection; here with many on one ([HTTP/2](http2.md)).
"""
PLACES = {"userspace_queue": "the server's own queue", "accept_queue": "the accept queue"}
SEES = {
    "connect-timeout": "no answer to its SYN",
    "refused": "connection refused",
    "reset": "connection reset",
    "closed": "connection closed without a reply",
    "503": "HTTP 503",
    "500": "HTTP 500",
    "waits": "nothing: it waits too",
    None: "nothing: it runs too",
}
LIMITS = {"nofile": "{} descriptors", "nproc": "{} tasks", "max_offered": "{} requests offered"}


def document() -> str:
    parts = [HEAD]
    for server, rows in groupby(sorted(ROWS, key=lambda case: case.server), key=lambda case: case.server):
        parts.append(f"## {server}\n\n" + "\n".join(table(list(rows))) + "\n")
    rows = sorted((case for case in ROWS if case.options.get("http2")), key=named)
    parts.append(f"{STREAMS}\n" + "\n".join(table_of_streams(rows)) + "\n")
    return "\n".join(parts)


def table(rows: list[Case]) -> Iterator[str]:
    yield "| Settings | At once | The rest wait in | One more sees | Source |"
    yield "| --- | --- | --- | --- | --- |"
    for case in rows:
        fields = {name: value for claim in case.claims for name, value in claim.fields.items()}
        (source,) = (claim.source for claim in case.claims if "ceiling.in_service" in claim.fields)
        at_once = figure(fields["ceiling.in_service"]) if fields["ceiling.bounded"] else "all, no bound met"
        cells = (settings(case), at_once, waiting(fields), SEES[fields["overflow.client_sees"]], words(source))
        yield f"| {' | '.join(each.replace('|', chr(92) + '|') for each in cells)} |"


def table_of_streams(rows: list[Case]) -> Iterator[str]:
    yield "| Server and settings | On one connection | Over several | Advertised | A stream beyond it | Source |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for case in rows:
        fields = {name: value for claim in case.claims for name, value in claim.fields.items()}
        source = next(claim.source for claim in case.claims if "http2.on_one_connection" in claim.fields)
        over = figure(fields["http2.over_connections"]) if fields["http2.over_connections_bounded"] else "no bound met"
        beyond = fields.get("http2.overflow_sees", "not claimed")
        advertised = figure(fields["http2.streams_advertised"])
        cells = (f"{case.server}, {settings(case)}", figure(fields["http2.on_one_connection"]), over, advertised)
        yield f"| {' | '.join((*cells, beyond, words(source)))} |"


def settings(case: Case) -> str:
    options = dict(case.options)
    http2 = options.pop("http2", False)
    said = [f"`{' '.join(case.arguments)}`"] if case.arguments else []
    said += [f"`{case.app}`"] if case.app else []
    framework, view, path = (options.pop(name, None) for name in ("framework", "view", "path"))
    said += [" ".join([*([framework] if framework else []), *([f"{view} view"] if view else [])])]
    said += [f"path `{path}`"] if path else []
    said += ["HTTP/2"] if http2 else []
    said += [LIMITS[name].format(f"{number:,}") for name, number in options.items()]
    shown = ", ".join(filter(None, said)) or "defaults"
    return f"**{shown}**" if named(case) in EVERY_TIME else shown


def waiting(fields: dict[str, Any]) -> str:
    order = (fields["overflow.first"], *fields["overflow.then"])
    fill = [place for place in order if place in PLACES]
    return ", then ".join(f"{PLACES[place]} ({size(place, fields)})" for place in fill) or "nothing"


def size(place: str, fields: dict[str, Any]) -> str:
    if place == "userspace_queue" and not fields["ceiling.userspace_queue_bounded"]:
        return "no bound"
    most, seen = fields[f"ceiling.{place}"], figure(fields[f"places.{place}"])
    return f"{seen}, not full" if most is None else seen


def figure(value: Any) -> str:
    if isinstance(value, Formula):
        return value.words
    return f"at least {value.least}" if isinstance(value, Between) else f"{value:,}"


def words(source: Any) -> str:
    each = source if isinstance(source, tuple) else (source,)
    return "; ".join(f"`{one.module}`: {one.says}" if isinstance(one, Quote) else one for one in each)


def main(arguments: list[str]) -> int:
    wanted = document()
    if arguments == ["--check"]:
        return int(not DOCUMENT.exists() or DOCUMENT.read_text() != wanted)
    DOCUMENT.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
