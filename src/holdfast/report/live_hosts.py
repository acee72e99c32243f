"""The progress of a load that several hosts share: a view for a terminal, and a line for everything else."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.model.progress import HostProgress, SharedProgress
from holdfast.report.layout import Text
from holdfast.report.live_rows import amount, counted, row, time_row

_MOST_NAMED = 6
_COLUMN = 12
_HEADS = ("begun/s", "begun", "ended", "in flight", "unanswered")
_LONGEST_NAME = 24


def hosts_view(progress: SharedProgress, title: str, width: int, height: int) -> list[Text]:
    """The lines of the view, no more than `height`; each is to be cut off at `width`.

    Args:
        title: what is loaded.
    """
    lines = [
        Text(title, style="bold"),
        time_row(progress.elapsed_s, progress.planned_s, progress.planned, progress.begun, width),
        Text(),
    ]
    lines += row("rate", _rates(progress), width)
    lines += row("requests", _counts(progress), width)
    lines += row("hosts", _hosts(progress), width)
    last = [Text(f"  {state}", style="yellow")] if (state := _state(progress)) else []
    room = height - len(lines) - len(last) - 3
    if room > 0:
        lines += [Text(), *_table(progress.hosts, room, width), Text()]
    # The last line matters most: where there is no room, those above it are left out.
    return [*lines[: max(0, height - len(last))], *last][:height]


def hosts_line(progress: SharedProgress) -> str:
    """The state of the run on one line."""
    each = ", ".join(
        f"{host.name} {'lost' if host.lost else format(host.begun, ',')}" for host in progress.hosts[:_MOST_NAMED]
    )
    more = f", and {len(progress.hosts) - _MOST_NAMED} more" if len(progress.hosts) > _MOST_NAMED else ""
    return f"{progress.elapsed_s:7.1f} s: {progress.begun:,} begun, {progress.ended:,} ended ({each}{more})"


def _rates(progress: SharedProgress) -> Iterator[Text]:
    known = [host.begun_per_s for host in progress.hosts if host.begun_per_s is not None]
    if known:
        yield counted(f"{amount(sum(known))}/s", "begun")
    else:
        yield Text("not known yet", style="dim")


def _counts(progress: SharedProgress) -> Iterator[Text]:
    unanswered = sum(host.unanswered for host in progress.hosts)
    for value, what in ((progress.begun, "begun"), (progress.ended, "ended"), (progress.in_flight, "in flight")):
        yield counted(f"{value:,}", what)
    if unanswered:
        yield counted(f"{unanswered:,}", "not answered", "red")


def _hosts(progress: SharedProgress) -> Iterator[Text]:
    lost = sum(host.lost is not None for host in progress.hosts)
    yield counted(f"{len(progress.hosts) - lost:,}", f"of {len(progress.hosts):,}")
    if lost:
        yield counted(f"{lost:,}", "lost", "red")


def _table(hosts: tuple[HostProgress, ...], room: int, width: int) -> Iterator[Text]:
    """A line for each host: those that are lost first, since they matter most."""
    ordered = sorted(hosts, key=lambda host: host.lost is None)
    shown = ordered if len(ordered) < room else ordered[: max(0, room - 2)]
    names = min(_LONGEST_NAME, max((len(host.name) for host in shown), default=0))
    fit = max(1, min(len(_HEADS), (width - names - 2) // _COLUMN))
    yield Text(f"  {'':<{names}}" + "".join(f"{head:>{_COLUMN}}" for head in _HEADS[:fit]), style="dim")
    for host in shown:
        line = Text(f"  {host.name[:names]:<{names}}", style="dim")
        if host.lost is not None:
            yield line.append(f"  lost: {host.lost}", "not dim red")
            continue
        rate = "-" if host.begun_per_s is None else amount(host.begun_per_s)
        counts = (host.begun, host.ended, host.in_flight, host.unanswered)
        cells = [rate, *(f"{count:,}" for count in counts)][:fit]
        yield line.append("".join(f"{cell:>{_COLUMN}}" for cell in cells), "not dim")
    if len(shown) < len(ordered):
        yield Text(f"  and {len(ordered) - len(shown):,} more hosts", style="dim")


def _state(progress: SharedProgress) -> str:
    """What is unusual about the state of the load, in words; "" if nothing is."""
    in_flight = f"{progress.in_flight:,} in flight"
    if progress.ending == "giving up":
        return f"giving up {in_flight}"
    if progress.ending == "draining":
        return f"draining: {in_flight}; press Ctrl-C again to give them up"
    timed_out = progress.planned_s is not None and progress.elapsed_s > progress.planned_s
    if progress.in_flight and (timed_out or progress.begun == progress.planned):
        return f"all have begun; waiting for {in_flight}"
    return ""
