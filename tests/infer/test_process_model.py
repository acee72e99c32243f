"""The process model from recorder rows of servers whose model is known by construction."""

from records import entry, on_thread

from holdfast.infer.process_model import model_of
from holdfast.infer.signals import NOT_LOOKED_AT
from holdfast.model.timeline import Outlived
from holdfast.model.verdict import Model

LATER = 10_000_000


def judged(held, after):
    return model_of([*(held), *after], held)


def held_then_left(rows):
    return [row.__class__(**{f: getattr(row, f) for f in row.__slots__} | {"left_ns": 900_000}) for row in rows]


def test_one_thread_one_process_is_serial():
    held = held_then_left([on_thread(0, tid=10, seq=1)])
    after = [on_thread(n, tid=10, seq=n + 1, entered_ns=LATER + n) for n in range(1, 9)]

    model, unknown = judged(held, after)

    assert (model.kind, model.processes, model.threads_per_process) == ("serial", 1, 1)
    assert (model.threads_reused, model.processes_reused, model.globals_shared) == (True, True, True)
    assert unknown.keys() == {"model.handler_threads_reused"}


def test_fresh_threads_are_thread_per_request_though_the_kernel_recycles_their_ids():
    held = held_then_left([on_thread(n, tid=100 + n, seq=1) for n in range(5)])
    after = [on_thread(5 + n, tid=100, seq=1, entered_ns=LATER + n) for n in range(8)]

    model, _ = judged(held, after)

    assert (model.kind, model.threads_reused, model.processes_reused) == ("thread-per-request", False, True)
    assert model.threads_per_process == 5


def test_threads_that_count_on_are_a_pool():
    held = held_then_left([on_thread(n, tid=100 + n, seq=1) for n in range(4)])
    after = [on_thread(4 + n, tid=100 + n % 4, seq=2, entered_ns=LATER + n) for n in range(8)]

    model, _ = judged(held, after)

    assert (model.kind, model.threads_per_process, model.spread) == ("thread-pool", 4, (4,))


def test_threads_behind_a_loop_that_accepts_are_so_only_in_the_process_of_that_loop():
    held = held_then_left([on_thread(n, tid=100 + n, seq=1) for n in range(4)])
    after = [on_thread(4 + n, tid=100 + n % 4, seq=2, entered_ns=LATER + n) for n in range(8)]
    (pid,) = {each.pid for each in held}

    kinds = [model_of([*held, *after], held, loops=(each,)).value.kind for each in (pid, pid + 1)]

    assert kinds == ["event-loop+thread-pool", "thread-pool"]


def test_a_forked_child_for_each_request_shares_no_globals():
    held = held_then_left([on_thread(n, tid=50 + n, seq=1, pid=50 + n, process_seq=1, globals_seq=1) for n in range(3)])
    after = [
        on_thread(3 + n, tid=60 + n, seq=1, pid=60 + n, process_seq=1, globals_seq=1, entered_ns=LATER + n)
        for n in range(8)
    ]

    model, _ = judged(held, after)

    assert (model.kind, model.processes, model.spread) == ("process-per-request", 3, (1, 1, 1))
    assert (model.threads_reused, model.processes_reused, model.globals_shared) == (False, False, False)


def test_workers_that_serve_again_are_a_process_pool_and_an_idle_one_shows_in_the_spread():
    held = held_then_left([on_thread(n, tid=50 + n, seq=1, pid=50 + n, process_seq=1, globals_seq=1) for n in range(2)])
    after = [
        on_thread(2 + n, tid=50 + n % 3, seq=2, pid=50 + n % 3, process_seq=2, globals_seq=2, entered_ns=LATER + n)
        for n in range(8)
    ]

    model, _ = judged(held, after)

    assert (model.kind, model.processes, model.spread) == ("process-pool", 3, (1, 1, 0))


