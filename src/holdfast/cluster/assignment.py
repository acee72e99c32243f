"""What a host of a cluster is to do."""

from __future__ import annotations

import json

from holdfast.engine.target import Target
from holdfast.loadtest.codec import from_json, to_json
from holdfast.model.frozen import frozen
from holdfast.model.load import LoadExperiment


@frozen
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
    return json.dumps([to_json(assignment.experiment), to_json(assignment.targets), assignment.share]).encode()


def decode(content: bytes) -> Assignment:
    """The reverse of `encode`."""
    experiment, targets, share = json.loads(content)
    return Assignment(from_json(experiment), from_json(targets), tuple(share))
