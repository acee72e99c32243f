"""Replaces the references in a text by what a client knows; pure."""

from __future__ import annotations

from typing import Literal, Protocol

from holdfast.journeys.context import Context
from holdfast.journeys.functions import FUNCTIONS
from holdfast.journeys.functions_conditions import OF_CONDITIONS
from holdfast.model.answers import FunctionCall, Template, Variable


class Asks(Context, Protocol):
    """A client whose texts are replaced."""

    @property
    def missing(self) -> Literal["as written", "fails"]:
        """What becomes of a reference without a value in a request (see `Crew`)."""

    def calls(self, site: FunctionCall) -> None:
        """Notes which call of a function is being replaced."""


_ALL = {**FUNCTIONS, **OF_CONDITIONS}


class ClientEndsError(Exception):
    """The client has nothing left to do; the message says why."""


class FunctionFailsError(ClientEndsError):
    """A function has no value for its arguments outside a request, where JMeter's thread ends."""


class NoValueError(Exception):
    """A reference has no value, or a function cannot be called like this; the message says which, in words."""


def text_of(template: Template, client: Asks, *, strict: bool = False) -> str:
    """The text, with each reference replaced; one without a value stays as it is written.

    Args:
        strict: it may not stay so, unless the client's crew says that it does.

    Raises:
        NoValueError: only if `strict`: a reference has no value, or a function none for its arguments.
        FunctionFailsError: only if not, where references without a value stay as they are written: a function has none.
    """
    if len(template) == 1 and isinstance(template[0], str):
        return template[0]
    return "".join([part if isinstance(part, str) else _value(part, client, strict) for part in template])


def _value(part: Variable | FunctionCall, client: Asks, strict: bool) -> str:  # noqa: FBT001 - passed on
    if isinstance(part, Variable):
        found = client.variables.get(part.name)
        if found is not None:
            return found
        why = f"{part.written or part.name} has no value"
    else:
        function = _ALL.get(part.name)
        if function is not None:
            arguments = [text_of(each, client, strict=strict) for each in part.arguments]
            client.calls(part)
            try:
                return function(arguments, client)
            except ValueError as error:
                why = f"{part.written}: {error}" if part.written else str(error)
                if strict:  # with JMeter too such a request fails unsent
                    raise NoValueError(why) from error
                if client.missing == "as written":
                    raise FunctionFailsError(why) from error
        else:
            why = f"{part.written or part.name} is not a function that is known"
    if strict and client.missing != "as written":
        raise NoValueError(why)
    return part.written or f"${{{part.name}}}"
