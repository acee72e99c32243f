"""Which limits a server came close to, and which of them it certainly met."""

from __future__ import annotations

from dataclasses import replace

import pytest
from records import entry, request, snapshot, socket, timeline

from holdfast.infer.judge import judge
from holdfast.infer.pressure import limits_met, pressure_of
from holdfast.model.limits import GroupUse, LimitLook, OtherLimits, OwnLimit, Pressure, ProcessUse
from holdfast.model.timeline import Timeline

MIB = 1 << 20
PID = 10
AT_REST = ProcessUse(PID, 1, 6, 256, 64, 50 * MIB, None, 8 * MIB)
LOOK = LimitLook(1, (AT_REST,), None, None, None, None, 200, 192_731, 32_768)


def seen(process: ProcessUse, held: int = 10, log: str = "", **changed: object) -> tuple[Pressure, ...]:
    """The pressure where one process ended up like that."""
    looks = (LOOK, replace(LOOK, processes=(process,), **changed))  # type: ignore[arg-type]
    return of_looks(looks, held, log)


def of_looks(looks: tuple[LimitLook, ...], held: int = 10, log: str = "") -> tuple[Pressure, ...]:
    record = replace(timeline([], [], snapshot()), limit_looks=looks, server_log=log)
    found = pressure_of(record, [entry(id, pid=PID) for id in range(held)]).value
    assert found is not None
    return found


def named(name: str, found: tuple[Pressure, ...]) -> Pressure:
    return next(each for each in found if each.name == name)


@pytest.mark.parametrize(
    ("descriptors", "table", "held", "hit"),
    [
        (256, 256, 250, True),
        # Each takes one, and one is left.
        (255, 256, 249, None),
        # Each takes four, and three are left.
        (253, 256, 61, True),
        (252, 256, 61, None),
        # Its table never had room for as many as the limit allows, so none was refused.
        (100, 128, 94, False),
        # It had: whether all were in use at some instant cannot be told.
        (100, 256, 94, None),
    ],
)
def test_descriptors_are_used_up_where_no_request_more_would_fit(descriptors, table, held, hit):
    found = seen(replace(AT_REST, descriptors=descriptors, table_size=table), held)

    assert named("nofile", found) == Pressure("nofile", descriptors, 256, 6, hit)


@pytest.mark.parametrize(
    ("log", "descriptors", "hit"),
    [
        ("OSError: [Errno 24] Too many open files", 255, True),
        # More than half of them are in use: the rest may have been, for a moment.
        ("OSError: [Errno 24] Too many open files", 129, True),
        ("OSError: [Errno 24] Too many open files", 128, None),
        # Said of something else, long before.
        ("OSError: [Errno 24] Too many open files", 20, None),
        ("OSError: [Errno 23] Too many open files in system", 255, None),
    ],
)
def test_a_server_that_says_so_has_run_out_of_descriptors(log, descriptors, hit):
    found = seen(replace(AT_REST, descriptors=descriptors, table_size=256), descriptors - 6, log)

    assert named("nofile", found).hit is hit


def test_the_process_nearest_to_its_limit_counts():
    idle, busy = replace(AT_REST, pid=11, descriptors=900, nofile=20_000), replace(AT_REST, descriptors=256)

    found = of_looks((LOOK, replace(LOOK, processes=(idle, busy))), held=250)

    assert named("nofile", found) == Pressure("nofile", 256, 256, 6, hit=True)


@pytest.mark.parametrize(("used", "hit"), [(80, True), (79, None), (81, True)])
def test_threads_of_the_user_are_at_their_limit_where_they_are_as_many(used, hit):
    found = seen(AT_REST, nproc=80, user_tasks=used)

    assert named("nproc", found) == Pressure("nproc", used, 80, None, hit)


@pytest.mark.parametrize(("threads_max", "limit", "hit"), [(192_731, 32_768, None), (1_000, 1_000, True)])
def test_threads_of_the_machine_end_at_the_lower_of_its_two_limits(threads_max, limit, hit):
    looks = (LOOK, replace(LOOK, machine_threads=1_000, threads_max=threads_max))

    assert named("threads-max", of_looks(looks)) == Pressure("threads-max", 1_000, limit, 200, hit)


