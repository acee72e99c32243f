"""From an experiment to its verdict: the server is measured, the record saved, and the verdict drawn from it.

Every way to ask comes through here: the command line in its own process, the Python API in a process that it starts.
Nothing is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.errors import HoldfastError
from holdfast.interrupts import Interrupts
from holdfast.model.asked import asked_of
from holdfast.model.frozen import frozen
from holdfast.model.verdict import Verdict
from holdfast.runs_file import marked

if TYPE_CHECKING:
    # Each kind of experiment brings modules of its own.
    from holdfast.model.experiment import Experiment, OutsideExperiment
    from holdfast.model.live import LiveProbe, Watch
    from holdfast.model.outside import OutsideTimeline
    from holdfast.model.timeline import Stopped, Timeline

# Nothing that is needed only after the measurement is imported before it: see benchmarks/start.py.


@frozen
class Measured:
    """A verdict, and what became of its record.

    Attributes:
        verdict: with the number of the saved run.
        unsaved: why it could not be saved; None where it was, or was not to be.
    """

    verdict: Verdict
    unsaved: HoldfastError | None = None


@frozen
class Told:
    """Who is told what during a measurement; None tells nothing.

    Attributes:
        progress: is given a line now and then while it takes long.
        stopped: is given why there will be no verdict, before the server is ended, which may take seconds.
        unsaved: is given why the record could not be saved, before anything is concluded from it.
        watch: is offered views of a probe.
    """

    progress: Callable[[str], None] | None = None
    stopped: Callable[[Stopped], None] | None = None
    unsaved: Callable[[HoldfastError], None] | None = None
    watch: Watch[LiveProbe] | None = None


TELLS_NOTHING = Told()


def probed(
    experiment: Experiment, interrupts: Interrupts, told: Told = TELLS_NOTHING, *, save: bool = True
) -> Measured:
    """Starts a server, measures it from inside, and ends it.

    Args:
        save: keep the record among the saved runs.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: there is no verdict.
        KeyboardInterrupt, Terminated: asked to end immediately.
    """
    with _marked(experiment, save=save) as mark, _interpreter_asked_ahead(experiment):
        from holdfast.probing.experiment import recorded  # noqa: PLC0415 - attach does without

        with recorded(experiment, interrupts, tell=told.progress, stopped=told.stopped, watch=told.watch) as timeline:
            return _judged(timeline, told, mark, save=save)


def attached(
    experiment: OutsideExperiment, interrupts: Interrupts, told: Told = TELLS_NOTHING, *, save: bool = True
) -> Measured:
    """Measures a running server from outside.

    Args:
        save: as for `probed`.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: there is no verdict.
        KeyboardInterrupt, Terminated: asked to end immediately.
    """
    from holdfast.attaching.experiment import attach  # noqa: PLC0415 - probe does without

    with _marked(experiment, save=save) as mark:
        return _judged(attach(experiment, interrupts, told.watch), told, mark, save=save)


@contextmanager
def _interpreter_asked_ahead(experiment: Experiment) -> Iterator[None]:
    """Asks for what is installed while the rest is being imported: each takes 0.05 s."""
    from holdfast.model.experiment import ProbeTarget  # noqa: PLC0415 - attach does without

    if not isinstance(experiment.target, ProbeTarget):
        yield
        return
    from holdfast.servers.interpreter import asked_ahead  # noqa: PLC0415 - see above
    from holdfast.servers.registry import adapter_named  # noqa: PLC0415 - see above

    target = experiment.target
    with asked_ahead(adapter_named(target.server), target.python, Path(experiment.cwd)):
        yield


def _marked(experiment: Experiment | OutsideExperiment, *, save: bool) -> AbstractContextManager[str | None]:
    """Marks a run that is to be saved, so that one that is killed is known."""
    return marked(asked_of(experiment)) if save else nullcontext()


def _judged(timeline: Timeline | OutsideTimeline, told: Told, mark: str | None, *, save: bool) -> Measured:
    """Saves a record, and only then concludes from it."""
    run, unsaved = None, None
    if save:
        from holdfast import store  # noqa: PLC0415 - see above

        try:
            run = store.save(timeline, store.default_path(), mark)
        except HoldfastError as error:
            # The verdict must not be lost because of that.
            unsaved = error
            if told.unsaved is not None:
                told.unsaved(error)

    from holdfast.infer.judge import judge  # noqa: PLC0415 - see above

    if run is None:
        return Measured(judge(timeline), unsaved)
    return Measured(store.concluded(run, partial(judge, timeline)), unsaved)
