"""What a row of the conformance table is, and how a verdict is held to it.

A row names every field of the verdict that depends on the server, each with the source that says
what to expect: a line of the installed server, a function of the kernel, a manual page. Figures
never come from a verdict. What must hold for every verdict alike is checked here for all rows.
"""

from __future__ import annotations

import importlib.util
import math
import re
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from holdfast.model.experiment import Experiment, experiment_of
from holdfast.model.places import Place
from holdfast.model.verdict import Verdict
from holdfast.servers.adapter import FRAMEWORK_PACKAGES, Package
from holdfast.servers.registry import ADAPTERS

MOST_REPEATS = 5  # docs/method.md, Exact load
_TOO_SLOW = r"not tried where \d+ places take about [\d.]+ s to fill"
LIVE = (Place.IN_SERVICE, Place.USERSPACE_QUEUE, Place.ACCEPT_QUEUE)

CLAIMED = (
    "ceiling.in_service",
    "ceiling.bounded",
    "ceiling.userspace_queue",
    "ceiling.userspace_queue_bounded",
    "ceiling.accept_queue",
    "ceiling.accept_queue_limit",
    "ceiling.at_exact_load",
    "model.kind",
    "model.processes",
    "model.threads_per_process",
    "model.threads_reused",
    "model.processes_reused",
    "model.handler_threads_reused",
    "model.globals_shared",
    "model.listen_queues",
    "model.spread",
    "overflow.first",
    "overflow.then",
    "overflow.client_sees",
    "abandoned.left",
    "abandoned.run_anyway",
    "abandoned.in_service.fin",
    "abandoned.in_service.rst",
    "target.view",
    "target.held_in",
)
"""Fields that every row must claim; the places too, except those that are empty."""


@dataclass(frozen=True, slots=True)
class Resting:
    """A server of the same kind at rest, started without holdfast, before any request.

    Attributes:
        descriptors: open in the process that accepts (`/proc/PID/fd`).
        tasks: processes and threads of the server together, as RLIMIT_NPROC counts them.
    """

    descriptors: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a computed expectation may use: the server at rest, the experiment, the other fields."""

    resting: Resting
    experiment: Experiment
    verdict: Verdict


Computed = Callable[[Seen], Any]


@dataclass(frozen=True, slots=True)
class Formula:
    """A figure that depends on the machine, in the words of docs/conformance.md and as it is computed."""

    words: str
    figure: Computed

    def __call__(self, seen: Seen) -> Any:
        return self.figure(seen)


@dataclass(frozen=True, slots=True)
class Between:
    """Any whole number from `least` to `most`, where the source leaves it open."""

    least: int
    most: float = math.inf

    def holds(self, value: object) -> bool:
        return isinstance(value, int) and self.least <= value <= self.most


@dataclass(frozen=True, slots=True)
class Within:
    """A pair of least and most, both from `least` to `most`, where the source leaves it open."""

    least: int
    most: int

    def holds(self, value: object) -> bool:
        return isinstance(value, tuple) and self.least <= value[0] <= value[1] <= self.most


@dataclass(frozen=True, slots=True)
class UnlessTooSlow:
    """`expected`, or null because the places took too long to fill: no source says how long a start takes here.

    docs/method.md, Exact load: it is not tried where they take longer than 0.25 s. Any other null is a difference.
    """

    expected: Within

    def holds(self, value: object, why_null: str) -> bool:
        return self.expected.holds(value) or (value is None and re.fullmatch(_TOO_SLOW, why_null) is not None)


@dataclass(frozen=True, slots=True)
class Shares:
    """A spread over so many processes, largest first, that adds up to `total`: who gets how many is left open.

    Attributes:
        each: the most that one process may hold.
    """

    processes: int
    total: int
    each: float = math.inf

    def holds(self, value: object) -> bool:
        return (
            isinstance(value, tuple)
            and len(value) == self.processes
            and sum(value) == self.total
            and list(value) == sorted(value, reverse=True)
            and value[-1] >= 0
            and value[0] <= self.each
        )


@dataclass(frozen=True, slots=True)
class Quote:
    """A source that is installed here, so that the test can see whether it still says that.

    Attributes:
        module: whose file holds the text.
        text: as it stands there.
        says: what follows from it.
    """

    module: str
    text: str
    says: str


Source = str | Quote | tuple[str | Quote, ...]


@dataclass(frozen=True, slots=True)
class Says:
    """Values and who says so; `fields` maps dotted names to a value, a Between, Within or Shares, or a Computed."""

    source: Source
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One row.

    Attributes:
        resting: command of the same server without holdfast, on any port; () where no
            expectation needs it.
        warnings: parts of the warnings that are expected, in order.
        app: a file beside the table, or `module:attr`; None is the built-in application.
        needs: what its application needs beside the server.
        not_here: why it does not hold on the Python that runs this; "" where it does.
    """

    id: str
    server: str
    claims: tuple[Says, ...]
    arguments: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    app: str | None = None
    resting: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    needs: tuple[Package, ...] = ()
    not_here: str = ""

    def experiment(self) -> Experiment:
        here = str(Path(__file__).parent)
        return experiment_of(
            server=self.server, arguments=self.arguments, app=self.app, cwd=here, python=sys.executable, **self.options
        )


