"""What is shown of a load on a cluster while it runs: a view on the terminal, or a line now and then."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from holdfast.cluster.coordinator import cluster_runner
from holdfast.console import say
from holdfast.engine.collect import LoadRun
from holdfast.engine.plan import Plan, Stop
from holdfast.engine.target import Target
from holdfast.live_terminal import terminal_for_views
from holdfast.loadtest.quiet import waits_for
from holdfast.loadtest.result import urls_of
from holdfast.loadtest.run import RunElsewhere
from holdfast.model.load import LoadExperiment
from holdfast.model.progress import SharedProgress
from holdfast.report.layout import cut_lines
from holdfast.report.live_hosts import hosts_line, hosts_view

_LINE_S = 1.0


def shown_runner(where: str, *, quiet: bool) -> RunElsewhere:
    """What carries out a load on the hosts of a cluster, and shows it.

    Args:
        where: as for `cluster_runner`.
        quiet: nothing is shown but what is waited for after Ctrl-C.
    """

    def run(
        experiment: LoadExperiment, targets: Sequence[Target], plans: Sequence[Plan], stopped: Callable[[], Stop]
    ) -> LoadRun:
        terminal = None if quiet else terminal_for_views()
        if terminal is None:
            told = _ending(experiment) if quiet else _lines()
            return cluster_runner(where, told)(experiment, targets, plans, stopped)
        title = urls_of(experiment)

        def view(progress: SharedProgress) -> None:
            def drawn(columns: int, rows: int, styled: bool) -> list[str]:  # noqa: FBT001 - as `Drawn`
                return cut_lines(hosts_view(progress, title, columns, rows), columns, styled=styled)

            terminal.show(drawn)

        try:
            return cluster_runner(where, view)(experiment, targets, plans, stopped)
        finally:
            terminal.close()

    return run


def _ending(experiment: LoadExperiment) -> Callable[[SharedProgress], None]:
    """A line once hosts have been asked to end, if they still wait for something."""
    told = False

    def line(progress: SharedProgress) -> None:
        nonlocal told
        if progress.ending == "draining" and progress.in_flight and not told:
            told = True
            say(waits_for(progress.in_flight, experiment))

    return line


def _lines() -> Callable[[SharedProgress], None]:
    """A line each second."""
    next_s = _LINE_S

    def line(progress: SharedProgress) -> None:
        nonlocal next_s
        if progress.elapsed_s >= next_s:
            next_s = progress.elapsed_s + _LINE_S
            say(hosts_line(progress))

    return line
