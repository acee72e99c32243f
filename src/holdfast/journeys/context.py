"""What a function, an extract or an assertion may know of the client for which it works."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from holdfast.journeys.steps import Sending
    from holdfast.model.answers import Answer, HookExtract, Template

_Made = TypeVar("_Made")


class FunctionError(ValueError):
    """A function has no value for these arguments; the message says why in one sentence."""


class Context(Protocol):
    """One client, at one moment of its journey."""

    @property
    def variables(self) -> MutableMapping[str, str]:
        """The client's values, by name."""

    @property
    def properties(self) -> MutableMapping[str, str]:
        """Values that all clients of the load share, by name."""

    @property
    def remembered(self) -> MutableMapping[object, Any]:
        """What functions keep from one call to the next, for the whole load; each takes keys of its own."""

    @property
    def own(self) -> MutableMapping[object, Any]:
        """The same for this client alone."""

    def changed(self, key: object, change: Callable[[int | None], int]) -> int | None:
        """Changes a number that all clients of the load share; returns what it was, None where there was none.

        Args:
            change: what it was -> what it becomes.
        """

    @property
    def files(self) -> Mapping[str, bytes]:
        """Contents of the files that the plan names, by the name written there."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables."""

    @property
    def machine(self) -> tuple[str, str]:
        """Name and IP address of this machine."""

    @property
    def plan(self) -> str:
        """The plan's file, without its folders."""

    @property
    def crew(self) -> str:
        """The crew's name."""

    @property
    def label(self) -> str:
        """The name of the request that is being put together, or was sent last; "" before the first."""

    @property
    def client(self) -> int:
        """The client's number in its crew, from 1."""

    @property
    def iteration(self) -> int:
        """The client's pass through the journey, from 1."""

    @property
    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""

    @property
    def answer(self) -> Answer | None:
        """What became of the client's last request; None before the first."""

    @property
    def sent(self) -> Sending | None:
        """The client's last request; None before the first."""

    @property
    def site(self) -> object:
        """The call of a function that is being replaced: the same object each time, for every client.

        None of a call in a text that is evaluated, which begins anew each time.
        """

    def below(self, bound: int) -> int:
        """A whole number by chance, from 0 and less than `bound`."""

    def filled(self, template: Template) -> str:
        """A text with its references replaced."""

    def replaced(self, text: str) -> str:
        """The same for a text as it is written in a plan, `${name}`."""

    def hook(self, extract: HookExtract, answer: Answer) -> str:
        """Calls a function of the person's own; returns why that failed, in words, or ""."""

    def within(self, do: Callable[[], _Made]) -> _Made:
        """Does something that may take any time, such as matching a pattern.

        Raises:
            TimeoutError: it did not come to an end in time.
        """
