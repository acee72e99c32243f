"""Every doubt about a result: what happened, its likely cause, what to do. Advice already followed is left out."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.infer.at_entry import ENTRY_OF_UNKNOWN, is_at_entry
from holdfast.infer.ceiling import turned_away, waiting
from holdfast.infer.census import entries_by_id, running_on
from holdfast.infer.let_in_later import LetInLater
from holdfast.infer.server_ended import ended_later
from holdfast.infer.waited_too_long import waited_too_long
from holdfast.model.address import is_unix
from holdfast.model.limits import ADDRESS_SPACE, OwnLimit
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome, Place
from holdfast.model.sizes import shown_size
from holdfast.model.timeline import NEVER, Timeline
from holdfast.model.units import MS, NS_PER_S
from holdfast.model.verdict import MACHINE_BUSY, OFFER_MORE, Places

_LATE_NS = 20 * MS
_LONG_WAY_NS = NS_PER_S // 2
_AT_ENTRY = {
    "entry": (
        "There is no view at this path, so requests were held where the server hands them to the application. "
        "What a framework does between there and a view is not in these figures. Name the path of a view with --path."
    ),
    "plain": (
        "Requests were held where the server hands them to the application: it is plain code of one file, without a "
        "framework, so that is the view itself."
    ),
    "library": (
        "Requests were held where the server hands them to the application: it is plain code of an installed package, "
        "without a framework, so that is the view itself."
    ),
    "whole": (
        "Requests were held where the server hands them to the application: its own code answers from there, and no "
        "framework was seen to call it."
    ),
    "libraries": (
        "Requests were held where code of libraries begins to answer: no function of your own was seen to, and all ran "
        "on the same thread without waiting for another, but for the content of a file."
    ),
    ENTRY_OF_UNKNOWN: (
        "Requests were held where the server hands them to the application, and the places are those of requests held "
        "there. The function that answers was not found. holdfast attach measures the running server from outside, "
        "with the view's own work."
    ),
}


def warnings_of(
    timeline: Timeline, places: Places, placed: Mapping[int, Place], rate: LetInLater | None
) -> tuple[str, ...]:
    """Doubts in words, most important first.

    Args:
        rate: as of `let_in_later`.
    """
    late = waited_too_long(timeline, placed)
    said = "" if rate is None or rate.enters else rate.reason(places.in_service)
    limit = tuple(each for each in (said, late) if each)
    own = map(_own_limit, timeline.server.own_limits)
    counting = _counting(timeline, places)
    return (*own, *_gil(timeline), *timeline.notes, *counting, *limit, *_records(timeline, placed), *_system(timeline))


def _own_limit(own: OwnLimit) -> str:
    def shown(value: int) -> str:
        return shown_size(value) if own.name == ADDRESS_SPACE else str(value)

    program = f" ({own.program})" if own.program else ""
    in_force = "no limit" if own.in_force is None else shown(own.in_force)
    return (
        f"{own.name} {shown(own.asked)} was asked for, and {in_force} is in force in the server's process {own.pid}"
        f"{program}. What starts the server, or the server, sets that itself (ulimit in a script, a setting). The "
        "verdict is about what is in force."
    )


def _gil(timeline: Timeline) -> list[str]:
    """That an interpreter which was built to do without its lock runs with it."""
    if timeline.gil not in {"on", "asked for"}:
        return []
    built = "The server's Python was built to do without the GIL, and runs with it: "
    if timeline.gil == "asked for":
        return [f"{built}-X gil=1 or PYTHON_GIL=1 asks for that. Its threads run Python code in turns."]
    modules = ", ".join(timeline.gil_enabled_by)
    which = (
        f"loading {modules} has enabled it"
        if modules
        else "an extension module has enabled it (a RuntimeWarning names it, which is not in the server's output)"
    )
    why = f"{which}, since a module has to declare that it can do without"
    return [f"{built}{why}. Its threads run Python code in turns. PYTHON_GIL=0 keeps it off, at your own risk."]


def _counting(timeline: Timeline, places: Places) -> list[str]:
    found = []
    snapshot, ramp = timeline.placed, timeline.ramp
    if snapshot is not None and not snapshot.still:
        found.append("Requests were still moving inside the server when the places were counted.")
    unseen = timeline.first_request is not None and is_at_entry(timeline.first_request)
    met_none = ramp is not None and ramp.reason == "max-offered" and not waiting(places) and not turned_away(places)
    if met_none and not unseen:
        found.append(f"All {places.in_service} offered requests ran at once: the ceiling is higher. {OFFER_MORE}")
    ways_ns = timeline.first_request.ways_ns if timeline.first_request is not None else ()
    if ways_ns and ways_ns[-1] >= _LONG_WAY_NS:
        found.append(
            f"A request takes {ways_ns[-1] / NS_PER_S:.1f} s from the server to its view, even alone (authentication, "
            "a dependency, middleware). That time is not part of what was held."
        )
    if ramp is not None and ramp.crowd > 1:
        found.append(
            f"Requests were turned away while {ramp.crowd} were on their way to a handler at once. Handlers start too "
            "slowly here to offer one at a time, and requests that start together may keep each other out: offered "
            "one by one, a few more may fit."
        )
    if ended := ended_later(timeline):
        found.append(
            f"After the places had been counted, a process of the server ended with {ended.number} requests that it "
            f"held ({' or '.join(ended.seen)})."
            if ended.with_process
            else f"The server has a time limit for requests, of about {ended.longest_ns / NS_PER_S:.1f} s: after the "
            f"places had been counted it ended {ended.number} held requests ({' or '.join(ended.seen)})."
        )
    if places.answered:
        found.append(
            f"{places.answered} requests were answered while they were held: the server ended their handlers "
            "or answered for them (a worker timeout?)."
        )
    return found


def _records(timeline: Timeline, placed: Mapping[int, Place]) -> list[str]:
    found = []
    entries = entries_by_id(timeline)
    repeated = sum(entry.entries > 1 for entry in entries.values())
    if repeated:
        found.append(f"{repeated} requests were handed to the application more than once: the server repeats requests.")
    gone = [
        each
        for each, place in placed.items()
        if place not in {Place.IN_SERVICE, Place.ANSWERED, Place.REJECTED}
        and each in entries
        and timeline.placed is not None
        and NEVER < entries[each].entered_ns <= timeline.placed.ended_ns
    ]
    if gone:
        found.append(
            f"{len(gone)} requests had entered their handlers but were no longer there when the places were counted: "
            "the server ended the handlers or their processes."
        )
    if on := running_on(timeline, placed):
        found.append(
            f"{len(on)} requests were turned away after their handlers had begun, and these run on: they take places, "
            "and are counted at the ceiling. A front whose connection to the server ends does that."
        )
    first = timeline.first_request
    if first is not None:
        # Where the path has a view for another method, the entry is named so.
        said = _AT_ENTRY.get(first.via, "")
        if "no view for " in first.held_in:
            said = f"{said.replace('no view', 'no view for GET', 1)} holdfast sends no other method."
        found += [said] if said else []
    return found


def _system(timeline: Timeline) -> list[str]:
    found = []
    late = max((sample.late_ns for sample in timeline.samples), default=0)
    if late > _LATE_NS:
        found.append(f"An observer's look came {late / MS:.0f} ms late: {MACHINE_BUSY}")
    no_room = sum(request.phase is Phase.RAMP and request.outcome is Outcome.NO_ROOM for request in timeline.requests)
    if no_room:
        found.append(
            f"{no_room} requests found the accept queue of the Unix socket full. A non-blocking client is then refused "
            "at once with EAGAIN (nginx logs '11: Resource temporarily unavailable' and answers 502); a blocking one "
            "waits in connect() until there is room."
        )
    if timeline.server.abort_on_overflow and not is_unix(timeline.server.address):
        found.append(
            "net.ipv4.tcp_abort_on_overflow is set on this machine: a full accept queue resets connections instead "
            "of leaving them unanswered, which is the default."
        )
    return found
