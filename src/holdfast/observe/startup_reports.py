"""What the processes of a person's own command say of how holdfast got into them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from holdfast.inside.holdfast_inside import layout


class StartupReport(NamedTuple):
    """One line that a process of a person's own command has written.

    Attributes:
        what: one of layout.SAID.
    """

    pid: int
    what: str
    detail: str


def read_startup_reports(hello: Path) -> tuple[StartupReport, ...]:
    """What the processes of a person's own command have reported so far, in order; malformed lines are left out."""
    found = []
    for line in hello.read_text(errors="replace").splitlines():
        pid, _, rest = line.partition("\t")
        what, _, detail = rest.partition("\t")
        if pid.isdecimal() and what in layout.SAID:
            found.append(StartupReport(int(pid), what, detail))
    return tuple(found)
