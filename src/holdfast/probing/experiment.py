"""One experiment from beginning to end: prepare, start the server, measure, end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.engine.connecting import check_http2
from holdfast.errors import EnvironmentFailure, HoldfastError, InconclusiveError
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import Experiment
from holdfast.model.live import LivePhase, LiveProbe, Watch
from holdfast.model.timeline import Stopped, Timeline
from holdfast.probing.launch import spec_of
from holdfast.probing.measure import measure
from holdfast.probing.patience import Patience
from holdfast.probing.prepare import Room, prepare, user_for
from holdfast.probing.raw_record import timeline_of
from holdfast.probing.start import Running, start
from holdfast.rundir import room_for_a_run
from holdfast.servers.adapter import Adapter


def run(
    experiment: Experiment,
    interrupts: Interrupts,
    adapter: Adapter | None = None,
    tell: Callable[[str], None] | None = None,
    stopped: Callable[[Stopped], None] | None = None,
    watch: Watch[LiveProbe] | None = None,
) -> Timeline:
    """Starts the server, probes it and ends it.

    It leaves nothing behind: no process, no socket, no file, whatever happened in between.

    Args:
        adapter: None is the one with the server's name.
        tell: is given a line now and then while it takes long; None tells nothing.
        stopped: is given why there will be no verdict, before the server is ended, which may take seconds.
        watch: is offered views of it; None is offered none.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: there is no timeline; their texts say why.
        KeyboardInterrupt, Terminated: asked to end immediately.
    """
    with recorded(experiment, interrupts, adapter, tell, stopped, watch) as timeline:
        return timeline


@contextmanager
def recorded(
    experiment: Experiment,
    interrupts: Interrupts,
    adapter: Adapter | None = None,
    tell: Callable[[str], None] | None = None,
    stopped: Callable[[Stopped], None] | None = None,
    watch: Watch[LiveProbe] | None = None,
) -> Iterator[Timeline]:
    """The record of a server that was started and probed, and ends while the block runs; with the block it has ended.

    Args:
        experiment, interrupts, adapter, tell, stopped, watch: as for `run`.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError, KeyboardInterrupt, Terminated: as `run`.
    """
    with started(experiment, interrupts, adapter, Patience(tell, watch)) as running:
        measured = measure(running)
        if not running.prepared.recording.path.exists():
            raise _removed(running.prepared.recording.path)
        if stopped is not None and measured.stopped is not None:
            stopped(measured.stopped)
        running.patience.begin(LivePhase.ENDING)
        running.patience.offer(lambda plain: plain, at_once=True)
        running.server.begin_to_end()
        yield timeline_of(experiment, measured, interrupted=interrupts.asked)


@contextmanager
def started(
    experiment: Experiment,
    interrupts: Interrupts,
    adapter: Adapter | None = None,
    patience: Patience | None = None,
) -> Iterator[Running]:
    """The experiment's server, started and come to rest; it is ended with the block, and leaves nothing behind.

    Args:
        adapter: as for `run`.
        patience: tells what is waited for; None tells nothing.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: it did not become ready, or holdfast's own files were removed
            within the block.
    """
    check_http2(asked=experiment.http2)
    directory = room_for_a_run()
    spec = spec_of(experiment, adapter, str(directory / "socket"))
    room = Room(directory, user_for(experiment, spec))
    # One stack for all three steps, since only as a whole is its clean-up safe from a signal that strikes in between.
    with _words_about_user(room.uid, experiment.nproc), interrupts.cleaned_up() as stack:
        prepared = prepare(experiment, spec, room, interrupts, stack)
        with _words_about_removal(prepared.recording.path):
            yield start(prepared, stack, patience or Patience())


@contextmanager
def _words_about_user(uid: int | None, limit: int | None) -> Iterator[None]:
    """Adds to each failure that the server ran as another user, which may have caused it."""
    try:
        yield
    except EnvironmentFailure as error:
        if uid is None:
            raise
        root = "Root" if limit is None else "With --nproc, root"
        note = f"{root} starts the server as user {uid}, who may read everything and write almost nowhere."
        raise EnvironmentFailure(error.what, error.why, f"{error.remedy}\n{note}") from error


@contextmanager
def _words_about_removal(record: Path) -> Iterator[None]:
    """Says that the run's own files were removed, if they were, and nothing that they made the server look like.

    Without its record a server lets go of every request that it holds, and a new process of it finds nothing to hold
    requests with.

    Raises:
        InconclusiveError: they were removed.
    """
    cause: Exception | None = None
    try:
        yield
    except HoldfastError as error:
        if record.exists():
            raise
        cause = error
    if not record.exists():
        raise _removed(record) from cause


def _removed(record: Path) -> InconclusiveError:
    return InconclusiveError(
        "holdfast's own files were removed while it measured.",
        f"{record} is gone, which is not the server's doing, and without it the server holds no requests.",
        f"Find out what removes files from {record.parent.parent}, and probe again.",
    )
