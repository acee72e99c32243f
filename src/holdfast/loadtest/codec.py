"""What is asked of a load, as values that JSON can hold, and back; pure.

Each record is an object that names its class under "of", so that a shape or a value can be told from others. It is
written by hand, not by `msgspec`: that would add 5 MB and 15 ms to each load (measured), since each one is saved.
"""

from __future__ import annotations

import binascii
from dataclasses import fields, is_dataclass
from typing import Any

from holdfast.engine.endpoint import Tls
from holdfast.engine.target import Target
from holdfast.engine.url import Url
from holdfast.model.load import LoadExperiment, StopRule
from holdfast.model.scenario import (
    Chance,
    Check,
    ClientNumber,
    Counter,
    DataRows,
    Group,
    Pause,
    Slot,
    Step,
    Timeouts,
)
from holdfast.model.schedule import Segment
from holdfast.model.shapes import Burst, Clients, Phases, Rise, Spread, Stages

# fmt: off
_KINDS: dict[str, Any] = {
    "Phase": Segment,  # its name in holdfast 0.1.0
    **{kind.__name__: kind for kind in (
        LoadExperiment, StopRule, Group, Timeouts, Step, Check, Pause, Slot, Counter, ClientNumber, Chance, DataRows,
        Spread, Stages, Rise, Phases, Burst, Clients, Target, Url, Tls,
    )},
}
# fmt: on
_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_json(value: object) -> object:
    """A record, or a tuple of records, as JSON can hold it."""
    if isinstance(value, bytes):
        return {"of": "bytes", "base64": binascii.b2a_base64(value, newline=False).decode()}
    if isinstance(value, frozenset):
        return {"of": "frozenset", "each": sorted(value)}
    if isinstance(value, tuple):
        return [to_json(each) for each in value]
    if is_dataclass(value):
        own = {each.name: to_json(getattr(value, each.name)) for each in fields(value)}
        return {"of": _NAMES.get(type(value)) or type(value).__name__, **own}
    return value


def from_json(value: Any) -> Any:  # noqa: ANN401 - JSON in, the model out
    """The reverse of `to_json`.

    Raises:
        KeyError, TypeError, ValueError: it is not what `to_json` made.
    """
    if isinstance(value, list):
        return tuple(from_json(each) for each in value)
    if not isinstance(value, dict):
        return value
    own = {name: from_json(each) for name, each in value.items()}
    kind = own.pop("of")
    if kind == "bytes":
        return binascii.a2b_base64(own["base64"])
    if kind == "frozenset":
        return frozenset(own["each"])
    if kind == "Step" and isinstance(own["body"], str):
        own["body"] = own["body"].encode()  # holdfast 0.1.0 kept a form without slots as text
    made = _KINDS.get(kind)
    return (made or _of_journeys(kind))(**own)


def _of_journeys(name: str) -> Any:  # noqa: ANN401 - a class of the model
    """The class of a part of journeys, which few loads have."""
    from holdfast.model import answers, journey, journey_request  # noqa: PLC0415

    for module in (journey, journey_request, answers):
        found = getattr(module, name, None)
        if found is not None and is_dataclass(found):
            return found
    raise KeyError(name)