def quotes_of(case: Case) -> Iterator[Quote]:
    return (each for claim in case.claims for each in each_of(claim.source) if isinstance(each, Quote))


def still_says(quote: Quote) -> bool | None:
    """Whether the text stands in the installed module, which is not imported for it; None where it is not installed."""
    package, *parts = quote.module.split(".")
    spec = importlib.util.find_spec(package)
    if spec is None:
        return None
    assert spec.origin is not None
    path = Path(spec.origin)
    if parts:
        inner = path.parent.joinpath(*parts)
        path = inner / "__init__.py" if inner.is_dir() else inner.with_suffix(".py")
    return quote.text in path.read_text()


def missing(case: Case) -> str:
    """What to install before this row can be run; "" where it can."""
    adapter = ADAPTERS.get(case.server)
    if adapter is None:
        return ""
    words = " ".join(case.arguments)
    extras = [each for needing, each in adapter.extras.items() if needing in words]
    framework = FRAMEWORK_PACKAGES.get(str(case.options.get("framework")))
    further = [*extras, *([] if framework is None else [framework]), *case.needs]
    of_server = [] if any(map(_installed, adapter.packages)) else [adapter.packages[0]]
    needed = [*of_server, *(each for each in further if not _installed(each))]
    return " ".join(each.requirement for each in needed)


def _installed(package: Package) -> bool:
    return importlib.util.find_spec(package.module) is not None


def claimed_fields(case: Case) -> list[str]:
    return [name for claim in case.claims for name in claim.fields]


def differences(case: Case, verdict: Verdict, resting: Resting) -> list[str]:
    """Where verdict and row differ, one line each, with the source that says otherwise."""
    seen = Seen(resting, case.experiment(), verdict)
    found = []
    claimed = set()
    for claim in case.claims:
        for name, expected in claim.fields.items():
            claimed.add(name)
            wanted = expected(seen) if callable(expected) else expected
            got = _value(verdict, name)
            why_null = verdict.unknown.get(name, "") if got is None else ""
            if not _meets(got, wanted, why_null):
                why = f" ({why_null})" if why_null else ""
                found.append(f"{name} is {got!r}{why}, not {wanted!r}: {_words(claim.source)}")
    for place in Place:
        name = f"places.{place.value}"
        if name not in claimed and _value(verdict, name) != 0:
            found.append(f"{name} is {_value(verdict, name)}, but nothing in the sources puts a request there")
    if "places.before_view" not in claimed and verdict.places.before_view != 0:
        found.append(
            f"places.before_view is {verdict.places.before_view}, but no source hands a request over that early"
        )
    return found + _general(case, verdict) + _warnings(case, verdict)


def _meets(got: object, wanted: object, why_null: str) -> bool:
    if isinstance(wanted, UnlessTooSlow):
        return wanted.holds(got, why_null)
    return wanted.holds(got) if isinstance(wanted, Between | Within | Shares) else _same(got, wanted)


