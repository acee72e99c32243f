"""The timeline that is made of what the phases of a probe saw."""

from __future__ import annotations

import re

from holdfast.model.experiment import Experiment
from holdfast.model.timeline import Marks, Snapshot, Timeline
from holdfast.probing.measured import Measured

# CPython, Python/import.c, _PyImport_CheckGILForModule(): a RuntimeWarning.
_ENABLES_GIL = re.compile(r"lock \(GIL\) has been enabled to load module '([\w.]+)'")


def timeline_of(experiment: Experiment, seen: Measured, *, interrupted: bool) -> Timeline:
    """The raw record of a run, of which the record in memory and the server's log are still there."""
    workers = seen.session.recording.workers
    gil = workers.gil()
    return Timeline(
        experiment=experiment,
        server=seen.server,
        marks=Marks(started_ns=seen.started_ns, **seen.marks),
        first_request=seen.first_request,
        ramp=seen.ramp,
        placed=seen.placed,
        requests=(*seen.later, *seen.requests),
        entries=seen.entries,
        abandoned=seen.abandoned,
        samples=tuple(seen.session.sampler.rows),
        usage=tuple(seen.usage),
        server_log=seen.log,
        notes=tuple(seen.notes),
        left_in_service=seen.left_in_service,
        exact=seen.exact,
        stopped=seen.stopped,
        replaced=seen.replaced,
        calls=seen.calls,
        interrupted=interrupted,
        came_later=seen.came_later,
        gone=seen.gone,
        outlived=seen.outlived,
        gil=gil,
        gil_enabled_by=seen.session.server.log.found(_ENABLES_GIL) if gil == "on" else (),
        usage_again=seen.usage_again if len(seen.usage_again) > 1 else (),
        handed=seen.handed,
        waiting=seen.told.waiting,
        libraries=seen.told.libraries,
        bodies_at_rest=seen.told.at_rest,
        streams=None if seen.streams is None else seen.streams.streams,
        limit_looks=tuple(seen.limit_looks) if len(seen.limit_looks) > 1 else (),
        accepting_loops=() if seen.placed is None else workers.accepting_loops(_listening(seen.placed)),
        stream_entries=() if seen.streams is None else seen.streams.entries,
    )


def _listening(placed: Snapshot) -> set[int]:
    """The sockets on which the server, or what is behind a front, listens."""
    return {each.inode for each in placed.listeners} | {inode for each in placed.acceptors for inode in each.listeners}
