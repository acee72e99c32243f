"""The shared file between holdfast and the server processes: where each byte is, and the variables' names.

Imported on both sides: by the recorder inside the server (any Python from 3.8 on) and by
`holdfast.observe.recorded`. Constants and formats only.

    header           one page; magic, version, slots, owner, look interval, release-all byte
    state[slots]     one byte for each request id: NOT_ENTERED, ENTERED or LEFT
    release[slots]   one byte for each request id: RELEASED lets it go, CALLED lets it run the view's body first
    slot[slots]      SLOT_BYTES each, the record of the latest entry of that id, then of its body if that was run

The state bytes lie side by side, so that the reader counts thousands of requests with one
`bytes.count` instead of a loop over slots.
"""

from __future__ import annotations

import struct

MAGIC = b"HOLDFAST"
VERSION = 2

RECORD_VARIABLE = "HOLDFAST_RECORD"
TOKEN_VARIABLE = "HOLDFAST_TOKEN"  # noqa: S105 - the name of it
PATH_VARIABLE = "HOLDFAST_PATH"
APP_VARIABLE = "HOLDFAST_APP"
FRAMEWORK_VARIABLE = "HOLDFAST_FRAMEWORK"
VIEW_VARIABLE = "HOLDFAST_VIEW"
INTERFACE_VARIABLE = "HOLDFAST_INTERFACE"
TROUBLE_VARIABLE = "HOLDFAST_TROUBLE"
HELLO_VARIABLE = "HOLDFAST_HELLO"

HEADER_FIELD = "X-Holdfast"
"""The request header that claims a slot: `<token>/<id>`."""

BODY = b"held\n"
"""What a held request is answered with, status 200."""
ANSWER_HEADERS = (
    ("Content-Type", "text/plain"),
    ("Content-Length", str(len(BODY))),
    # Or a cache between the view and the client would keep it for others.
    ("Cache-Control", "private, no-store"),
)

NOT_ENTERED, ENTERED, LEFT = 0, 1, 2
HELD, RELEASED, CALLED = 0, 1, 2

SAID = ("python", "ready", "entry", "failed")
"""What a process of a person's own command says: it is a Python, of this version; a framework or server is
prepared; an application is held at its entry; something of ours went wrong."""

INTERFACES = ("wsgi", "asgi", "rsgi", "aiohttp", "sanic", "tornado")
"""How a server calls an application; the last three stand for frameworks that are their own server."""

KINDS = ("sync", "async", "async-blocking")
VIAS = ("view", "entry")

TIMINGS = ("not run", "steps", "whole", "no loop", "unseen", "switches")
"""How the stops of an event loop by a body were timed: it has not run; each step of its coroutine; all of it, since
it ran on a loop's thread and awaited nothing; not at all, since no loop ran on its thread; not at all, since it
runs in pieces that nothing shows; from each switch to its greenlet until the next one away from it."""

HEADER_BYTES = 4096
HEADER = struct.Struct("=8sIIII")
"""magic, version, slots, owner's pid, owner's session id (it tells a recycled pid from the owner)."""

LOOK_OFFSET = 32
"""Interval between two looks at the release bytes, ns, in the WORD format."""
RELEASE_ALL_OFFSET = 40
"""One byte; not 0 lets every request go, without its body."""
CALL_AT_OFFSET = 48
"""Instant at which called bodies begin, ns in the WORD format, so that those that wait for it begin together."""

# A format with "=" is packed byte by byte; the native one is a single 8-byte store, which the
# other side can never see half done.
WORD = struct.Struct("@Q")

THREAD_NAME_BYTES = 48
HELD_IN_BYTES = 120

SLOT = struct.Struct(f"=IIQQQQQQQQBBBB4x{THREAD_NAME_BYTES}s{HELD_IN_BYTES}s")
"""pid, entries, tid, process_seq, thread_seq, globals_seq, entry_tid, entry_thread_seq, entered_ns,
left_ns, loop, entry_loop, index in KINDS, index in VIAS, thread name, held in (UTF-8, cut, zero-filled)."""

CALL = struct.Struct("=QQQQQIBBBx")
"""begun_ns, ended_ns (0 while it runs), longest_ns and stopped_ns (longest stop of the loop, and all of them together),
since_ns (when the stop began that lasts; 0 where none does), runs (more than 1 where the view was run again), index in
TIMINGS, raised, goes on (what it returned is asked for more when it is sent). Not cleared when the id is entered again.
"""
CALL_OFFSET = SLOT.size
CALL_SINCE_OFFSET = 32
SLOT_BYTES = SLOT.size + CALL.size

ENTRIES = struct.Struct("@I")
ENTRIES_OFFSET = 4
ENTERED_NS_OFFSET = 56
LEFT_NS_OFFSET = 64


def state_offset(slots: int) -> int:
    """First of the state bytes of a file with `slots` slots."""
    del slots
    return HEADER_BYTES


def release_offset(slots: int) -> int:
    """First of the release bytes."""
    return HEADER_BYTES + slots


def slot_offset(slots: int) -> int:
    """First slot; a multiple of 8, so that the words in it are single stores."""
    return (HEADER_BYTES + 2 * slots + 7) // 8 * 8


def file_bytes(slots: int) -> int:
    """Size of the whole file."""
    return slot_offset(slots) + slots * SLOT_BYTES
