"""From an experiment to an explanation: what is asked besides, and how it is carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from holdfast.explaining.run import Asked, explain
from holdfast.explaining.trials import bench_for
from holdfast.infer.queueing import busy_places, places_for
from holdfast.interrupts import Interrupts
from holdfast.model.advice import Wish
from holdfast.model.experiment import Experiment
from holdfast.model.explanation import Explanation
from holdfast.model.live import Watch
from holdfast.model.live_study import LiveExplanation
from holdfast.model.silent import DEFAULT_PATIENCE_S

BESIDES = (
    *("up_to", "want", "rate_per_s", "service_s", "p99_s", "memory_bytes"),
    *("overload", "health_path", "silent", "patience_s"),
)
"""What can be asked besides which setting decides, by the names that `asked_besides` takes."""


def explained(
    experiment: Experiment,
    asked: Asked,
    interrupts: Interrupts,
    tell: Callable[[str], None] | None = None,
    watch: Watch[LiveExplanation] | None = None,
    *,
    save: bool = True,
) -> Explanation:
    """Probes the server as asked, and then with one thing changed after another.

    Args:
        tell: is given a line as each probe begins, where there are no views; None tells nothing.
        watch: is offered views; None is offered none.
        save: keep the explanation, and each probe, among the saved runs.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: the first probe has no verdict.
        KeyboardInterrupt, Terminated: asked to end immediately.
    """
    with bench_for(experiment, interrupts, tell or (lambda _line: None), watch, saves=save) as bench:
        return explain(bench, asked)


def asked_besides(given: Mapping[str, Any]) -> Asked:
    """What is asked besides which setting decides.

    Args:
        given: the names of BESIDES; what is left out or None was not asked for.

    Raises:
        ValueError: these do not go together; it names the options of the command line.
    """
    overload, silent = bool(given.get("overload")), bool(given.get("silent"))
    health_path, patience_s = given.get("health_path") or "", given.get("patience_s")
    service_s, wish = given.get("service_s"), _wish(given)
    if service_s is not None and not overload and (wish is None or wish.rate_per_s is None):
        raise ValueError("--service-time says how long requests take that --rate or --overload is about.")
    if health_path and not overload:
        raise ValueError("--health is requested during --overload, which was not asked for.")
    if patience_s is not None and not silent:
        raise ValueError("--patience is that with silent clients; add --silent.")
    patience_s = patience_s or DEFAULT_PATIENCE_S
    return Asked(given.get("up_to"), wish, overload, service_s, health_path, silent, patience_s)


def _wish(given: Mapping[str, Any]) -> Wish | None:
    """What is wanted of the server."""
    want, rate, service_s, p99_s, memory = (
        given.get(each) for each in ("want", "rate_per_s", "service_s", "p99_s", "memory_bytes")
    )
    if want is not None and (rate is not None or p99_s is not None):
        raise ValueError("Give either --want, or --rate and --service-time.")
    if want is not None:
        return Wish(want, memory)
    if rate is None:
        if p99_s is not None or memory is not None:
            raise ValueError("Say for what: --want N, or --rate R and --service-time S.")
        return None
    if service_s is None:
        raise ValueError("--rate and --service-time belong together: how many come, and how long each takes.")
    try:
        places = places_for(rate, service_s, p99_s)
    except ValueError as error:
        raise ValueError(f"--p99 cannot be kept: {error}.") from error
    return Wish(places, memory, rate, service_s, p99_s, busy_places(rate, service_s))