def _general(case: Case, verdict: Verdict) -> list[str]:
    """What every verdict must be."""
    experiment = case.experiment()
    places = msgspec.to_builtins(verdict.places)
    timing = msgspec.to_builtins(verdict.timing)
    nofile = experiment.nofile or resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    nproc = experiment.nproc or resource.getrlimit(resource.RLIMIT_NPROC)[0]
    somaxconn = int(Path("/proc/sys/net/core/somaxconn").read_text())
    # Own claims of a row stand beside these: the sum of the places that have a living connection.
    wanted = {
        "schema": 1,
        "offered": sum(places[place.value] for place in Place),
        "established": sum(places[place.value] for place in LIVE),
        "places.in_service": verdict.ceiling.in_service,
        "target.server": case.server,
        "target.app": case.app or "built-in",
        "target.path": experiment.path,
        "target.python": ".".join(map(str, sys.version_info[:3])),
        "limits.nofile": None if nofile == resource.RLIM_INFINITY else nofile,
        "limits.nproc": None if nproc == resource.RLIM_INFINITY else nproc,
        "limits.somaxconn": somaxconn,
        "binding": None,
        "confidence": "exact",
    }
    found = [
        f"{name} is {_value(verdict, name)!r}, not {value!r}"
        for name, value in wanted.items()
        if not _same(_value(verdict, name), value)
    ]
    nulls = {name for name, value in _leaves(msgspec.to_builtins(verdict)) if value is None}
    unexplained = nulls - verdict.unknown.keys()
    found += [f"{name} is null and no reason is given" for name in sorted(unexplained)]
    found += [f"{name} has a reason to be null and is not" for name in sorted(verdict.unknown.keys() - nulls)]
    repeats = verdict.ceiling.at_exact_repeats
    if (repeats is None) != (verdict.ceiling.at_exact_load is None) or not 1 <= (repeats or 1) <= MOST_REPEATS:
        found.append(f"ceiling.at_exact_load is {verdict.ceiling.at_exact_load} of {repeats} repeats")
    if verdict.offered > experiment.max_offered:
        found.append(f"{verdict.offered} requests were offered, more than --max-offered {experiment.max_offered}")
    # Where none waited, none was watched.
    waited = any(places[each] for each in ("before_view", "userspace_queue", "accept_queue"))
    asked = timing if waited else {name: value for name, value in timing.items() if name != "watched_s" or value}
    if not all(value is not None and value >= 0 for value in asked.values()):
        found.append(f"timing is {timing}")
    if not _in_order(case.arguments, verdict.target.command):
        found.append(f"the command {verdict.target.command} does not hold the arguments {case.arguments}")
    return found


# What depends on how long a run took: a busy machine; and a server without a free descriptor, which writes about each
# accept(2) that failed and tries again at once (cheroot, server.py, HTTPServer.serve: error_log).
_TRUE_AT_TIMES = ("this machine was busy", "to its output while it ran")


def _warnings(case: Case, verdict: Verdict) -> list[str]:
    given = [each for each in verdict.warnings if not any(part in each for part in _TRUE_AT_TIMES)]
    if len(given) == len(case.warnings) and all(part in each for part, each in zip(case.warnings, given, strict=True)):
        return []
    return [f"the warnings are {given}, not {list(case.warnings)}"]


def _in_order(arguments: tuple[str, ...], command: tuple[str, ...]) -> bool:
    """Every argument stands in the command, in order; an address whose port 0 was replaced keeps the rest."""
    rest = iter(command)
    return all(any(_stands_for(each, argument) for each in rest) for argument in arguments)


def _stands_for(each: str, argument: str) -> bool:
    option, unix, _ = argument.partition("unix:0")
    if unix:
        # The path of a socket that nobody uses stands in its place, in the server's own spelling.
        return each.startswith(option) and each.endswith("/socket")
    before, port_0, after = argument.partition(":0")
    if not port_0 or after[:1].isdigit():
        return each == argument
    return each.startswith(f"{before}:") and each.endswith(after)


def _value(verdict: Verdict, name: str) -> Any:
    value: Any = verdict
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _same(got: object, wanted: object) -> bool:
    # 1 == True in Python; a count is not a yes.
    return got == wanted and isinstance(got, bool) == isinstance(wanted, bool)


def _leaves(tree: Mapping[str, Any], stem: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict) and name != "unknown":
            yield from _leaves(value, f"{stem}{name}.")
        else:
            yield stem + name, value


def each_of(source: Source) -> tuple[str | Quote, ...]:
    """The sources, where one of them may stand alone."""
    return source if isinstance(source, tuple) else (source,)


def _words(source: Source) -> str:
    return "; ".join(
        each if isinstance(each, str) else f"{each.module} {each.text!r}: {each.says}" for each in each_of(source)
    )
