"""Runs of `explain.overload` for the tests, short enough for several of them."""

from __future__ import annotations

from holdfast.explaining.overload import OverloadOptions, run_overload
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import Experiment, ProbeTarget

SERVICE_S = 0.1


def overloaded(server, ceiling, *arguments, interrupts=None, service_s=SERVICE_S, options=None, **target):
    """The record of a server of this many places."""
    path, cwd = target.pop("path", "/"), target.pop("cwd", ".")
    view = target.pop("view", None)
    experiment = Experiment(ProbeTarget(server, arguments=arguments, **target), path=path, cwd=str(cwd), view=view)
    options = options or OverloadOptions(level_s=0.8, factors=(2.0,))
    return run_overload(experiment, ceiling, service_s, interrupts or Interrupts(), options=options)


def least_backlog_s(record, level):
    """For how long after the load the server must at least be busy if it serves every client that came."""
    work_s = len(level.attempts) * record.service_s / record.ceiling
    return work_s - (level.stopped_ns - level.began_ns) / 1e9
