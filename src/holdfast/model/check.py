"""What came of what a person expects of a result: of expressions, and of an earlier result as its baseline."""

from __future__ import annotations

from typing import Any, Literal

from holdfast.model.frozen import frozen


@frozen
class Checked:
    """One expectation, and what came of it.

    Attributes:
        expression: as it was written.
        met: False also where what it depends on is null.
        found: each field that it names, in full, with its value in the result, as JSON has it.
        why: why it could not be told whether it is met; "" where it could.
        of: the row of a study that it was checked for; "" in any other result.
        shown: what was found, in words, with units.
    """

    expression: str
    met: bool
    found: dict[str, Any]
    why: str = ""
    of: str = ""
    shown: str = ""


Against = Literal["worse", "changed", "better", "elsewhere", "not compared"]
"""What a field is against a baseline: "elsewhere" is something asked for, a version or a limit, or a time that holdfast
took: none of them is the server's."""

FAILS: frozenset[Against] = frozenset({"worse", "changed"})


@frozen
class Moved:
    """One field that is not as in the baseline, noise aside.

    Attributes:
        before, after: as JSON has them; None also where one of the two does not have it.
        why: how that is known, or why it is not, in words.
    """

    field: str
    against: Against
    before: object
    after: object
    why: str


@frozen
class BaselineCheck:
    """A result against an earlier one.

    Attributes:
        name: "run 17", or the file's name.
        moved: in the order of the JSON.
        same: how many fields are the same.
        noise: how many differ by no more than noise.
    """

    name: str
    moved: tuple[Moved, ...]
    same: int
    noise: int

    @property
    def met(self) -> bool:
        """Nothing is worse or changed."""
        return not any(each.against in FAILS for each in self.moved)


@frozen
class CheckResult:
    """Everything that was checked of one result; empty where nothing was expected.

    Attributes:
        baseline: None where it was compared with none.
    """

    checked: tuple[Checked, ...] = ()
    baseline: BaselineCheck | None = None

    def __bool__(self) -> bool:
        """Whether anything was expected."""
        return bool(self.checked) or self.baseline is not None

    @property
    def met(self) -> bool:
        """All expectations are, and the baseline is kept."""
        return all(each.met for each in self.checked) and (self.baseline is None or self.baseline.met)


NOTHING_EXPECTED = CheckResult()