@pytest.mark.parametrize(
    ("before", "after", "hit"),
    [
        (GroupUse(20, 100, 3), GroupUse(60, 100, 3), False),
        (GroupUse(20, 100, 3), GroupUse(60, 100, 4), True),
        (GroupUse(20, 100, None), GroupUse(60, 100, None), None),
        (GroupUse(20, 100, None), GroupUse(100, 100, None), True),
    ],
)
@pytest.mark.parametrize(("name", "field"), [("pids.max", "tasks"), ("memory.max", "memory")])
def test_a_cgroup_has_met_its_limit_where_the_kernel_counted_so(name, field, before, after, hit):
    looks = (replace(LOOK, **{field: before}), replace(LOOK, **{field: after}))

    assert named(name, of_looks(looks)) == Pressure(name, after.used, 100, 20, hit)


@pytest.mark.parametrize(
    ("threads", "used", "hit"),
    [
        (31, 295, True),  # 30 threads more, and less than the ninth part of a stack left
        (31, 291, None),  # another one fits
        (1, 299, None),  # none was started, so none was refused for want of a stack
        (100, 299, None),  # their stacks are smaller than the usual ones
    ],
)
def test_an_address_space_is_full_where_no_stack_of_a_thread_fits(threads, used, hit):
    full = replace(AT_REST, threads=threads, virtual_bytes=used * MIB, address_space=299 * MIB + 1)

    found = named("address space", seen(full))

    assert found == Pressure("address space", used * MIB, 299 * MIB + 1, 50 * MIB, hit)


@pytest.mark.parametrize(("used", "hit"), [(400, None), (32_467, None), (32_468, True), (40_000, True)])
def test_ids_of_threads_run_out_before_the_first_ones_are_given_out_again(used, hit):
    # kernel/pid.c: ids below RESERVED_PIDS, 300, are not given out again.
    assert named("threads-max", seen(AT_REST, machine_threads=used)) == Pressure("threads-max", used, 32_768, 200, hit)


def test_a_limit_that_is_not_there_is_left_out():
    unlimited = replace(AT_REST, nofile=None)
    nothing = replace(LOOK, processes=(unlimited,), machine_threads=None)

    assert of_looks((nothing, nothing)) == ()


@pytest.mark.parametrize(
    ("others", "why"),
    [(None, "saved before"), (OtherLimits(None, None, None, None), "could not be read")],
)
def test_without_looks_it_is_null_with_the_reason(others, why):
    record = timeline([], [], snapshot())
    record = replace(record, server=replace(record.server, other_limits=others))

    found = pressure_of(record, [])

    assert found.value is None
    assert why in found.unknown["pressure"]


def full_to_the_end(**changed: object) -> Timeline:
    """Process 10 took three requests and no more, and was gone in the end; another one waits."""
    requests = [request(id) for id in range(4)]
    sockets = [socket(id, accepted=id < 3) for id in range(4)]
    record = timeline(requests, [entry(id) for id in range(3)], snapshot(*sockets, depth=1))
    return replace(record, **{"replaced": (PID,)} | changed)


def test_a_process_that_ends_after_it_met_a_limit_is_not_one_that_is_replaced_after_a_number_of_requests():
    looks = (LOOK, replace(LOOK, nproc=80, user_tasks=80))

    verdict = judge(full_to_the_end(limit_looks=looks))

    assert verdict.ceiling.in_service == 3
    assert limits_met(verdict.pressure) == ("nproc",)
    assert any("met a limit (nproc)" in each for each in verdict.warnings)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (OwnLimit("nofile", 4096, 256, 12, "shop"), ("nofile 4096", "256 is in force", "process 12 (shop)")),
        (OwnLimit("address space", 1 << 30, None, 12, ""), ("address space 1G", "no limit is in force", "process 12.")),
    ],
)
def test_a_limit_that_the_server_sets_itself_is_told(own, said):
    record = full_to_the_end(replaced=())
    record = replace(record, replaced=(), server=replace(record.server, own_limits=(own,)))

    told = judge(record).warnings[0]

    assert all(each in told for each in said)
