"""What a host of a cluster is to do."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from holdfast.load.target import Target
from holdfast.model.load import LoadExperiment


@dataclass(frozen=True, slots=True)
class Assignment:
    """The work of one host: share (i, n) of the experiment's load.

    Attributes:
        targets: of each group.
    """

    experiment: LoadExperiment
    targets: tuple[Target, ...]
    share: tuple[int, int]


def encode(assignment: Assignment) -> bytes:
    """An assignment as bytes."""
    return msgspec.msgpack.encode(assignment)


def decode(content: bytes) -> Assignment:
    """The reverse of `encode`."""
    return msgspec.msgpack.decode(content, type=Assignment)
