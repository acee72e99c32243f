"""Our side of the recorder: reads what handlers wrote, sets the look interval, releases requests.

The server's processes map the same file (`holdfast.inside.holdfast_inside.recorder`). One byte for each request says
whether its handler was entered, so looking at thousands costs a `bytes.count`.
"""

from __future__ import annotations

import errno
import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from holdfast.errors import EnvironmentFailure
from holdfast.inside.holdfast_inside import layout
from holdfast.model.call import Call
from holdfast.model.frozen import frozen
from holdfast.model.phase import Phase
from holdfast.model.timeline import NEVER, Entry, Handed
from holdfast.observe.answers import Questions
from holdfast.observe.elsewhere import Elsewhere
from holdfast.observe.workers_seen import WorkersSeen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.model.experiment import View

INSIDE_DIRECTORY = str(Path(layout.__file__).resolve().parent.parent)
"""The directory that the server needs on its PYTHONPATH."""

# Below it; on the PYTHONPATH of a person's own command, so that each of its Pythons runs what is there.
_STARTUP = "startup"

DEFAULT_LOOK_NS = 20_000_000
SOON_NS = 160_000_000
"""The longest look interval of the first requests: 1,000 looks a second, as for all of them together."""

# ENTERED and LEFT both count as entered.
_ENTERED_TABLE = bytes(0 if state == layout.NOT_ENTERED else 1 for state in range(256))


class HeldIn(NamedTuple):
    """Where one request was held.

    Attributes:
        held_in: in words, "flask view index()".
        kind: what the view is: "sync", "async", "async-blocking" (async, and held by blocking).
        via: one of layout.VIAS.
    """

    held_in: str
    kind: str
    via: str


@frozen
class RecorderSettings:
    """What a server process needs to know to record and hold requests.

    Attributes:
        record: file of the Recording; absolute, readable and writable for the server's user.
        token: secret of this run; only requests that carry it are held.
        trouble: file that the server writes as JSON (kind, what, why, remedy) if it cannot load `app`.
        path: path and query that are held.
        app: None is the built-in application of `framework`.
        view: None is "as written".
        interface: how the server calls an application, "wsgi" or "asgi"; "" leaves it to the server to complain.
        pythonpath: PYTHONPATH that the server would have without us.
        hello: file to which the processes of a person's own command append what they find; None where the
            server is told to load the application from us.
        directory: a copy of INSIDE_DIRECTORY that the server's user may read.
        limits: of libraries, as `Experiment.library_limits` has them.
    """

    record: Path
    token: str
    trouble: Path
    path: str = "/"
    app: str | None = None
    framework: str = "flask"
    view: View | None = None
    interface: str = ""
    pythonpath: str = ""
    hello: Path | None = None
    directory: str = INSIDE_DIRECTORY
    limits: tuple[tuple[str, int], ...] = ()

    def environment(self) -> dict[str, str]:
        """The same as environment variables."""
        ours = [self.directory] if self.hello is None else [str(Path(self.directory) / _STARTUP), self.directory]
        return {
            layout.RECORD_VARIABLE: str(self.record),
            layout.TOKEN_VARIABLE: self.token,
            layout.PATH_VARIABLE: self.path,
            layout.APP_VARIABLE: self.app or "",
            layout.FRAMEWORK_VARIABLE: self.framework,
            layout.VIEW_VARIABLE: self.view or "",
            layout.INTERFACE_VARIABLE: self.interface,
            layout.TROUBLE_VARIABLE: str(self.trouble),
            layout.LIMITS_VARIABLE: ";".join(f"{name}={number}" for name, number in self.limits),
            layout.HELLO_VARIABLE: "" if self.hello is None else str(self.hello),
            "PYTHONPATH": os.pathsep.join([*ours, *([self.pythonpath] if self.pythonpath else [])]),
        }


def replying(length: int) -> dict[str, str]:
    """Environment in which every held request is answered with a body of so many bytes."""
    return {layout.REPLY_BYTES_VARIABLE: str(length)}


