"""The command line of holdfast that makes a run again.

Values of headers and of variables are left out: they may be passwords, and what is shown is passed on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.model.experiment import (
    DEFAULT_ANSWER_TIMEOUT_S,
    DEFAULT_CALL_TIMEOUT_S,
    DEFAULT_MAX_ATTACHED,
    DEFAULT_MAX_CALLED,
    DEFAULT_MAX_OFFERED,
    DEFAULT_START_TIMEOUT_S,
    CommandTarget,
    Experiment,
    OutsideExperiment,
    ProbeTarget,
)

HIDDEN = "..."
"""In place of a value that is not shown."""


def command_of(
    experiment: Experiment | OutsideExperiment, name: str = "", further: Sequence[str] = ()
) -> tuple[str, ...]:
    """Its words, as a shell takes them.

    Args:
        name: of the command; "" is the one that makes a single run of it.
        further: options of that command, besides those of the experiment.
    """
    if isinstance(experiment, OutsideExperiment):
        return ("holdfast", name or "attach", experiment.target.url, *_options_outside(experiment))
    target = experiment.target
    options = (*_options(experiment), *further)
    if isinstance(target, CommandTarget):
        return ("holdfast", name or "exec", *options, "--", *target.command)
    assert isinstance(target, ProbeTarget)
    return ("holdfast", name or "probe", *_known_server(target), *options, *_behind(target.arguments))


def _known_server(target: ProbeTarget) -> Iterator[str]:
    if target.app is not None:
        yield target.app
    yield from ("--server", target.server)
    for option, value in (("--framework", target.framework), ("--python", target.python)):
        if value is not None:
            yield from (option, value)


def _behind(arguments: Sequence[str]) -> tuple[str, ...]:
    return ("--", *arguments) if arguments else ()


def _options(experiment: Experiment) -> Iterator[str]:
    given = (
        ("--view", experiment.view, None),
        ("--port", experiment.port, None),
        ("--path", experiment.path, "/"),
        ("--max-offered", experiment.max_offered, DEFAULT_MAX_OFFERED),
        ("--nofile", experiment.nofile, None),
        ("--nproc", experiment.nproc, None),
        ("--address-space", experiment.address_space, None),
        ("--max-called", experiment.max_called, DEFAULT_MAX_CALLED),
        ("--call-timeout", experiment.call_timeout_s, DEFAULT_CALL_TIMEOUT_S),
        ("--watch", experiment.watch_s, 0.0),
        ("--start-timeout", experiment.start_timeout_s, DEFAULT_START_TIMEOUT_S),
    )
    yield from _headers(experiment.headers)
    for option, value, usual in given:
        if value not in {None, usual}:
            yield from (option, _shown(value))
    flags = (("--tls", experiment.tls), ("--http2", experiment.http2), ("--call", experiment.call))
    yield from (option for option, is_set in flags if is_set)


def _options_outside(experiment: OutsideExperiment) -> Iterator[str]:
    if experiment.target.allowed_host is not None:
        yield from ("--allow-remote", experiment.target.allowed_host)
    if experiment.target.insecure:
        yield "--insecure"
    yield from _headers(experiment.headers)
    for option, value, usual in (
        ("--max-offered", experiment.max_offered, DEFAULT_MAX_ATTACHED),
        ("--timeout", experiment.answer_timeout_s, DEFAULT_ANSWER_TIMEOUT_S),
    ):
        if value != usual:
            yield from (option, _shown(value))
    if experiment.http2:
        yield "--http2"


def _headers(headers: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, _ in headers:
        yield from ("-H", f"{name}: {HIDDEN}")


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else f"{value}"
