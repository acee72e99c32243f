"""`holdfast report --trace`: a saved run for Perfetto."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast import console, store
from holdfast.model.migration import EXPLANATION_FORM, LOAD_FORM


def write_trace(number: int, target: str) -> None:
    """Writes the trace of a saved run to a file, or to standard output."""
    if target == console.STDOUT:
        console.put_stream(_trace(number))
    else:
        console.write_stream(target, _trace(number))


def _trace(number: int) -> Iterator[bytes]:
    """The trace, some of it at a time; of an explanation that of its first trial.

    Raises:
        UsageError: there is no such run, or it cannot be read.
    """
    from holdfast.model.timeline import Timeline
    from holdfast.picture.trace import load_trace_of, outside_trace_of, trace_of

    path = store.default_path()
    form = store.form_of(number, path)
    if form == LOAD_FORM:
        from holdfast.cli.saved_load import saved_load
        from holdfast.loadtest.rows import chunks
        from holdfast.loadtest.saved import title_of

        finished = saved_load(number)
        return load_trace_of(chunks(finished), title_of(finished.experiment))
    record = store.load(store.load_explanation(number, path).first_run if form == EXPLANATION_FORM else number, path)
    return trace_of(record) if isinstance(record, Timeline) else outside_trace_of(record)
