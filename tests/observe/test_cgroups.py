"""Cgroups of version 2, whose files are written here as the kernel documents them: cgroup-v2.rst, kernel/cgroup/pids.c.

Of version 1, and of this machine's own, `test_limits_read.py` has a real one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.model.limits import GroupUse
from holdfast.observe.cgroups import MEMORY, TASKS, Resource, strictest_of, use_of
from holdfast.procfs.parse import CgroupMount

OUTER = {"pids.max": "50", "pids.current": "31", "pids.events": "max 9", "pids.events.local": "max 2"}
INNER = {"pids.max": "max", "pids.current": "4", "pids.events": "max 3", "pids.events.local": "max 3"}
OF_MEMORY = {
    "memory.max": "1048576",
    "memory.current": "1000000",
    "memory.events": "low 0\nhigh 0\nmax 7\noom 0\noom_kill 0",
    "memory.events.local": "low 0\nhigh 0\nmax 5\noom 0\noom_kill 0",
}


def tree(top: Path, **groups: dict[str, str]) -> None:
    """Cgroups one within the other, with these files."""
    directory = top
    for name, files in groups.items():
        directory = directory / name
        directory.mkdir()
        for file, text in files.items():
            (directory / file).write_text(f"{text}\n")


def use(top: Path, path: str, resource: Resource, root: str = "/") -> GroupUse | None:
    group = strictest_of({"": path, "name=systemd": "/x"}, [CgroupMount(2, (), root, str(top))], resource)
    return None if group is None else use_of(group, resource)


def test_the_strictest_one_counts_with_the_forks_that_it_refused_and_those_refused_within(tmp_path):
    tree(tmp_path, outer=OUTER, inner=INNER)

    assert use(tmp_path, "/outer/inner", TASKS) == GroupUse(31, 50, 3 + 2)


def test_without_events_of_its_own_those_of_the_process_count(tmp_path):
    # Before Linux 6.11 there is no pids.events.local.
    tree(tmp_path, outer={name: text for name, text in OUTER.items() if "local" not in name}, inner=INNER)

    assert use(tmp_path, "/outer/inner", TASKS) == GroupUse(31, 50, 3)


def test_a_cgroup_that_does_not_count_a_resource_leaves_it_to_the_one_around_it(tmp_path):
    # Its controller is not in the outer one's cgroup.subtree_control.
    tree(tmp_path, outer=OUTER, inner={"cgroup.procs": "1"})

    assert use(tmp_path, "/outer/inner", TASKS) == GroupUse(31, 50, 9)


def test_memory_that_was_asked_for_beyond_the_limit_is_counted(tmp_path):
    tree(tmp_path, outer=OF_MEMORY, inner={"memory.max": "max", "memory.current": "1"})

    assert use(tmp_path, "/outer/inner", MEMORY) == GroupUse(1_000_000, 1 << 20, 5)
    (tmp_path / "outer" / "memory.events.local").unlink()
    assert use(tmp_path, "/outer/inner", MEMORY) == GroupUse(1_000_000, 1 << 20, 7)


def test_in_a_container_the_way_ends_at_what_is_mounted(tmp_path):
    tree(tmp_path, outer=OUTER, inner=INNER)

    assert use(tmp_path / "outer", "/docker/4f", TASKS, root="/docker/4f") == GroupUse(31, 50, 9)
    assert use(tmp_path / "outer" / "inner", "/docker/4f/inner", TASKS, root="/docker/4f/inner") is None


@pytest.mark.parametrize("path", ["/", "/elsewhere", "/..", "/../beside"])
def test_a_process_that_is_in_none_of_what_is_mounted_has_no_limit(path, tmp_path):
    tree(tmp_path, outer=OUTER)

    assert use(tmp_path, path, TASKS, root="/docker") is None
    assert strictest_of({"": path}, [], TASKS) is None


def test_where_both_versions_are_mounted_the_one_with_the_controller_counts(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    tree(old, own={"pids.max": "70", "pids.current": "5", "pids.events": "max 1"})
    mounts = [CgroupMount(2, (), "/", str(new)), CgroupMount(1, ("rw", "pids"), "/", str(old))]

    group = strictest_of({"": "/", "pids": "/own"}, mounts, TASKS)

    assert group is not None
    assert use_of(group, TASKS) == GroupUse(5, 70, 1)