class Recording:
    """The shared file of one run. Ids are slots, from 0; ranges are half-open [first, last).

    Invariant: `number(id)` is the slot of an id in the file, and what its request carries. It is the id itself until
    the first ids are given to others.
    """

    def __init__(self, path: Path, slots: int, data: mmap.mmap) -> None:
        self.path = path
        self.slots = slots
        self.questions = Questions(data, slots)
        self.elsewhere = Elsewhere(data)
        self.workers = WorkersSeen(data, slots)
        self._data = data
        self._state = layout.state_offset(slots)
        self._release = layout.release_offset(slots)
        self._slot = layout.slot_offset(slots)
        self._told = bytes(slots)
        self._seen: dict[int, tuple[bytes, int, Entry]] = {}
        # Ranges of ids, and how much further their slots lie in the file.
        self._shifts: tuple[tuple[int, int, int], ...] = ((0, slots, 0),)

    @classmethod
    def create(cls, path: Path, slots: int, owner_pid: int | None = None, look_ns: int = DEFAULT_LOOK_NS) -> Recording:
        """A new file with nothing entered.

        Args:
            path: where; its directory must exist. On a memory file system, so that nothing is written to disk.
            slots: how many request ids.
                owner_pid: when this process is gone, the server releases everything by itself; None is this process.
            look_ns: first look interval of held requests.

        Raises:
            EnvironmentFailure: no room, or no permission.
        """
        owner = os.getpid() if owner_pid is None else owner_pid
        size = layout.file_bytes(slots)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                # Without allocated blocks, a full file system would raise SIGBUS in the server.
                os.posix_fallocate(descriptor, 0, size)
                data = mmap.mmap(descriptor, size)
            finally:
                os.close(descriptor)
        except OSError as error:
            if not isinstance(error, FileExistsError):
                path.unlink(missing_ok=True)
            raise _not_created(path, size, error) from error
        for at in (layout.LOOK_OFFSET, layout.SOON_OFFSET):
            layout.WORD.pack_into(data, at, look_ns)
        layout.HEADER.pack_into(data, 0, layout.MAGIC, layout.VERSION, slots, owner, os.getsid(owner))
        return cls(path, slots, data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Unmaps the file; it stays where it is."""
        self._data.close()

    def begin_anew(self, ramp: range, aside: range) -> None:
        """Gives the requests that had the first ids of a range the ids of the range behind it.

        Args:
            ramp: whose requests begin again at 0.
            aside: the range behind it.
        """
        self._shifts = (
            (ramp.start, ramp.stop, len(aside)),
            (aside.start, aside.stop, -len(ramp)),
            (aside.stop, self.slots, 0),
        )
        self._told = bytes(self.slots)
        self._seen.clear()

    def number(self, id: int) -> int:
        """The number that a request carries."""
        return next(id + shift for first, last, shift in self._shifts if first <= id < last)

    def set_look_interval(self, look_ns: int) -> None:
        """How long held requests sleep between two looks at their release, ns; the first ones at most SOON_NS."""
        layout.WORD.pack_into(self._data, layout.LOOK_OFFSET, look_ns)
        layout.WORD.pack_into(self._data, layout.SOON_OFFSET, min(look_ns, SOON_NS))

    def set_service_time(self, service_ns: int) -> None:
        """How long requests that begin to be held from now on are held unless released before, ns; 0: until then."""
        layout.WORD.pack_into(self._data, layout.SERVICE_OFFSET, service_ns)

    def ask_for_view(self) -> None:
        """Lets the next request be watched on its way, if it comes to an application of no known framework."""
        layout.FINDING.pack_into(self._data, layout.FINDING_OFFSET, layout.ASKED, 0)

    def is_watched(self) -> bool:
        """Whether a request is being watched on its way."""
        return self._finding() == layout.WATCHED

    def was_watched(self) -> bool:
        """Whether a request was watched since it was asked for, so that the next one is held, or watched once more."""
        return self._finding() >= layout.INSIDE

    def leads_into_view(self) -> bool:
        """Whether a request was watched, and the function that answered it was found."""
        return self._finding() in {layout.IN_VIEW, layout.MADE_ANEW, layout.IN_FRONT}

    def leads_nowhere(self) -> bool:
        """Whether a request was watched, and no function of the person's own answered it, or one in front of views."""
        return self._finding() in {layout.AT_ENTRY, layout.AT_LIBRARIES, layout.IN_FRONT}

    def forget_view(self) -> None:
        """Lets the next request be watched as if it were the first: what was seen before has answered in front."""
        layout.FOUND.pack_into(self._data, layout.FINDING_OFFSET + layout.FINDING.size, 0, 0, *[b""] * 4, 0)

    def give_up_view(self) -> bool:
        """Lets later requests be held at the entry; False if they already are, or where a hook knows better."""
        if self._finding() not in {layout.WATCHED, layout.ASKED_AGAIN} and not self.leads_into_view():
            return False
        layout.FINDING.pack_into(self._data, layout.FINDING_OFFSET, layout.AT_ENTRY, 1)
        return True

    def _finding(self) -> int:
        return int(layout.FINDING.unpack_from(self._data, layout.FINDING_OFFSET)[0])

    def release(self, id: int) -> None:
        """Lets one request go, without its body; one that has not been entered will not be held."""
        self._data[self._release + self.number(id)] = layout.RELEASED

    def hold(self, id: int) -> None:
        """Takes back a release, for a request that has not been entered."""
        self._data[self._release + self.number(id)] = layout.HELD

    def call(self, ids: Iterable[int], at_ns: int) -> None:
        """Lets requests go through the bodies of their views.

        Args:
            at_ns: instant at which the bodies of those begin that are entered by then, CLOCK_MONOTONIC ns; one for all.
        """
        layout.WORD.pack_into(self._data, layout.CALL_AT_OFFSET, at_ns)
        for id in ids:
            self._data[self._release + self.number(id)] = layout.CALLED

    def entered(self, first: int, last: int) -> int:
        """How many of these requests have reached their handler, whether they left it or not."""
        return last - first - self._states(first, last).count(layout.NOT_ENTERED)

    def in_service(self, first: int, last: int) -> int:
        """How many of these are entered and not left."""
        return self._states(first, last).count(layout.ENTERED)

    def is_entered(self, id: int) -> bool:
        """Whether this request has reached its handler."""
        return self._data[self._state + self.number(id)] != layout.NOT_ENTERED

    def is_left(self, id: int) -> bool:
        """Whether its handler is done."""
        return self._data[self._state + self.number(id)] == layout.LEFT

    def newly_entered(self, first: int, last: int) -> list[int]:
        """Ids in the range that were entered since they were last asked for here, ascending."""
        now = self._states(first, last).translate(_ENTERED_TABLE)
        before = self._told[first:last]
        if now == before:
            return []
        # Entered is never taken back, so the difference of the two numbers has a 1 for each new id.
        difference = int.from_bytes(now, "little") ^ int.from_bytes(before, "little")
        fresh = difference.to_bytes(last - first, "little")
        ids = []
        at = fresh.find(1)
        while at >= 0:
            ids.append(first + at)
            at = fresh.find(1, at + 1)
        self._told = self._told[:first] + now + self._told[last:]
        return ids

    def entered_ns(self, id: int) -> int:
        """When the handler began, CLOCK_MONOTONIC ns; 0 if it did not."""
        return int(layout.WORD.unpack_from(self._data, self._at(id) + layout.ENTERED_NS_OFFSET)[0])

    def entries(self, first: int, last: int) -> tuple[Entry, ...]:
        """The handler runs of these requests, by id; requests that were not entered have none."""
        states = self._states(first, last)
        return tuple(self._entry(id, states[id - first]) for id in range(first, last) if states[id - first])

    def handed(self, first: int, last: int) -> tuple[Handed, ...]:
        """Those of these requests with which the application was called, by id."""
        ids, at = range(first, last), layout.HANDED_OFFSET
        words = ((id, *layout.HANDED.unpack_from(self._data, self._at(id) + at)) for id in ids)
        return tuple(Handed(id, at_ns, bool(by_server), pid) for id, at_ns, by_server, pid in words if at_ns != NEVER)

    def calls(self, first: int, last: int, phase: Phase) -> tuple[Call, ...]:
        """The bodies of these requests that have begun, by id."""
        found = []
        for entry in self.entries(first, last):
            fields = layout.CALL.unpack_from(self._data, self._at(entry.id) + layout.CALL_OFFSET)
            begun_ns, ended_ns, longest_ns, stopped_ns, since_ns, *more = fields
            runs, timing, raised, goes_on = more
            if begun_ns != NEVER:
                call = Call(
                    id=entry.id,
                    phase=phase,
                    pid=entry.pid,
                    tid=entry.tid,
                    own_loop=entry.loop and not (entry.entry_loop and entry.tid == entry.entry_tid),
                    begun_ns=begun_ns,
                    ended_ns=ended_ns,
                    longest_stop_ns=longest_ns,
                    stopped_ns=stopped_ns,
                    stopping_since_ns=since_ns,
                    timing=layout.TIMINGS[timing],
                    runs=runs,
                    raised=bool(raised),
                    goes_on=bool(goes_on),
                )
                found.append(call)
        return tuple(found)

    def allow(self, what: Literal["methods", "sockets"]) -> bool:
        """Lets requests be held in methods of handlers, or from their sockets on; whether they were not before."""
        offset = {"methods": layout.METHODS_OFFSET, "sockets": layout.SOCKETS_OFFSET}[what]
        before = self._data[offset]
        self._data[offset] = 1
        return before == 0

    def held_in(self, id: int) -> HeldIn | None:
        """Where this request was held; None if it did not reach a handler of ours."""
        if not self.is_entered(id):
            return None
        fields = layout.SLOT.unpack_from(self._data, self._at(id))
        return HeldIn(_text(fields[16]), layout.KINDS[fields[12]], layout.VIAS[fields[13]])

    def _entry(self, id: int, state: int) -> Entry:
        # A held handler's slot does not change, and it is asked for a dozen times: 1 us instead of 25.
        at = self._at(id)
        raw = self._data[at : at + layout.SLOT.size]
        seen = self._seen.get(id)
        if seen is None or seen[0] != raw or seen[1] != state:
            seen = self._seen[id] = raw, state, _entry_of(id, raw, state)
        return seen[2]

    def _at(self, id: int) -> int:
        return self._slot + self.number(id) * layout.SLOT_BYTES

    def _states(self, first: int, last: int) -> bytes:
        pieces = []
        for begin, end, shift in self._shifts:
            if begin < last and first < end:
                at = self._state + shift
                pieces.append(self._data[at + max(first, begin) : at + min(last, end)])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _entry_of(id: int, raw: bytes, state: int) -> Entry:
    pid, entries, tid, process_seq, thread_seq, globals_seq, *more = layout.SLOT.unpack(raw)
    entry_tid, entry_thread_seq, entered_ns, left_ns, loop, entry_loop, _kind, _via, _gil, thread_name, _held_in = more
    return Entry(
        id=id,
        pid=pid,
        tid=tid,
        thread_name=_text(thread_name),
        thread_seq=thread_seq,
        process_seq=process_seq,
        globals_seq=globals_seq,
        loop=bool(loop),
        entry_tid=entry_tid,
        entry_thread_seq=entry_thread_seq,
        entry_loop=bool(entry_loop),
        entered_ns=entered_ns,
        # The instant is written before the state byte: without that byte it is not there yet.
        left_ns=left_ns if state == layout.LEFT else 0,
        entries=entries,
    )


def _text(raw: bytes) -> str:
    # Cut at a fixed number of bytes, perhaps inside a character.
    return raw.rstrip(b"\0").decode("utf-8", "ignore")


def _not_created(path: Path, size: int, error: OSError) -> EnvironmentFailure:
    remedy = f"Choose another directory than {path.parent}, with TMPDIR for instance."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = f"Free {size / 1e6:.1f} MB on that file system, or offer fewer requests (--max-offered)."
    return EnvironmentFailure("The record of the run could not be created.", f"{path}: {error.strerror}", remedy)
