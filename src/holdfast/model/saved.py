"""What is known of a saved run without reading its record."""

from __future__ import annotations

from typing import Literal

from holdfast.model.frozen import frozen
from holdfast.model.revision import Revision

RunKind = Literal["probe", "exec", "attach", "load", "explain", "study", "capacity"]
RUN_KINDS: tuple[RunKind, ...] = ("probe", "exec", "attach", "load", "explain", "study", "capacity")
"""The commands that save runs."""

State = Literal["over", "cut short", "not over yet"]
"""Of a load that is "cut short", rows may be there; of anything else, nothing but what was asked is."""


@frozen
class Asked:
    """What a run was to do, in the words of the list of runs.

    Attributes:
        server: what is started; the kind where that says nothing of a server.
        arguments: of the server; of a load, an attach or a study what it is of.
        app: the application; "" where the arguments say it.
    """

    kind: RunKind
    server: str
    arguments: str
    app: str = ""


@frozen
class SavedRun:
    """One row of `holdfast runs`.

    Attributes:
        id: its number; None where the run is not over yet and none of it is saved.
        saved_at: wall time, seconds since the epoch; None where the row is damaged, and then so is `offered`.
        server, arguments, app: as of `Asked`.
        kind: None where the row does not say.
        holdfast: the version that saved it; None where that is not known.
        revision: of the project; None of a run that an earlier version saved.
        measured: the server that was measured, as its verdict names it; None without a verdict.
        ceiling: requests in service at once; None where the run found no such number.
        bounded: False is "at least".
    """

    id: int | None
    saved_at: float | None
    server: str
    arguments: str
    offered: int | None
    app: str = ""
    kind: RunKind | None = None
    state: State = "over"
    holdfast: str | None = None
    revision: Revision | None = None
    measured: str | None = None
    ceiling: int | None = None
    bounded: bool | None = None


@frozen
class RunList:
    """Saved runs, the newest first.

    Attributes:
        left_out: how many more there are that are asked for.
    """

    runs: tuple[SavedRun, ...]
    left_out: int
    schema: int = 1
    kind: str = "runs"


@frozen
class Wanted:
    """Which runs are asked for; None, or "", asks for any.

    Attributes:
        server: its name, or a part of it: as started, or as measured.
        app: a part of the application's name, or of what is loaded or attached to.
        since, until: saved in this time, seconds since the epoch.
        revision: the beginning of a commit's name.
    """

    kind: RunKind | None = None
    server: str = ""
    app: str = ""
    since: float | None = None
    until: float | None = None
    revision: str = ""

    def takes(self, run: SavedRun) -> bool:
        """Whether this run is among them."""
        commit = None if run.revision is None else run.revision.commit
        where = run.app or run.arguments
        return (
            self.kind in {None, run.kind}
            and any(self.server.lower() in each.lower() for each in (run.server, run.measured or "", *_program(run)))
            and self.app.lower() in where.lower()
            and (self.since is None or (run.saved_at is not None and run.saved_at >= self.since))
            and (self.until is None or (run.saved_at is not None and run.saved_at <= self.until))
            and (not self.revision or (commit is not None and commit.startswith(self.revision)))
        )


def _program(run: SavedRun) -> tuple[str, ...]:
    """What a command of the person's own starts."""
    return (run.arguments,) if run.kind == "exec" else ()