def test_workers_whose_threads_run_one_after_another_are_thread_pools():
    held = held_then_left([on_thread(n, tid=50 + n, seq=1, pid=50 + n, process_seq=1, globals_seq=1) for n in range(2)])
    after = [
        on_thread(2 + n, tid=60 + n % 4, seq=1 + n // 4, pid=50 + n % 2, process_seq=2, globals_seq=2, entered_ns=LATER)
        for n in range(8)
    ]

    model, _ = judged(held, after)

    assert (model.kind, model.processes, model.threads_reused) == ("thread-pool", 2, True)


def test_handlers_on_the_loops_own_thread_are_an_event_loop_even_if_one_blocks_it():
    held = held_then_left([on_thread(0, tid=10, seq=1, loop=True, entry_loop=True)])
    after = [on_thread(n, tid=10, seq=n + 1, loop=True, entry_loop=True, entered_ns=LATER + n) for n in range(1, 9)]

    model, _ = judged(held, after)

    assert model.kind == "event-loop"


def test_a_loop_that_hands_over_to_threads_is_both():
    rows = [
        entry(n, tid=100 + n, entry_tid=10, entry_loop=True, entry_thread_seq=n + 1, thread_seq=1) for n in range(4)
    ]
    held = held_then_left(rows)
    after = [
        entry(4 + n, tid=100, entry_tid=10, entry_loop=True, entry_thread_seq=9 + n, thread_seq=2, entered_ns=LATER + n)
        for n in range(8)
    ]

    model, _ = judged(held, after)

    assert (model.kind, model.threads_reused, model.threads_per_process) == ("event-loop+thread-pool", True, 4)


def test_a_loop_that_makes_a_thread_for_each_handler_is_thread_per_request():
    def rows(first, count, entered_ns):
        return [
            entry(
                n,
                tid=100 + n,
                entry_tid=10,
                entry_loop=True,
                entry_thread_seq=n + 1,
                thread_seq=1,
                entered_ns=entered_ns + n,
            )
            for n in range(first, first + count)
        ]

    model, _ = judged(held_then_left(rows(0, 4, 1)), rows(4, 8, LATER))
    unseen, unknown = judged(held_then_left(rows(0, 4, 1)), [])

    assert (model.kind, model.threads_reused, model.threads_per_process) == ("thread-per-request", False, 4)
    assert unseen.kind is None
    assert "model.kind" in unknown


def test_many_at_once_on_one_thread_without_a_loop_are_greenlets():
    held = held_then_left([on_thread(n, tid=10, seq=n + 1) for n in range(5)])

    model, _ = judged(held, [])

    assert model.kind == "greenlets"


def test_fresh_executors_behind_pooled_server_threads_are_told_apart():
    rows = [entry(n, tid=200 + n, entry_tid=100 + n, thread_seq=1, entry_thread_seq=1, loop=True) for n in range(2)]
    held = held_then_left(rows)
    after = [
        entry(2 + n, tid=300 + n, entry_tid=100, thread_seq=1, entry_thread_seq=2 + n, loop=True, entered_ns=LATER + n)
        for n in range(8)
    ]

    model, _ = judged(held, after)

    assert (model.kind, model.threads_reused, model.handler_threads_reused) == ("thread-pool", True, False)


def test_a_run_that_was_cut_short_when_all_were_held_does_not_show_that_threads_are_fresh():
    # Of a larger pool it is chance that none of them ran on the thread of the first request.
    first = [on_thread(9, tid=99, seq=1, left_ns=60)]
    held = [on_thread(n, tid=100 + n, seq=1, process_seq=n + 2) for n in range(4)]

    model, unknown = model_of([*first, *held], held, outlived=NOT_LOOKED_AT)

    assert (model.kind, model.threads_reused, model.processes_reused) == (None, None, True)
    assert {"model.kind", "model.threads_reused"} <= unknown.keys()


def test_a_worker_that_came_in_the_place_of_another_makes_no_pool():
    # The first one ended after its number of requests, before the places were counted.
    before = [on_thread(n, tid=50, seq=n + 1, pid=5, process_seq=n + 1, left_ns=60) for n in range(3)]
    held = held_then_left([on_thread(3, tid=100, seq=1, pid=10)])
    after = [on_thread(4, tid=100, seq=2, pid=10, process_seq=2, entered_ns=LATER)]

    model, _ = model_of([*before, *held, *after], held, late={5})

    assert (model.kind, model.processes, model.processes_reused) == ("serial", 1, True)


def test_without_later_requests_reuse_is_not_known_and_says_so():
    model, unknown = judged([on_thread(0, tid=10, seq=1)], [])

    assert (model.kind, model.threads_reused, model.processes_reused) == (None, None, None)
    assert {"model.kind", "model.threads_reused", "model.processes_reused", "model.globals_shared"} <= unknown.keys()


def test_a_pool_of_which_most_threads_are_idle_is_not_taken_for_fresh_threads():
    held = held_then_left([on_thread(n, tid=100 + n, seq=1) for n in range(3)])
    after = [on_thread(3 + n, tid=200 + n, seq=1, entered_ns=LATER + n) for n in range(8)]
    lives_on = Outlived(process=True, entry_thread=True, thread=True)

    model, unknown = model_of([*held, *after], held, outlived=lives_on)

    assert (model.kind, model.threads_reused, model.processes_reused) == (None, None, True)
    assert {"model.kind", "model.threads_reused"} <= unknown.keys()


def test_a_thread_that_counts_anew_each_time_is_reused_if_it_was_there_throughout():
    # What a server in C or Rust calls Python from: to Python it is a new thread each time (PyGILState_Release).
    held = held_then_left([on_thread(n, tid=100 + n, seq=1) for n in range(3)])
    after = [on_thread(3 + n, tid=100 + n % 3, seq=1, entered_ns=LATER + n) for n in range(8)]
    lives_on = Outlived(process=True, entry_thread=True, thread=True)

    model, unknown = model_of([*held, *after], held, outlived=lives_on)

    assert (model.kind, model.threads_reused, model.threads_per_process) == ("thread-pool", True, 3)
    assert "model.kind" not in unknown


def test_fresh_threads_of_a_process_that_lives_on_are_thread_per_request():
    held = held_then_left([on_thread(n, tid=100 + n, seq=1) for n in range(3)])
    after = [on_thread(3 + n, tid=200 + n, seq=1, entered_ns=LATER + n) for n in range(8)]
    ended = Outlived(process=True, entry_thread=False, thread=False)

    model, _ = model_of([*held, *after], held, outlived=ended)

    assert (model.kind, model.threads_reused) == ("thread-per-request", False)


def test_without_a_handler_in_service_nothing_is_known_and_each_null_says_why():
    model, unknown = model_of([on_thread(0, tid=10, seq=1)], [])

    assert model == Model.unknown()
    assert "model.kind" in unknown
    assert set(unknown.values()) == {"no handler was running when the places were counted"}
