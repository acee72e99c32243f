"""What one client knows while it walks, and what all clients of a load share; pure: chance and time are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, TypeVar

from holdfast.journeys.chance import Chance
from holdfast.journeys.leaves import Branch
from holdfast.journeys.references import template_of
from holdfast.journeys.steps import Sending
from holdfast.journeys.templates import text_of
from holdfast.model.answers import Answer, FunctionCall, HookExtract, Template
from holdfast.model.journey import Crew, Journeys

_Made = TypeVar("_Made")
Change = Callable[[int | None], int]
_ALL = -1
# The variables that JMeter gives to each thread by itself.
LAST_ANSWERED = "JMeterThread.last_sample_ok"
_BEGUN = {"START.YMD": "yyyyMMdd", "START.HMS": "HHmmss"}


@dataclass(slots=True)
class CrewShared:
    """What the clients of one crew share.

    Attributes:
        number: of the crew, from 0.
        begun_ns: when its first client came, CLOCK_MONOTONIC ns; None: none has come.
        present: how many clients are there now.
        planned: the journey with what applies to each request; None before the first client.
        fixed: by number, requests that are the same each time; None of those that are not.
    """

    number: int
    planned: Branch | None = None
    fixed: dict[int, Sending | None] = field(default_factory=dict)
    begun_ns: int | None = None
    present: int = 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What functions may see of the world.

    Attributes:
        wall_offset_ns: turns an instant of CLOCK_MONOTONIC into one since the epoch.
        files: contents of the files that the plan names, by the name written there.
        environment: environment variables.
        machine: name and IP address of this machine.
        plan: the plan's file, without its folders.
    """

    wall_offset_ns: int = 0
    files: Mapping[str, bytes] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    machine: tuple[str, str] = ("localhost", "127.0.0.1")
    plan: str = ""


@lru_cache(1024)
def _template_of(text: str) -> Template:
    return template_of(text)


def _at_once(do: Callable[[], _Made]) -> _Made:
    return do()


def _no_hook(hook: HookExtract, _answer: Answer, _values: MutableMapping[str, str]) -> str:
    return f"{hook.function} is not loaded"


@dataclass(slots=True)
class Shared:
    """What all clients of a load share: properties, counters, places in tables, paces, turns, chance.

    Attributes:
        seed: of what is by chance.
        hook: calls a function of the person's own, which adds to the client's values; returns why that failed, in
            words, or "".
        within: does something that may take any time, such as matching a pattern, and raises where it takes too long.
        properties: by name; a journey may change them.
        remembered: how far each counter and each table has come, whose turn it is, and what functions keep.
        values: that all clients begin with; None before the first one has come.
        crews: for each crew, by its identity: names may be the same.
        present: how many clients are there now, of those that are in this process.
        across: changes numbers that clients in several processes share, as `changed`; None: one process has all.
    """

    journeys: Journeys
    seed: int = 0
    surroundings: Surroundings = field(default_factory=Surroundings)
    within: Callable[[Callable[[], Any]], Any] = _at_once
    hook: Callable[[HookExtract, Answer, MutableMapping[str, str]], str] = _no_hook
    properties: dict[str, str] = field(default_factory=dict)
    remembered: dict[object, Any] = field(default_factory=dict)
    values: dict[str, str] | None = None
    crews: dict[int, CrewShared] = field(default_factory=dict)
    present: int = 0
    across: Callable[[object, Change], int | None] | None = None

    def begin(self, now_ns: int) -> None:
        """Decides what all clients begin with, before any of them comes.

        Processes that have some of the clients each would otherwise decide when the first one of theirs comes.

        Args:
            now_ns: the start, CLOCK_MONOTONIC.
        """
        if self.journeys.crews:
            Client(self.journeys.crews[0], -1, self).comes(now_ns)

    def __post_init__(self) -> None:
        self.properties.update(self.journeys.properties)
        for number, crew in enumerate(self.journeys.crews):
            self.crews[id(crew)] = CrewShared(number)

    def changed(self, key: object, change: Change) -> int | None:
        """Changes a number that all clients share; returns what it was, None where there was none.

        Args:
            change: what it was -> what it becomes.
        """
        if self.across is not None:
            return self.across(key, change)
        before: int | None = self.remembered.get(key)
        self.remembered[key] = change(before)
        return before

    def counts(self, crew: CrewShared, by: int) -> None:
        """Counts a client that comes (1) or leaves (-1)."""
        self.present += by
        crew.present += by
        if self.across is not None:
            for number in (crew.number, _ALL):
                self.across(("present", number), lambda before: (before or 0) + by)

    def present_in(self, crew: CrewShared | None) -> int:
        """How many clients of a crew, or with None of the load, are there now, in whichever process."""
        if self.across is not None:
            return self.across(("present", _ALL if crew is None else crew.number), lambda before: before or 0) or 0
        return self.present if crew is None else crew.present


