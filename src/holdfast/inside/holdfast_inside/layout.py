"""Layout of the file that holdfast and the server processes share, and the names of the environment variables.

Both sides import this module: the recorder inside the server (Python 3.8 or newer) and
`holdfast.observe.record_reader`. It holds constants and formats only.

    header           one page; magic, version, slots, owner, look interval, service time, release-all byte
    state[slots]     one byte per request id: NOT_ENTERED, ENTERED or LEFT
    release[slots]   one byte per request id: RELEASED lets it go, CALLED lets it run the view's body first
    slot[slots]      SLOT_BYTES each: the record of that id's latest entry, then of its body if that ran, then when it
                     was handed to the application
    answer[ANSWERS]  ANSWER_BYTES each: what one process says of itself when it is asked

The state bytes are contiguous, so the reader counts thousands of requests with one `bytes.count` instead of a loop
over slots.
"""

from __future__ import annotations

import struct

MAGIC = b"HOLDFAST"
VERSION = 7

RECORD_VARIABLE = "HOLDFAST_RECORD"
TOKEN_VARIABLE = "HOLDFAST_TOKEN"  # noqa: S105 - the name of it
PATH_VARIABLE = "HOLDFAST_PATH"
APP_VARIABLE = "HOLDFAST_APP"
FRAMEWORK_VARIABLE = "HOLDFAST_FRAMEWORK"
VIEW_VARIABLE = "HOLDFAST_VIEW"
INTERFACE_VARIABLE = "HOLDFAST_INTERFACE"
TROUBLE_VARIABLE = "HOLDFAST_TROUBLE"
HELLO_VARIABLE = "HOLDFAST_HELLO"
LIMITS_VARIABLE = "HOLDFAST_LIMITS"
"""Limits of libraries that are to be set: `name=number`, joined by `;`."""
REPLY_BYTES_VARIABLE = "HOLDFAST_REPLY_BYTES"

HEADER_FIELD = "X-Holdfast"
"""The request header that claims a slot: `<token>/<id>`."""

NOT_ENTERED, ENTERED, LEFT = 0, 1, 2
HELD, RELEASED, CALLED = 0, 1, 2

SAID = ("python", "ready", "views", "entry", "method", "followed", "failed")
"""What a process of the user's own command reports: it runs Python, of this version; a framework or server is
instrumented; of those, a framework whose views can be held; an application is held at its entry; a method of a handler
object of the standard library's answers, and can be held; a request is followed from its socket; instrumenting
failed."""

INTERFACES = ("wsgi", "asgi", "rsgi", "aiohttp", "sanic", "tornado")
"""How a server calls an application; the last three are frameworks that bring their own server."""

KINDS = ("sync", "async", "async-blocking")
VIAS = ("view", "entry", "plain", "unknown", "whole", "method", "library", "libraries")
"""What a request is held in: the view; the framework, because it has no view at that path; the entry of an application
that is itself the person's view; the entry of an application that holdfast cannot see into; the entry of one whose own
code was seen to answer; a method of a handler object of the standard library's, or a function behind a server that is
not known; the entry of an application that a library brings, without a framework; the entry of one in which libraries
were seen to answer, on the thread on which it is called, without waiting for anything."""

TIMINGS = ("not run", "steps", "whole", "no loop", "unseen", "switches")
"""How the blocking of an event loop by a body was timed, in this order: the body has not run; each step of its
coroutine; as a whole, because it ran on a loop's thread and awaited nothing; not timed, because no loop ran on its
thread; not timed, because it runs in pieces that cannot be observed; each stretch from a switch to its greenlet
until the next switch away."""

GILS = ("always", "off", "on", "asked for")
"""The lock of an interpreter: it was built with it; it was built to do without, and does; or runs with it, which an
extension module has enabled (sys._is_gil_enabled), or was asked for at its start (sys.flags.gil)."""

HEADER_BYTES = 4096
HEADER = struct.Struct("=8sIIII")
"""magic, version, slots, owner's pid, owner's session id (it tells a recycled pid from the owner)."""

LOOK_OFFSET = 32
"""Interval between two looks at the release bytes, ns, packed as WORD."""
SOON_OFFSET = 56
"""The same for the slots up to SOON_SLOTS, ns packed as WORD: where many requests are held, only some of the first
ones are released, and they need not wait as long for it as all of them may between two looks."""
SOON_SLOTS = 160
RELEASE_ALL_OFFSET = 40
"""One byte; if it is not 0, every request ends without running its body."""
CALL_AT_OFFSET = 48
"""Instant at which called bodies begin, CLOCK_MONOTONIC ns packed as WORD, so that waiting bodies begin together."""

FINDING_OFFSET = 64
"""What is known of the way from an entry to the view: FINDING, then FOUND."""
FINDING = struct.Struct("=BB")
"""One of the states below; at which entry, counted from the server, its requests are held or given to the view."""
FOUND = struct.Struct("=IB1024s128s256s256s?")
"""Of the view's code: its first line, what it returns (see finding.View), its file, name and qualified name, the class
of what it returns, and whether it is called where a request comes through a queue."""
NOT_ASKED, ASKED, WATCHED, INSIDE, IN_VIEW, AT_ENTRY, AT_WHOLE, AT_LIBRARIES, ASKED_AGAIN, MADE_ANEW = range(10)
IN_FRONT = 10
"""No request is to be watched; the next one is; it is on its way; something further in holds requests; the view is
FOUND; it was not found; it is the application itself, which can be held at its entry only; libraries answer, on the
thread on which the application was called; the next one is to be watched once more; the view is FOUND, and its function
is made anew, for each request or by each thread; as IN_VIEW, and a framework that is known may have views behind it."""

