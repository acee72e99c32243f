"""What the clients of a load share, so that one process has to have all of them; pure.

Numbers (counters, places in tables, the next instant of a rate, how many clients there are) are shared by the
processes of a host (`Shared.across`), and by no two hosts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args

from holdfast.model.answers import Assertion, Extract, FunctionCall, HookExtract, Variable
from holdfast.model.journey import (
    Alone,
    Assign,
    Condition,
    Count,
    Delay,
    Draw,
    ForEach,
    Given,
    If,
    Journeys,
    Leave,
    Loop,
    Meeting,
    Once,
    OneOf,
    Pace,
    Sequence,
    Share,
    Shuffled,
    TakeRow,
    Timed,
    Transaction,
    ValuesOfClients,
    While,
)
from holdfast.model.journey_request import Cache, Links, Login, MadeUp, Multipart, Part, Request, Resources, TextBody
from holdfast.model.scenario import Timeouts

_TRUE = ("true",)
# Functions that continue, for all clients, where the last call was.
_ONE_FOR_ALL = frozenset({"__StringFromFile", "__CSVRead", "__setProperty"})
# Functions whose texts are known only when they are called.
_ANYTHING = frozenset({"__eval", "__evalVar"})


def shared_by_clients(journeys: Journeys, *, several_hosts: bool = False) -> Iterator[str]:
    """What keeps clients in one process, each in words that follow "because"; none where each is by itself.

    Args:
        several_hosts: what keeps them on one host.
    """
    stages = {crew.stage for crew in journeys.crews}
    if len(stages) > 1 or (journeys.one_by_one and len(journeys.crews) > 1):
        yield "a group of clients waits for the end of another one"
    for crew in journeys.crews:
        yield from _in(crew.journey, numbers=several_hosts)
    # Each process decides these, and none may count for the others.
    yield from _in(journeys.values, numbers=True)


def keeps_numbers(thing: Any) -> Iterator[object]:  # noqa: ANN401 - as below
    """The nodes that remember something of a client from one pass to the next, each as often as it is there."""
    if isinstance(thing, Count | Draw | Pace):
        yield thing
    elif isinstance(thing, tuple):
        for each in thing:
            yield from keeps_numbers(each)
    elif is_dataclass(thing) and not isinstance(thing, TakeRow | Request):
        for field in fields(thing):
            yield from keeps_numbers(getattr(thing, field.name))


def may_look_at(thing: Any, name: str) -> bool:  # noqa: ANN401 - any part of a journey
    """Whether a part of a journey may look at a value: by a reference, in a condition, or in a hook."""
    if isinstance(thing, Variable):
        return thing.name == name
    if isinstance(thing, HookExtract) or (isinstance(thing, FunctionCall) and thing.name in _ANYTHING):
        return True
    if isinstance(thing, Condition) and any(isinstance(each, str) and _has_name(each, name) for each in thing.text):
        return True
    if isinstance(thing, tuple):
        return any(may_look_at(each, name) for each in thing if not isinstance(each, str | bytes))
    if not is_dataclass(thing):
        return False
    # Rows of a table are texts, of which there may be a million.
    names = [field.name for field in fields(thing) if not (isinstance(thing, TakeRow) and field.name == "rows")]
    return any(may_look_at(getattr(thing, each), name) for each in names)


def _has_name(condition: str, name: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", condition) is not None


def _in(thing: Any, *, numbers: bool) -> Iterator[str]:  # noqa: ANN401 - any part of a journey
    """What is shared in a part of a journey; with `numbers`, numbers too."""
    if isinstance(thing, tuple):
        for each in thing:
            if not isinstance(each, str | bytes):
                yield from _in(each, numbers=numbers)
    elif is_dataclass(thing):
        kind = type(thing)
        if kind not in OWN and (numbers or not _is_number(thing)):
            words = SHARES.get(kind, _unknown)(thing)
            if words is not None:
                yield words
        for field in fields(thing):
            if not (isinstance(thing, TakeRow) and field.name == "rows"):  # texts, of which there may be a million
                yield from _in(getattr(thing, field.name), numbers=numbers)


def _is_number(thing: object) -> bool:
    """Whether what clients share of it is a number."""
    if isinstance(thing, Pace):
        return not thing.precise and not thing.schedule
    return isinstance(thing, Count | TakeRow) or (isinstance(thing, FunctionCall) and thing.name == "__counter")


def _unknown(thing: object) -> str:
    return f"{type(thing).__name__} may be about all clients"


def _count(node: Count) -> str | None:
    return None if node.per_client else f"the counter {node.name} is one for all clients"


def _row(node: TakeRow) -> str | None:
    if node.shared_by == "client":
        return None
    return f"no two clients get the same row of {node.origin or 'a table'}"


def _draw(node: Draw) -> str | None:
    return None if node.per_client or not node.seed else f"the random numbers of {node.name} are one series for all"


def _pace(node: Pace) -> str | None:
    if node.precise or node.schedule:
        return "clients keep to one schedule together"
    return None if node.shared_by == "client" else "clients keep to one rate together"


def _share(node: Share) -> str | None:
    return None if node.per_client else "a share is of the passes of all clients"


def _call(node: FunctionCall) -> str | None:
    if node.name in _ONE_FOR_ALL:
        return f"{node.name} is about all clients"
    if node.name in _ANYTHING:
        return f"{node.name} may call what is about all clients"
    if node.name == "__counter":
        first = "".join(part for part in node.arguments[0] if isinstance(part, str)) if node.arguments else ""
        fixed = bool(node.arguments) and all(isinstance(part, str) for part in node.arguments[0])
        return None if fixed and first.lower() in _TRUE else "__counter is one for all clients"
    return None


OWN = frozenset(
    {
        *(Assign, Condition, Delay, ForEach, If, Leave, Loop, Once, OneOf, Sequence, Shuffled, Timed, Transaction),
        *(ValuesOfClients, While, Request, Resources, Links, TextBody, Multipart, Part, Timeouts, Variable, Assertion),
        *(Cache, Login, Given, MadeUp),
        *(set(get_args(Extract)) - {HookExtract}),
    }
)
"""What each client does, takes and keeps for itself."""
SHARES: dict[type, Callable[[Any], str | None]] = {
    Count: _count,
    TakeRow: _row,
    Draw: _draw,
    Pace: _pace,
    Share: _share,
    FunctionCall: _call,
    Meeting: lambda _: "clients wait for each other",
    Alone: lambda _: "one client at a time does a part of it",
    HookExtract: lambda hook: f"{hook.function} may keep values for all clients",
}
"""What clients may share: how, in words; None: not this one."""