class Client:
    """One client of a crew, as its walk and the functions in its texts see it (`journeys.context.Context`).

    Attributes:
        member: its crew.
        index: of the client in its crew, from 0.
        variables: its values, by name.
        own: as `Shared.remembered`, for this client alone.
        iteration: which pass through the journey this is, from 1; 0 before the first.
        now_ns: CLOCK_MONOTONIC, when the engine last said it.
        sent, answer: its last request and what became of it.
        site: the call of a function that is being replaced; None: it is in a text that is evaluated.
        last_answered: the last request was answered; True before the first.
    """

    __slots__ = (
        "_chance",
        "_evaluates",
        "_label",
        "_names",
        "answer",
        "index",
        "iteration",
        "last_answered",
        "member",
        "now_ns",
        "own",
        "sent",
        "shared",
        "site",
        "variables",
    )

    def __init__(self, member: Crew, index: int, shared: Shared) -> None:
        self.member = member
        self.index = index
        self.shared = shared
        self.variables: dict[str, str] = {}
        self.own: dict[object, Any] = {}
        self.iteration = 0
        self.now_ns = 0
        self._evaluates = False
        self._label: Template = ()
        self._names: dict[int, tuple[int, str]] = {}
        self.sent: Sending | None = None
        self.answer: Answer | None = None
        self.site: FunctionCall | None = None
        self.last_answered = True
        self._chance: Chance | None = None

    def comes(self, now_ns: int) -> None:
        """Gives the client the values that it begins with; the first one of the load decides some of them for all."""
        self.now_ns = now_ns
        shared, member = self.shared, self.member
        if shared.values is None:
            self.variables.update(dict.fromkeys(("START.MS", "TESTSTART.MS"), str(self.now_ms)))
            for name, pattern in _BEGUN.items():
                self.variables[name] = text_of((FunctionCall("__time", ((pattern,),)),), self)
            self.variables[LAST_ANSWERED] = "true"
            for group in shared.journeys.values:
                self.variables.update([(name, text_of(value, self)) for name, value in group])
            shared.values = dict(self.variables)
            for text in shared.journeys.at_start:
                text_of(text, self)
        self.variables.update(shared.values)
        self.variables.update(member.values)
        if member.values_of_clients:
            self.variables.update(member.values_of_clients[self.index % len(member.values_of_clients)])

    @property
    def label(self) -> str:
        """Of the request that is being put together, or was sent last; "" before the first.

        It is replaced when it is asked for: by JMeter, after where the request goes and what it sends. A name is kept
        until its request has ended, or the client's pass; whatever asks for it after that is told a new one.
        """
        label = self._label
        if all(isinstance(part, str) for part in label):
            return "".join(map(str, label))
        known = self._names.get(id(label))
        if known is None or known[0] != self.iteration:
            known = self._names[id(label)] = (self.iteration, text_of(label, self))
        return known[1]

    def labels(self, label: Template) -> None:
        """Begins a request, or what takes its place, of this label."""
        self._label = label

    def forgets_label(self) -> None:
        """The request of the present label has ended."""
        self._names.pop(id(self._label), None)

    @property
    def chance(self) -> Chance:
        """Its own random numbers, so that they do not depend on which client comes first."""
        if self._chance is None:
            self._chance = Chance(f"{self.shared.seed} {self.crew_shared.number} {self.index}")
        return self._chance

    @property
    def properties(self) -> dict[str, str]:
        """Values that all clients of the load share, by name."""
        return self.shared.properties

    @property
    def remembered(self) -> dict[object, Any]:
        """What functions keep from one call to the next, for the whole load."""
        return self.shared.remembered

    @property
    def files(self) -> Mapping[str, bytes]:
        """Contents of the files that the plan names, by the name written there."""
        return self.shared.surroundings.files

    @property
    def environment(self) -> Mapping[str, str]:
        """See `Surroundings`."""
        return self.shared.surroundings.environment

    @property
    def machine(self) -> tuple[str, str]:
        """See `Surroundings`."""
        return self.shared.surroundings.machine

    @property
    def plan(self) -> str:
        """The plan's file, without its folders."""
        return self.shared.surroundings.plan

    @property
    def crew(self) -> str:
        """The crew's name."""
        return self.member.name

    @property
    def client(self) -> int:
        """Its number in its crew, from 1."""
        return self.index + 1

    @property
    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return (self.now_ns + self.shared.surroundings.wall_offset_ns) // 1_000_000

    @property
    def missing(self) -> Literal["as written", "fails"]:
        """See `Crew`."""
        return self.member.missing

    def calls(self, site: FunctionCall) -> None:
        """Notes which call of a function is being replaced."""
        self.site = None if self._evaluates else site

    @property
    def crew_shared(self) -> CrewShared:
        """What its crew shares."""
        return self.shared.crews[id(self.member)]

    def below(self, bound: int) -> int:
        """A whole number by chance, from 0 and less than `bound`."""
        return min(bound - 1, int(self.chance.random() * bound))

    def filled(self, template: Template) -> str:
        """A text with its references replaced."""
        return text_of(template, self)

    def replaced(self, text: str) -> str:
        """The same for a text as it is written in a plan, `${name}`; "" if it cannot be read.

        Its functions are others each time, so that a counter in it is 1.
        Source: apache/jmeter, functions/EvalFunction.java, EvalVarFunction.java, engine/util/CompoundVariable.java.
        """
        before, self._evaluates = self._evaluates, True
        try:
            return text_of(_template_of(text), self)
        except ValueError:
            return ""
        finally:
            self._evaluates = before

    def hook(self, extract: HookExtract, answer: Answer) -> str:
        """Calls a function of the person's own; returns why that failed, in words, or ""."""
        return self.shared.hook(extract, answer, self.variables)

    def within(self, do: Callable[[], _Made]) -> _Made:
        """Does something that may take any time.

        Raises:
            TimeoutError: it did not come to an end in time.
        """
        made: _Made = self.shared.within(do)
        return made

    def changed(self, key: object, change: Change) -> int | None:
        """Changes a number that all clients share (`Shared.changed`)."""
        return self.shared.changed(key, change)
