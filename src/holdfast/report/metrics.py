"""The progress of a load run, in the text format that Prometheus reads (exposition format 0.0.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from holdfast.model.progress import Progress, Times

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ALWAYS = {"answered": 0}
_VALUES = re.compile(r"([?&;][^=&;\s]*)=[^&;\s]*")


def metrics_text(progress: Progress) -> str:
    """All metrics of the run.

    Any user of the machine can read them, so a label has no values of a query: these may be keys.
    """
    return "".join(f"{line}\n" for line in _lines(progress))


def _shown(labels: Iterable[str]) -> dict[str, str]:
    """Each label without the values of its query; different ones stay different, or a series would be there twice."""
    shown: dict[str, str] = {}
    for label in labels:
        name = again = _VALUES.sub(r"\1=*", label)
        number = 1
        while again in shown.values():
            number += 1
            again = f"{name} ({number})"
        shown[label] = again
    return shown


def _lines(progress: Progress) -> Iterator[str]:
    shown = _shown(each.label for each in progress.labels)
    if progress.due is not None:
        yield from _metric("requests_due_total", "counter", "Requests that the schedule has asked for.", progress.due)
    yield from _metric("requests_begun_total", "counter", "Requests that have begun.", progress.begun)
    name = "requests_ended_total"
    yield from _head(name, "counter", "Requests that have ended, by how they ended.")
    for each in progress.labels:
        for outcome, count in (_ALWAYS | each.outcomes).items():
            yield f"holdfast_{name}{_labels(label=shown[each.label], outcome=outcome)} {count}"
    yield from _metric("in_flight", "gauge", "Requests that have begun and not ended.", progress.in_flight)
    name = "latency_seconds"
    yield from _head(name, "histogram", "Time from when a request was due to the end of its reply.")
    for each in progress.labels:
        yield from _histogram(name, each.latency, label=shown[each.label])
    if progress.lag_us is not None:
        name = "pacing_lag_seconds"
        yield from _head(name, "histogram", "How much later than due requests began: the load's own error.")
        yield from _histogram(name, progress.lag)
    own = progress.own
    if own is not None:
        yield from _metric("load_processes", "gauge", "Processes that send.", own.processes)
        yield from _metric("load_cpu_seconds_total", "counter", "CPU time of these processes.", own.cpu_s)
        yield from _metric("load_memory_bytes", "gauge", "Memory of these processes.", own.memory_bytes)
        if own.descriptors is not None:
            yield from _metric("load_descriptors", "gauge", "Descriptors of these processes.", own.descriptors)


def _metric(name: str, kind: str, what: str, value: float) -> Iterable[str]:
    yield from _head(name, kind, what)
    yield f"holdfast_{name} {value}"


def _head(name: str, kind: str, what: str) -> Iterable[str]:
    yield f"# HELP holdfast_{name} {what}"
    yield f"# TYPE holdfast_{name} {kind}"


def _histogram(name: str, times: Times, **labels: str) -> Iterator[str]:
    for bound, count in (*((f"{bound:g}", count) for bound, count in times.counts), ("+Inf", times.count)):
        yield f"holdfast_{name}_bucket{_labels(**labels, le=bound)} {count}"
    yield f"holdfast_{name}_sum{_labels(**labels)} {times.sum_s}"
    yield f"holdfast_{name}_count{_labels(**labels)} {times.count}"


def _labels(**labels: str) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
