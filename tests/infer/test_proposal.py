"""Settings that are proposed: they allow what is wanted, by the law, within the memory, and raise what would be met."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.infer.laws import Law, size
from holdfast.infer.proposal import memory_model, most_that_fits, proposed
from holdfast.model.places import Place
from holdfast.model.trial import Change, Rival, Trial

MIB = 1 << 20
THREADS = Law(Place.IN_SERVICE, ("workers",), "threads")
RIVALS = (
    Rival("workers", Place.IN_SERVICE, "processes", 2),
    Rival("threads", Place.IN_SERVICE, "places", 8),
    Rival("connections", Place.USERSPACE_QUEUE, "places", 1000),
    Rival("nofile", Place.IN_SERVICE, "share", 1024, most=4096),
)
VALUES = {"workers": 2, "threads": 8, "connections": 1000, "nofile": 1024}


def trial(processes: int, in_service: int, *, shared: int = 10, each: int = 25, request_kib: int = 100) -> Trial:
    """A server of so many processes, whose memory is known in advance."""
    rest = (shared + each * processes) * MIB
    values = tuple(Change(name, value) for name, value in (VALUES | {"workers": processes}).items())
    return Trial(
        1,
        "",
        (),
        values,
        100,
        in_service=in_service,
        bounded=True,
        processes=processes,
        rest_bytes=rest,
        full_bytes=rest + in_service * request_kib * 1024,
    )


def test_memory_is_told_apart_into_what_is_shared_what_a_process_and_what_a_request_takes() -> None:
    model = memory_model([trial(2, 16), trial(3, 24)])

    assert model is not None
    assert (model.shared, model.each_process, model.each_request) == (10 * MIB, 25 * MIB, 100 * 1024)


def test_where_memory_could_not_be_read_none_is_claimed() -> None:
    assert memory_model([Trial(1, "", (), (), 100, in_service=4, processes=1)]) is None


def test_processes_stay_as_they_are_where_threads_suffice() -> None:
    settings = proposed(THREADS, RIVALS, [trial(2, 16)], 64, None)

    assert settings is not None
    assert settings.changes == (Change("threads", 32),)


def test_a_limit_that_would_be_met_on_the_way_is_raised_along() -> None:
    settings = proposed(THREADS, RIVALS, [trial(2, 16)], 3000, None)

    assert settings is not None
    assert {each.name: each.value for each in settings.changes} == {
        "threads": 1500,
        "connections": 1500 + 64,
        "nofile": 1500 + 64,
    }


def test_more_processes_share_what_one_process_may_not_have() -> None:
    settings = proposed(THREADS, RIVALS, [trial(2, 16)], 10_000, None)

    # Each process may have 4,096 descriptors at most.
    assert settings is not None
    assert {each.name: each.value for each in settings.changes}["workers"] == 4


def test_what_does_not_fit_into_the_memory_is_not_proposed() -> None:
    trials = [trial(2, 16), trial(3, 24)]

    assert proposed(THREADS, RIVALS, trials, 5000, 200 * MIB) is None
    fits = most_that_fits(THREADS, RIVALS, trials, 200 * MIB)
    # (200 x 0.95 - 10 - 2 x 25) MiB for requests of 100 KiB.
    assert fits == int((200 * 0.95 - 60) * 1024 / 100)


@given(
    workers=st.integers(1, 6),
    threads=st.integers(1, 50),
    wanted=st.integers(1, 5000),
    limit=st.integers(100, 4000),
)
def test_what_is_proposed_allows_what_is_wanted_and_fits(workers: int, threads: int, wanted: int, limit: int) -> None:
    first = trial(workers, workers * threads)
    values = {each.name: each.value for each in first.values} | {"threads": threads}
    first = Trial(
        **{name: getattr(first, name) for name in Trial.__dataclass_fields__}
        | {"values": tuple(Change(name, value) for name, value in values.items())}
    )

    settings = proposed(THREADS, RIVALS, [first], wanted, limit * MIB)

    if settings is None:
        return
    now = values | {each.name: each.value for each in settings.changes}
    allowed = size(THREADS, now)
    assert allowed is not None
    assert allowed >= wanted
    assert settings.memory_bytes is not None
    assert settings.memory_bytes <= limit * MIB
    assert now["nofile"] >= wanted // now["workers"]
