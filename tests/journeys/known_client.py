"""A client whose time, chance and surroundings a test decides."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from holdfast.journeys.functions import FUNCTIONS
from holdfast.journeys.steps import Sending
from holdfast.model.answers import Answer, FunctionCall, Template, Variable
from holdfast.plans import expressions

_Made = TypeVar("_Made")


@dataclass
class KnownClient:
    """A `journeys.context.Context`."""

    variables: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    remembered: dict[object, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    machine: tuple[str, str] = ("desk", "192.0.2.7")
    plan: str = "plan.jmx"
    crew: str = "moles"
    label: str = "dig"
    client: int = 1
    iteration: int = 1
    now_ms: int = 1_709_294_400_123
    answer: Answer | None = None
    sent: Sending | None = None
    site: object = None
    draws: random.Random = field(default_factory=lambda: random.Random(1))

    def below(self, bound: int) -> int:
        return self.draws.randrange(bound)

    def filled(self, template: Template) -> str:
        out = []
        for part in template:
            if isinstance(part, str):
                out.append(part)
            elif isinstance(part, Variable):
                out.append(self.variables.get(part.name, part.written))
            else:
                arguments = [self.filled(each) for each in part.arguments]
                self.site = part
                out.append(FUNCTIONS[part.name](arguments, self))
        return "".join(out)

    def replaced(self, text: str) -> str:
        return self.filled(as_template(expressions.parts_of(text)))

    def within(self, do: Callable[[], _Made]) -> _Made:
        return do()


def as_template(parts: tuple[expressions.Part, ...]) -> Template:
    """A text of a plan, split, as the model has it."""
    found: list[str | Variable | FunctionCall] = []
    for part in parts:
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, expressions.Variable):
            found.append(Variable(part.name, f"${{{part.name}}}"))
        else:
            found.append(FunctionCall(part.name, tuple(map(as_template, part.arguments))))
    return tuple(found)
