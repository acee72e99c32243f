"""The result that a run is compared with: of a saved run, or in a file."""

from __future__ import annotations

from dataclasses import replace

from holdfast.cli.results import Result, result_named
from holdfast.errors import UsageError
from holdfast.infer.difference import KINDS, kind_of
from holdfast.model.difference import Kind

_CHECKS = frozenset({"expectations", "baseline"})


def read_baseline(name: str, kind: Kind) -> Result:
    """The baseline that is meant: the number of a saved run, or a file that `--json` has written.

    Args:
        kind: of the result that will be compared with it.

    Raises:
        UsageError: there is none, or it is of another kind.
        InconclusiveError: the run has no verdict.
        EnvironmentFailure: it cannot be read.
    """
    found = result_named(name)
    own = kind_of(found.fields)
    assert own is not None  # `result_named` gives nothing else
    if own != kind:
        raise UsageError(
            f"The baseline {found.side.name} is of another kind.",
            f"It is {KINDS[own]}; this run gives {KINDS[kind]}.",
            "Give the number of a saved run of that kind (`holdfast runs`), or a file that --json has written.",
        )
    # What was expected of it then is not a part of the result.
    return replace(found, fields={name: value for name, value in found.fields.items() if name not in _CHECKS})
