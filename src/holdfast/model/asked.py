"""What an experiment is to do, in the words of the list of runs."""

from __future__ import annotations

from holdfast.model.experiment import (
    CommandTarget,
    Experiment,
    OutsideExperiment,
    ProbeTarget,
    command_line_of,
)
from holdfast.model.saved import Asked


def asked_of(experiment: Experiment | OutsideExperiment) -> Asked:
    """What is started, or attached to."""
    if isinstance(experiment, OutsideExperiment):
        return Asked("attach", "attach", experiment.target.url)
    target = experiment.target
    words = command_line_of(target)
    if isinstance(target, CommandTarget):
        return Asked("exec", "exec", " ".join(words))
    assert isinstance(target, ProbeTarget)
    return Asked("probe", words[0], " ".join(words[1:]), target.app or "built-in")


def asked_to_explain(experiment: Experiment) -> Asked:
    """What is explained."""
    first = asked_of(experiment)
    return Asked("explain", "explain", " ".join(command_line_of(experiment.target)), first.app)
