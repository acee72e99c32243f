"""The cgroups around a process, of either version: what they limit, how much of it is used, how often it was met."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from holdfast.model.frozen import frozen
from holdfast.model.limits import GroupUse
from holdfast.procfs import parse
from holdfast.procfs.parse import CgroupMount
from holdfast.procfs.read import read_as


@frozen
class Resource:
    """A controller of cgroups: its name, and its files in version 1 and 2."""

    name: str
    limit: tuple[str, str]
    used: tuple[str, str]


# Documentation/admin-guide/cgroup-v1/{pids,memory}.rst and cgroup-v2.rst.
TASKS = Resource("pids", ("pids.max", "pids.max"), ("pids.current", "pids.current"))
MEMORY = Resource("memory", ("memory.limit_in_bytes", "memory.max"), ("memory.usage_in_bytes", "memory.current"))


@frozen
class Group:
    """The strictest cgroup around a process.

    Attributes:
        own: the directory of the innermost cgroup around the process that counts the resource.
    """

    version: int
    directory: str
    own: str
    limit: int


def strictest(pid: int, resource: Resource) -> Group | None:
    """The strictest cgroup around a process; None where none limits it, or none can be read."""
    groups = read_as(parse.cgroups, f"/proc/{pid}/cgroup") or {}
    return strictest_of(groups, read_as(parse.cgroup_mounts, "/proc/self/mountinfo") or (), resource)


def strictest_of(groups: Mapping[str, str], mounts: Iterable[CgroupMount], resource: Resource) -> Group | None:
    """The same on the way from a process's own cgroup to the root, as far as that is mounted; None without a limit.

    Args:
        groups: of the process, as `parse.cgroups` has them.
    """
    found = _way(groups, mounts, resource)
    if found is None:
        return None
    version, way = found
    limits = {each: read_as(parse.group_limit, os.path.join(each, resource.limit[version - 1])) for each in way}
    limited = [Group(version, each, way[0], limit) for each, limit in limits.items() if limit is not None]
    return min(limited, key=lambda each: each.limit, default=None)


def _way(
    groups: Mapping[str, str], mounts: Iterable[CgroupMount], resource: Resource
) -> tuple[int, tuple[str, ...]] | None:
    """The version of the hierarchy that counts a resource, and its directories around a process, innermost first.

    None where it is not mounted here, or the process is outside of what is.
    """
    for mount in mounts:
        path = groups.get("" if mount.version == 2 else resource.name)
        if path is None or (mount.version == 1 and resource.name not in mount.controllers):
            continue
        below = os.path.relpath(path, mount.root)
        if below.split(os.sep)[0] == os.pardir:
            continue
        own = os.path.normpath(os.path.join(mount.path, below))
        # In version 2 a cgroup need not count what the one around it does; and where both versions are mounted, only
        # one of them has the controller.
        file = resource.limit[mount.version - 1]
        if way := tuple(each for each in _upwards(own, mount.path) if os.path.exists(os.path.join(each, file))):
            return mount.version, way
    return None


def _upwards(directory: str, top: str) -> Iterator[str]:
    yield directory
    while directory not in {top, os.sep}:
        directory = os.path.dirname(directory)
        yield directory


def use_of(group: Group, resource: Resource) -> GroupUse | None:
    """How much of its limit a cgroup uses now; None where it is gone."""
    used = read_as(parse.single_number, os.path.join(group.directory, resource.used[group.version - 1]))
    refusals = _refused_tasks(group) if resource == TASKS else _refused_memory(group)
    return None if used is None else GroupUse(used, group.limit, refusals)


def _refused_tasks(group: Group) -> int | None:
    """How many forks the limit refused (kernel/cgroup/pids.c).

    `pids.events` of a cgroup counts forks of its own processes that any limit around them refused; since Linux 6.11, in
    version 2, what the limits of itself and below it refused, and `pids.events.local` what its own did.
    """
    counts = [read_as(_MET, os.path.join(group.own, "pids.events"))]
    if group.own != group.directory and group.version == 2:
        counts.append(read_as(_MET, os.path.join(group.directory, "pids.events.local")))
    known = [each for each in counts if each is not None]
    return sum(known) if known else None


def _refused_memory(group: Group) -> int | None:
    """How often memory was asked for beyond the limit (cgroup-v1/memory.rst, cgroup-v2.rst)."""
    if group.version == 1:
        return read_as(parse.single_number, os.path.join(group.directory, "memory.failcnt"))
    # Without what happened in the cgroups below, where the kernel tells it (Linux 5.2).
    counts = (read_as(_MET, os.path.join(group.directory, f"memory.events{each}")) for each in (".local", ""))
    return next((each for each in counts if each is not None), None)


_MET = partial(parse.event_count, name=b"max")
