"""From a search that was asked for to its result: a server is started or found, and loaded at many rates."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path

from holdfast import store
from holdfast.engine.quantities import Threshold, threshold
from holdfast.engine.target import prefer_listening, target_of
from holdfast.engine.url import parse_url
from holdfast.errors import HoldfastError, UsageError
from holdfast.infer.capacity import capacity_of
from holdfast.interrupts import Interrupts
from holdfast.model.capacity import DEFAULT_ERRORS, DEFAULT_RUN_S, Capacity, CapacityAsked, CapacityRecord
from holdfast.model.experiment import Experiment, ProbeTarget, command_line_of
from holdfast.model.frozen import frozen
from holdfast.model.saved import Asked
from holdfast.runs_file import marked
from holdfast.searching.run import LoadWatch, Search, run_search
from holdfast.searching.subject import Sent, Subject, running_subject, started_subject

_HARM = (
    "The search loads a server until it answers too late, again and again. On a server that is not yours that is an "
    "attack, and users of the server get slow replies or none."
)
_URL = re.compile(r"(https?:/|unix:)", re.IGNORECASE)
_LEAST_TIMEOUT_S = 5.0
_TIMES_THE_BOUND = 10.0
_EXAMPLE = "Write it as p99<200ms or errors<1%."


@frozen
class AskedSearch:
    """A search that was asked for.

    Attributes:
        experiment: the server to start; None where `url` names one that runs.
        url: of a running server; "" where one is started.
        allowed_hosts: that may be loaded although they are not loopback.
        thresholds: those of `asked`, in the same order.
    """

    experiment: Experiment | None
    url: str
    allowed_hosts: tuple[str, ...]
    sent: Sent
    asked: CapacityAsked
    thresholds: tuple[Threshold, ...]


@frozen
class Searched:
    """The result of a search, and what became of its record.

    Attributes:
        found: with the number of the saved run.
        unsaved: why it could not be saved; None where it was, or was not to be.
    """

    found: Capacity
    unsaved: HoldfastError | None = None


def checked_thresholds(given: Sequence[Threshold]) -> tuple[Threshold, ...]:
    """The thresholds that a rate has to hold; one for errors is added where there is none.

    Raises:
        UsageError: there are none, or no rate could hold them, or every rate does.
    """
    if not given:
        raise UsageError("Nothing says what has to hold.", "", "Give a threshold, such as --threshold 'p99<200ms'.")
    for each in given:
        if each.what == "rate":
            raise UsageError(
                f"{each.text!r} is about the rate itself.",
                "The search finds the rate; a threshold is what has to hold at it.",
                f"{_EXAMPLE} What you expect of the rate is --expect 'rate >= 75'.",
            )
        if each.label is not None:
            raise UsageError(
                f"{each.text!r} is about one label.", "A search sends one kind of request, and looks at all.", _EXAMPLE
            )
        if each.relation.startswith(">"):
            raise UsageError(
                f"{each.text!r} is a lower bound.",
                "The search looks for the rate from which on something is no longer small enough.",
                _EXAMPLE,
            )
        if each.bound <= 0 and not (each.what == "errors" and each.relation == "<="):
            raise UsageError(f"{each.text!r} can never hold.", "", _EXAMPLE)
    if any(each.what == "errors" for each in given):
        return tuple(given)
    return (*given, threshold(DEFAULT_ERRORS))


def check_rates(first_per_s: float | None, most_per_s: float | None) -> None:
    """Makes sure that the first rate is one that may be tried; None is one that was not given.

    Raises:
        UsageError: it is not.
    """
    if first_per_s is not None and most_per_s is not None and first_per_s > most_per_s:
        raise UsageError(
            f"The search cannot begin at {first_per_s:g} requests a second.",
            f"It is to try no more than {most_per_s:g}.",
            "Lower --from, or raise --up-to.",
        )


def names_a_url(subject: str) -> bool:
    """Whether this is the URL of a running server, not an application."""
    return _URL.match(subject) is not None


def timeout_s_for(thresholds: Sequence[Threshold]) -> float:
    """After how long a request is given up, where nothing else is said: long after it is too late."""
    bounds_ms = [each.bound for each in thresholds if each.what != "errors"]
    return max(_LEAST_TIMEOUT_S, _TIMES_THE_BOUND * max(bounds_ms, default=0.0) / 1000)


def searched(
    asked: AskedSearch,
    interrupts: Interrupts,
    tell: Callable[[str], None] | None = None,
    watch: LoadWatch | None = None,
    *,
    save: bool = True,
) -> Searched:
    """Searches for the highest rate that holds.

    Args:
        tell: is given a line about each load; None tells nothing.
        watch: is called while each load runs; None is not.
        save: keep the record among the saved runs.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: there is no result.
        KeyboardInterrupt, Terminated: asked to end immediately; of a caller that is undisturbed, only while the server
            starts.
    """
    says = tell or (lambda _line: None)
    title = _title(asked)
    with marked(title) if save else nullcontext() as mark:
        with ExitStack() as stack:
            with interrupts.disturbed():
                subject = stack.enter_context(_subject(asked, interrupts, says))
            search = Search(subject, asked.sent, asked.asked, asked.thresholds, interrupts, says, watch)
            cwd = "." if asked.experiment is None else asked.experiment.cwd
            explain = "" if asked.experiment is None else _command(asked, "explain")
            record = replace(
                run_search(search, cwd), explain=explain, command=_command(asked, "capacity", _options(asked.asked))
            )
        return _saved(record, title, mark) if save else Searched(capacity_of(record))


def result_of_search(asked: AskedSearch, interrupts: Interrupts, *, save: bool) -> Capacity:
    """The result alone.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: as `searched`.
    """
    return searched(asked, interrupts, save=save).found


def shown_again(number: int) -> Capacity:
    """A saved search, inferred again from its loads.

    Raises:
        UsageError: it cannot be read.
    """
    return capacity_of(store.load_capacity(number, store.default_path()), number)


def _subject(
    asked: AskedSearch, interrupts: Interrupts, tell: Callable[[str], None]
) -> AbstractContextManager[Subject]:
    if asked.experiment is not None:
        return started_subject(asked.experiment, title_of(asked), interrupts, tell)
    host = parse_url(asked.url).host
    allowed = host if host in asked.allowed_hosts else None
    target = prefer_listening(target_of(asked.url, allowed, _HARM, verify=asked.sent.verify))
    return running_subject(target, asked.url, interrupts)


def title_of(asked: AskedSearch) -> str:
    """What is loaded, as a person names it."""
    if asked.experiment is None:
        return asked.url
    return shlex.join(command_line_of(asked.experiment.target))


def _title(asked: AskedSearch) -> Asked:
    experiment = asked.experiment
    if experiment is None:
        return Asked("capacity", "capacity", asked.url)
    target = experiment.target
    app = (target.app or "built-in") if isinstance(target, ProbeTarget) else ""
    return Asked("capacity", "capacity", " ".join(command_line_of(target)), app)


def _command(asked: AskedSearch, name: str, options: Sequence[str] = ()) -> str:
    """A command line of holdfast about the same server, as a shell reads it.

    Args:
        options: of the command.
    """
    experiment = asked.experiment
    if experiment is None:
        return shlex.join(["holdfast", name, asked.url, *options])
    target = experiment.target
    given = (
        ("--view", experiment.view),
        ("--port", experiment.port),
        ("--path", None if experiment.path == "/" else experiment.path),
        ("--nofile", experiment.nofile),
        ("--nproc", experiment.nproc),
        ("--address-space", experiment.address_space),
    )
    same = [str(word) for option, value in given if value is not None for word in (option, value)]
    same += ["--tls"] if experiment.tls else []
    if isinstance(target, ProbeTarget):
        app = [target.app] if target.app else []
        after = ["--", *target.arguments] if target.arguments else []
        return shlex.join(["holdfast", name, *app, "--server", target.server, *same, *options, *after])
    return shlex.join(["holdfast", name, *same, *options, "--", *command_line_of(target)])


def _options(asked: CapacityAsked) -> list[str]:
    """What was asked of the search, as options."""
    found = [word for each in asked.thresholds for word in ("--threshold", each)]
    found += [] if asked.run_s == DEFAULT_RUN_S else ["--for", f"{asked.run_s:g}s"]
    found += [] if asked.from_per_s is None else ["--from", f"{asked.from_per_s:g}"]
    found += [] if asked.up_to_per_s is None else ["--up-to", f"{asked.up_to_per_s:g}"]
    found += [] if asked.at_most_s is None else ["--at-most", f"{asked.at_most_s:g}s"]
    found += ["--poisson"] if asked.poisson else []
    return [*found, *(["--keep-alive"] if asked.keep_alive else [])]


def _saved(record: CapacityRecord, title: Asked, mark: str | None) -> Searched:
    try:
        number = store.save_capacity(record, title, store.default_path(), Path(record.directory), mark)
    except HoldfastError as error:
        return Searched(capacity_of(record), error)
    found = capacity_of(record, number)
    store.keep_capacity(found)
    return Searched(found)
