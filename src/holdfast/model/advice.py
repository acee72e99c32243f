"""Settings that were proposed for a number of requests at once, and what came of running them."""

from __future__ import annotations

from holdfast.model.frozen import frozen
from holdfast.model.trial import Change, Trial


@frozen
class Wish:
    """What a person wants of a server.

    Attributes:
        at_once: requests in service at once.
        memory_bytes: that the server may take, all its processes together; None without a limit of the person's.
        rate_per_s, service_s, p99_s: what `at_once` was computed from; None where it was given itself.
        busy: requests in service on average, by Little's law; None as above.
    """

    at_once: int
    memory_bytes: int | None = None
    rate_per_s: float | None = None
    service_s: float | None = None
    p99_s: float | None = None
    busy: float | None = None


@frozen
class Attempt:
    """A proposal that was run.

    Attributes:
        command: that starts the server so, as a person types it.
        trial: what it did.
    """

    command: tuple[str, ...]
    trial: Trial


@frozen
class AdviceRecord:
    """The proposals that were run for a wish, in order.

    Attributes:
        most_that_fits: requests at once that the limit of memory leaves room for, where that is fewer than wanted.
        stopped: why no further proposal was made, in a sentence without its full stop; "" where the wish is fulfilled.
    """

    wish: Wish
    attempts: tuple[Attempt, ...]
    most_that_fits: int | None = None
    stopped: str = ""


@frozen
class Advice:
    """What the proposals show.

    Attributes:
        wish: what was wanted.
        fulfilled: whether a proposal, or the present settings, reached the number within the memory.
        best: the one to take; None where none reached more than the present settings do.
        changes: of it, against the present settings; empty where these will do.
        attempts: every proposal that was run, in order.
        why_not: why the wish is not fulfilled; "" where it is.
        notes: what to keep in mind, in words.
        interrupted: a person ended it early.
    """

    wish: Wish
    fulfilled: bool
    best: Attempt | None
    changes: tuple[Change, ...]
    attempts: tuple[Attempt, ...]
    why_not: str = ""
