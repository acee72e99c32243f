"""Limits in force and limits that were reached, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.model.limits import ADDRESS_SPACE, MEMORY_MAX, NOFILE, NPROC, PIDS_MAX, THREADS_MAX, Pressure
from holdfast.model.sizes import shown_size
from holdfast.model.verdict import Limits

_OF_MEMORY = frozenset({ADDRESS_SPACE, MEMORY_MAX})
_NAMES = {
    "nofile": NOFILE,
    "nproc": NPROC,
    "somaxconn": "somaxconn",
    "address_space": ADDRESS_SPACE,
    "pids_max": PIDS_MAX,
    "threads_max": THREADS_MAX,
    "memory_max": MEMORY_MAX,
}


def in_force(limits: Limits) -> str:
    """The usual limits, and of the others those that a machine does not have without being told to."""
    nproc = limits.nproc
    shown = [f"{NOFILE} {_or_none(limits.nofile)}", f"{NPROC} {_or_none(nproc)}", f"somaxconn {limits.somaxconn}"]
    if limits.address_space is not None:
        shown.append(f"{ADDRESS_SPACE} {shown_size(limits.address_space)}")
    # systemd gives every service one, far above what it needs; where it is the stricter one it is worth a word.
    if limits.pids_max is not None and (nproc is None or limits.pids_max < nproc):
        shown.append(f"{PIDS_MAX} {limits.pids_max}")
    if limits.memory_max is not None:
        shown.append(f"{MEMORY_MAX} {shown_size(limits.memory_max)}")
    return f"Limits: {', '.join(shown)}."


def all_in_force(limits: Limits) -> str:
    """Every limit that is known, under the names that explanations use too; "" where none is."""
    found = ((name, getattr(limits, field)) for field, name in _NAMES.items())
    return ", ".join(f"{name} {_amount(name, value)}" for name, value in found if value is not None)


def reached(pressure: Sequence[Pressure]) -> Iterator[str]:
    """The limits that the server met."""
    met = [each for each in pressure if each.hit]
    if met:
        words = (f"{each.name} ({_amount(each.name, each.used)} of {_amount(each.name, each.limit)})" for each in met)
        yield f"Reached: {', '.join(words)}."


def _amount(name: str, number: int) -> str:
    return shown_size(number) if name in _OF_MEMORY else str(number)


def _or_none(number: int | None) -> str:
    return "unlimited" if number is None else str(number)
