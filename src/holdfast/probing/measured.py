"""What a run has seen so far: each phase adds to it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.errors import InconclusiveError
from holdfast.model.call import Call
from holdfast.model.limits import LimitLook
from holdfast.model.ramp import Ramp
from holdfast.model.samples import Usage
from holdfast.model.timeline import (
    Entry,
    ExactLoad,
    FirstRequest,
    Handed,
    Leaving,
    Outlived,
    Request,
    ServerFacts,
    Snapshot,
    Stopped,
)
from holdfast.observe.limits import look_at_limits
from holdfast.observe.processes import read_process_tree, read_usage
from holdfast.probing import asking
from holdfast.probing.guards import KilledError
from holdfast.probing.session import Session

if TYPE_CHECKING:
    from holdfast.probing.held_streams import HeldStreams

_NO_VERDICT = frozenset({"ended by the server", "our side"})


@dataclass(slots=True)
class Measured:
    """What a run has seen so far. The timeline is made of it, however far the run came.

    Attributes:
        session: the one in force; a new one where a process was replaced after the first request.
        later: requests of all phases but the ramp.
        doubts: about the reply to the first request.
        may_be_equal: requests may have waited only for equal ones when the places were counted.
        unread: a look at what the server's processes use has failed.
    """

    session: Session
    server: ServerFacts
    started_ns: int
    marks: dict[str, int] = field(default_factory=dict)
    first_request: FirstRequest | None = None
    ramp: Ramp | None = None
    placed: Snapshot | None = None
    abandoned: tuple[int, ...] = ()
    left_in_service: tuple[Leaving, ...] = ()
    exact: ExactLoad | None = None
    requests: tuple[Request, ...] = ()
    later: tuple[Request, ...] = ()
    calls: tuple[Call, ...] = ()
    streams: HeldStreams | None = None
    entries: tuple[Entry, ...] = ()
    handed: tuple[Handed, ...] = ()
    told: asking.Told = asking.NOTHING_TOLD
    usage: list[Usage] = field(default_factory=list)
    usage_again: tuple[Usage, ...] = ()
    unread: bool = False
    limit_looks: list[LimitLook] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: tuple[str, ...] = ()
    replaced: tuple[int, ...] = ()
    came_later: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    outlived: Outlived | None = None
    log: str = ""
    stopped: Stopped | None = None
    may_be_equal: bool = False

    def mark(self, name: str) -> None:
        """Notes that a phase has ended now."""
        self.marks[f"{name}_ns"] = time.monotonic_ns()

    def look_at_usage(self) -> None:
        """Notes what the server's processes use now; of looks one of which failed none is kept."""
        found = usage_now(self.session)
        self.unread |= found is None
        self.usage = [] if found is None or self.unread else [*self.usage, found]

    def look_at_limits(self) -> None:
        """Notes how much of its limits the server uses now, if that can be read."""
        tree = read_process_tree(*self.session.server.roots())
        found = look_at_limits(tree, self.session.accepting, time.monotonic_ns())
        self.limit_looks += [] if found is None else [found]

    def stop(self, error: InconclusiveError) -> None:
        """Gives up; what was seen by then is kept, and gives a verdict if the places had been counted."""
        if isinstance(error, KilledError) and self.placed is not None:
            self.notes.append(f"{error.what} The places had been counted before that; what came after was left out.")
        else:
            self.stopped = Stopped(error.what, error.why, error.remedy)

    @property
    def gives_a_verdict(self) -> bool:
        """Whether there will be a verdict as things are now."""
        return self.stopped is None and self.ramp is not None and self.ramp.reason not in _NO_VERDICT


def usage_now(session: Session) -> Usage | None:
    """What the server's processes use now; None where that may not be read."""
    return read_usage(read_process_tree(*session.server.roots()), time.monotonic_ns())
