"""What came of what a person expects of a result."""

from __future__ import annotations

from typing import Any

from holdfast.model.frozen import frozen


@frozen
class Checked:
    """One expectation, and what came of it.

    Attributes:
        expression: as it was written; of a baseline, the name of the field.
        met: False also where what it compares is null.
        found: each field that it names, in full, with its value in the result, as JSON has it.
        why: why it could not be compared; "" where it was.
        of: the row of a study that it was checked for; "" in any other result.
        shown: what was found, in words, with units.
    """

    expression: str
    met: bool
    found: dict[str, Any]
    why: str = ""
    of: str = ""
    shown: str = ""
