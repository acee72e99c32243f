"""Where one event of a stream ends and the next begins, in whatever pieces it comes; pure.

Facts
-----
* Server-sent events (text/event-stream): lines end with CR LF, LF or CR; an empty line dispatches an event if a line
  `data` has come since the last one. Comments (`:`), `id`, `event` and `retry` alone are none.
  Source: HTML Living Standard, 9.2.5 and 9.2.6.
* JSON lines (application/x-ndjson, application/jsonl): each line that is not empty is a value. In JSON text sequences
  (application/json-seq, RFC 7464, 2.2) a record separator (0x1E) comes before each, and a line feed behind it.

Decisions
---------
* Of any other type, each piece that comes is an event: that is what its reader sees.
"""

from __future__ import annotations

import re

_LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-seq"})
_SENT_EVENTS = "text/event-stream"
_LINE_END = re.compile(rb"\r\n|\n|\r")
_MARK = b"\xef\xbb\xbf"
_DATA = b"data"
_NOTHING = b"\x1e\r \t"
"""What a line may have that is not a value: RFC 7464's separator, and white space."""


class EventReader:
    """Finds the events of one reply's body."""

    __slots__ = ("_begin", "_begun", "_feed", "_has_data", "_line", "_skips_feed")

    def __init__(self, kind: str) -> None:
        """Has read nothing.

        Args:
            kind: its Content-Type without parameters, in lower case.
        """
        self._feed = self._sent_events if kind == _SENT_EVENTS else self._lines if kind in _LINES else self._pieces
        self._begun = False
        # Of a line that is not over: as many bytes as are looked at, so that none is too long to be kept.
        self._line = b""
        self._skips_feed = self._has_data = False

    def feed(self, data: bytes) -> int:
        """How many events these next bytes complete."""
        return self._feed(data)

    def end(self) -> int:
        """How many the end of the body completes: a last line counts, a last event that is not dispatched does not."""
        return int(self._feed == self._lines and bool(self._line))

    def _pieces(self, data: bytes) -> int:
        return int(bool(data))

    def _lines(self, data: bytes) -> int:
        many = 0
        *whole, last = (each.strip(_NOTHING) for each in data.split(b"\n"))
        for each in whole:
            many += bool(self._line or each)
            self._line = b""
        self._line = (self._line + last)[:1]
        return many

    def _sent_events(self, data: bytes) -> int:
        if not self._begun:
            # A byte order mark in front is passed over; it may come in pieces.
            self._line += data
            if len(self._line) < len(_MARK) and _MARK.startswith(self._line):
                return 0
            data, self._line, self._begun = self._line.removeprefix(_MARK), b"", True
        if self._skips_feed:
            data, self._skips_feed = data.removeprefix(b"\n"), not data
        self._skips_feed = self._skips_feed or data.endswith(b"\r")
        *whole, last = _LINE_END.split(data)
        many = 0
        for each in whole:
            line, self._line = self._line + each[: len(_DATA) + 1], b""
            if not line:
                many += self._has_data
                self._has_data = False
            elif line[: len(_DATA)] == _DATA and line[len(_DATA) : len(_DATA) + 1] in (b"", b":"):
                self._has_data = True
        self._line = (self._line + last[: len(_DATA) + 1])[: len(_DATA) + 1]
        return many
