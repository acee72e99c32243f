"""How the ramp of a probe ended."""

from __future__ import annotations

from typing import Literal

from holdfast.model.frozen import frozen

RampReason = Literal[
    "turned away", "let in later", "syn", "max-offered", "our side", "ended by the server", "interrupted", "growing"
]
"""Why a ramp ended.

"turned away": requests beyond every queue were rejected, refused, reset or closed. "let in later": so they were, and
then others were let in again and again although no place had been given back. "syn": the accept queue is full, and
further SYNs stay unanswered. "max-offered": no more may be offered. "our side": the load had no descriptor or port
left. "ended by the server": it ended requests that were held. "interrupted": the person asked for the end. "growing":
one handler after another started, or one worker after another came, while requests waited, and there was no end to it.
"""


@frozen
class EqualRequests:
    """Requests with query strings of their own that came to their view one after another while equal ones waited.

    Attributes:
        in_service: of the equal ones.
        others: how many there were; each came in, while an equal one that was offered in between did not.
    """

    in_service: int
    others: int


@frozen
class GivenBack:
    """What one place that was given back brought in, while a front kept back all requests that waited.

    Attributes:
        let_in: how many of them came into service.
        in_service: how many were then.
    """

    let_in: int
    in_service: int


@frozen
class Ramp:
    """How the ramp ended.

    Attributes:
        plateau_ns: since when no further handler had started while requests waited; NEVER if none waited.
        crowd: most requests that were on their way to a handler at once when one was turned away.
        step_ns: the longest time for which requests had waited when one more handler started or worker came; 0 of runs
            saved before that was kept.
        equals: seen after the ramp; None where that did not show that equal requests wait for each other, or it was
            not looked for, and of runs saved before that was kept.
        given_back: seen after the ramp; None where no front kept back all that waited, and of runs saved before that
            was kept.
    """

    reason: RampReason
    plateau_ns: int
    crowd: int = 1
    step_ns: int = 0
    equals: EqualRequests | None = None
    given_back: GivenBack | None = None