ASKED_OFFSET = 3072
"""One byte: the number of the latest question, 1 to 255; 0 before the first. Then ABOUT, then ASKED_PIDS."""
ABOUT_OFFSET = 3073
NOTHING, BEFORE_VIEW, IN_BODIES = range(3)
"""What is asked for beside the limits of libraries: no stacks; those of requests that have been handed to the
application and have not entered their view; those of requests whose bodies run."""
BODIES_ASKED_OFFSET = 3074
"""One byte; if it is not 0, a process in which a body runs looks for questions on a thread of its own."""
LOOPS_OFFSET = 3075
"""One byte that a process sets when an event loop on which libraries may set limits has served a request."""
METHODS_OFFSET = 3076
"""One byte; if it is not 0, requests are held in methods of handler objects too. What answers for the start alone is
often one, and a port for metrics: they are held where nothing else is found."""
SOCKETS_OFFSET = 3077
"""One byte; if it is not 0, requests are followed from the sockets of connections on which they come. That is for
servers that are not known, where nothing else is found."""
ASKED_PIDS_OFFSET = 3080
ANSWERS = 32
"""How many processes can be asked at once."""
ASKED_PIDS = struct.Struct(f"={ANSWERS}I")
"""The processes that are asked; each answers at its place. Filled with 0."""
LOOP_ACCEPTS_OFFSET = 3208
MOST_LOOP_ACCEPTS = 16
LOOP_ACCEPTS = struct.Struct("=QI4x")
"""The inode of a listening socket, and a process in which an event loop has accepted from it. Filled with 0."""

ANSWER_BYTES = 16384
ANSWER = struct.Struct("=II")
"""The number of the question that is answered, written last; how many bytes of text follow. Lines of fields that are
separated by tabs: one of the first fields below, then what `showing` writes."""
POINT_LINE, LIMIT_LINE, BACKGROUND_LINE, REST_LINE, FAILED_LINE = "point", "limit", "background", "rest", "failed"
"""Where requests wait; a limit of a library; what wakes up by itself; no body had begun or ended for a while when
the stacks were read; the process could not answer."""

LIMITS = ANYIO_TOKENS, DEFAULT_EXECUTOR, ASGIREF_THREAD = "AnyIO tokens", "default executor", "asgiref thread"
"""Limits of libraries that are reported; the first two can be set."""
SERVICE_OFFSET = 2048
"""For how long each held request is held if it is not released before, ns packed as WORD; 0 is until it is released."""

ELSEWHERE_OFFSET = 2064
ELSEWHERE = struct.Struct("=BBH768s")
"""Whether a request came at the path that is asked for; whether those that come at the path that follows are held too;
its length, and the path at which the latest one came instead, unquoted. A front may hand a request on with another path
than it was sent with."""
LONGEST_ELSEWHERE = 768

# Python packs "=" formats byte by byte; a native "@Q" is a single 8-byte store, which the other side never sees
# half written.
WORD = struct.Struct("@Q")

THREAD_NAME_BYTES = 48
HELD_IN_BYTES = 120

SLOT = struct.Struct(f"=IIQQQQQQQQBBBBB3x{THREAD_NAME_BYTES}s{HELD_IN_BYTES}s")
"""pid, entries, tid, process_seq, thread_seq, globals_seq, entry_tid, entry_thread_seq, entered_ns,
left_ns, loop, entry_loop, index in KINDS, index in VIAS, index in GILS, thread name, held in (UTF-8, truncated,
zero-filled)."""

CALL = struct.Struct("=QQQQQIBBBx")
"""begun_ns, ended_ns (0 while it runs), longest_ns (longest time that it blocked the loop), stopped_ns (sum of those
times), since_ns (when the present one began; 0 if there is none), runs (more than 1 if the view ran again), index in
TIMINGS, raised, streams (its result produces more while it is sent). Not cleared when the id is entered again.
"""
CALL_OFFSET = SLOT.size
CALL_SINCE_OFFSET = 32

HANDED = struct.Struct("=QB3xI")
"""handed_ns: the application was called with the request, its first call counts, 0 before it; whether that was the
server's own call, so that nothing of the application comes before it; pid. Not cleared when the id is entered again."""
HANDED_OFFSET = CALL_OFFSET + CALL.size

SLOT_BYTES = SLOT.size + CALL.size + HANDED.size

ENTRIES = struct.Struct("@I")
ENTRIES_OFFSET = 4
ENTERED_NS_OFFSET = 56
LEFT_NS_OFFSET = 64
GIL_OFFSET = 76


def state_offset(slots: int) -> int:
    """Offset of the first state byte in a file with `slots` slots."""
    del slots
    return HEADER_BYTES


def release_offset(slots: int) -> int:
    """Offset of the first release byte."""
    return HEADER_BYTES + slots


def slot_offset(slots: int) -> int:
    """Offset of the first slot; a multiple of 8, so that each WORD in it is a single store."""
    return (HEADER_BYTES + 2 * slots + 7) // 8 * 8


def answer_offset(slots: int) -> int:
    """Offset of the first answer."""
    return slot_offset(slots) + slots * SLOT_BYTES


def file_bytes(slots: int) -> int:
    """Size in bytes of a file with `slots` slots."""
    return answer_offset(slots) + ANSWERS * ANSWER_BYTES
