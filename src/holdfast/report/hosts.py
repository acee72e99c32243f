"""The hosts that shared a load, for a person's terminal."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.load import HostResult
from holdfast.report.layout import Column, Table

_COLUMNS = ("  host", "share", "begun", "pacing p99", "clock ahead, ms")


def render_hosts(hosts: Sequence[HostResult]) -> Table:
    """A table with one line for each host."""
    table = Table(*(Column(each, right=not each.startswith(" "), whole=True) for each in _COLUMNS), gap=4)
    for host in hosts:
        lag = "-" if host.pacing_lag_p99_us is None else f"{host.pacing_lag_p99_us:,} us"
        clock = f"{host.clock_offset_ms:,.3f} +- {host.clock_uncertainty_ms:,.3f}"
        begun = f"{host.begun:,}" + (", lost" if host.lost else "")
        table.add_row(f"  {host.name}", f"{host.share[0]} of {host.share[1]}", begun, lag, clock)
    return table
