"""The raw rows of a load run, some at a time, as other programs get them."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.frozen import frozen

INSTANTS = ("due_ns", "begun_ns", "opened_ns", "connected_ns", "sent_ns", "first_byte_ns", "done_ns")
WORDS = ("outcome", "label", "group", "source")
COLUMNS = (
    "id",
    "due_ns",
    "begun_ns",
    "connected_ns",
    "done_ns",
    "outcome",
    "status",
    "label",
    "group",
    "number",
    "opened_ns",
    "sent_ns",
    "first_byte_ns",
    "received_bytes",
    "source",
    "local_port",
)
"""In the order in which they are written."""

NONE_AT_ZERO = frozenset({*INSTANTS, "status", "local_port"})
"""In these columns, 0 means that there is no value."""


@frozen
class Together:
    """Several requests that were a result together, as a transaction of JMeter is.

    Attributes:
        ended_ns: CLOCK_MONOTONIC, of the last of them.
        took_ns: how long it took; `pauses_ns` went by beside it.
        requests, failed: how many there were, and those that were not answered.
        thread: as in `Samples`.
        group_threads, all_threads: requests in flight when it ended, at least 1.
    """

    label: str
    ended_ns: int
    took_ns: int
    pauses_ns: int
    answered: bool
    requests: int
    failed: int
    thread: str
    group_threads: int
    all_threads: int


@frozen
class Rows:
    """Some requests, one column for each fact; all of the same length.

    Attributes:
        id: number of the request in the run.
        due_ns: CLOCK_MONOTONIC, like all instants; each is 0 if it did not happen.
        begun_ns: its connection was opened, or on a kept connection it was sent.
        connected_ns: 0 on a kept connection.
        outcome: name of what the client saw.
        status: HTTP status; 0 without a reply.
        group: name of its group of clients.
        number: in its group, the value of `{id}`.
        opened_ns: the SYN; 0 on a kept connection.
        first_byte_ns: first byte of the reply.
        received_bytes: of the reply, head and body.
        source: our own address, "" if the kernel chose it.
        local_port: our own; to a Unix socket the inode of our end; 0 if it is not known.
    """

    id: Sequence[int]
    due_ns: Sequence[int]
    begun_ns: Sequence[int]
    connected_ns: Sequence[int]
    done_ns: Sequence[int]
    outcome: Sequence[str]
    status: Sequence[int]
    label: Sequence[str]
    group: Sequence[str]
    number: Sequence[int]
    opened_ns: Sequence[int]
    sent_ns: Sequence[int]
    first_byte_ns: Sequence[int]
    received_bytes: Sequence[int]
    source: Sequence[str]
    local_port: Sequence[int]

    def columns(self) -> list[Sequence[int] | Sequence[str]]:
        """All columns, in the order of COLUMNS, 0 where there is no value."""
        return [getattr(self, name) for name in COLUMNS]

    def known(self) -> list[Sequence[int | str | None]]:
        """The same with None where there is no value."""
        known: list[Sequence[int | str | None]] = []
        for name, column in zip(COLUMNS, self.columns(), strict=True):
            empty = (name in NONE_AT_ZERO or name in WORDS) and not all(column)
            known.append([value or None for value in column] if empty else column)
        return known


@frozen
class Samples:
    """What else is known of the same requests; all columns are as long as theirs.

    Attributes:
        url: whole, with what stood in its slots.
        sent_bytes: length of the request, head and body; 0 where it was not sent.
        thread: group, number of the group and number of the client.
        group_threads, all_threads: requests of the group, and of all groups, that were in flight just before
            this one ended, itself included.
        failure: which check of the body did not hold, in words; "" where none failed.
    """

    url: Sequence[str]
    sent_bytes: Sequence[int]
    thread: Sequence[str]
    group_threads: Sequence[int]
    all_threads: Sequence[int]
    failure: Sequence[str]
