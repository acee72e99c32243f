"""What follows from a record of silent clients."""

from __future__ import annotations

from dataclasses import fields, replace

from holdfast.infer.silent import judge_silent
from holdfast.model.silent import (
    OrdinaryRequest,
    Silence,
    SilenceFound,
    SilentConnection,
    SilentRecord,
    SilentRun,
    Timeout,
)

S = 1_000_000_000
MS = S // 1000
BEGAN = 100 * S
WATCHED_S = 6


def request(
    silent: int, took_s: float | None = 0.002, outcome: str = "answered", at_s: float = 0, status: int = 200
) -> OrdinaryRequest:
    """An ordinary request; one that took None has not ended."""
    opened = BEGAN + int(at_s * S)
    done = 0 if took_s is None else opened + int(took_s * S)
    return OrdinaryRequest(silent, opened, done, outcome if took_s is not None else "pending", status, 100)


def silent_one(
    ended_after_s: float | None = None, status: int = 0, left_s: float = WATCHED_S + 0.1
) -> SilentConnection:
    """One that the server ended after so long; else it left when all others did."""
    since = BEGAN - 10 * MS
    if ended_after_s is None:
        return SilentConnection(since - MS, since, 0, BEGAN + int(left_s * S), "", 0)
    return SilentConnection(since - MS, since, since + int(ended_after_s * S), 0, "closed", status)


def run(
    connections: tuple[SilentConnection, ...],
    requests: tuple[OrdinaryRequest, ...],
    decisive: int | None,
    silence: Silence = "nothing",
    fewer: int = 0,
) -> SilentRun:
    return SilentRun(
        silence=silence,
        most=500,
        limit_ns=250 * MS,
        usual=(request(0), request(0), request(0)),
        connections=connections,
        requests=requests,
        decisive=decisive,
        fewer=fewer,
        watched_from_ns=BEGAN,
        watched_to_ns=BEGAN + WATCHED_S * S,
    )


def judged(*runs: SilentRun, timeouts: tuple[Timeout, ...] = ()) -> SilenceFound:
    (found,) = judge_silent(SilentRecord("x", "1", ("x",), timeouts, runs)).silences
    return found


def test_a_request_that_is_answered_when_the_silent_one_is_ended_has_waited_for_that_long() -> None:
    found = judged(run((silent_one(4.0),), (request(1, 3.99),), 0))

    assert (found.connections, found.at_least) == (1, 1)
    assert (found.request_gets, found.waited_s) == ("waits", 3.99)
    assert (found.connection_gets, found.ended_after_s) == ("closed", 4.0)
    assert found.usual_ms == 2.0


def test_one_that_is_answered_only_once_they_had_left_has_no_time() -> None:
    waited = request(1, WATCHED_S + 0.2)
    left = replace(run((silent_one(),), (waited,), 0), left=(request(0, at_s=WATCHED_S + 0.1),))
    found = judged(left)

    assert found.waited_s is None
    assert found.unknown["waited_s"] == "not answered within 6.0 s"
    assert found.answered_once_they_left is True
    assert found.ended_after_s is None
    assert found.unknown["ended_after_s"].startswith("the server had not ended it after 6.0 s")


def test_one_that_is_turned_away_waits_until_the_next_that_is_answered() -> None:
    requests = (
        request(49),
        request(50, 0.001, "rejected", 0.5, 503),
        request(50, 0.001, "rejected", 1.0, 503),
        request(3, 0.001, "answered", 1.5),
    )
    found = judged(run((silent_one(1.4),), requests, 1, fewer=49))

    assert (found.connections, found.request_gets, found.waited_s) == (50, "503", 1.0)


def test_where_several_were_opened_together_the_number_is_an_interval() -> None:
    found = judged(run((silent_one(),) * 102, (request(97), request(102, None)), 1, fewer=97))

    assert (found.at_least, found.connections) == (98, 102)


def test_it_is_chance_unless_all_wait_in_the_one_queue_of_several_workers() -> None:
    waits = run((silent_one(5.0),), (request(7, 4.9),), 0)
    answered, waited = request(7, 0.002), request(7, 4.9)

    assert judged(waits).by_chance is None
    assert judged(replace(waits, others=(answered, waited), queued=2)).by_chance is True
    assert judged(replace(waits, others=(waited, waited), queued=0)).by_chance is True
    assert judged(replace(waits, others=(waited, waited), queued=None)).by_chance is True
    assert judged(replace(waits, others=(waited, request(7, None)), queued=3)).by_chance is False


def test_where_none_waits_the_number_tried_is_the_reason() -> None:
    found = judged(run((silent_one(),) * 500, (request(100), request(500)), None, fewer=500))

    assert (found.connections, found.tried, found.request_gets) == (None, 500, None)
    assert "with 500 of them" in found.unknown["connections"]


def test_a_server_that_closes_at_once_keeps_none_open() -> None:
    found = judged(run((silent_one(0.001),) * 8, (request(0),) * 8, None, "idle"))

    assert found.unknown["connections"] == "the server keeps none of these connections open"
    assert found.unknown["ended_by"] == "no connection stayed open"


def test_the_one_that_counts_is_not_one_that_we_made_leave_before() -> None:
    found = judged(run((silent_one(left_s=-0.001), silent_one(2.0, 408)), (request(1, 2.0),), 0))

    assert (found.connection_gets, found.ended_after_s) == ("408", 2.0)


def test_the_one_that_counts_had_not_ended_before_it_was_looked_at() -> None:
    found = judged(run((silent_one(0.005), silent_one(2.0, 408)), (request(1, 2.0),), 0))

    assert (found.connection_gets, found.ended_after_s) == ("408", 2.0)


TEN = Timeout("timeout", 10, ("nothing",))
FOUR = Timeout("socket-timeout", 4, ("nothing",))


def test_a_time_out_of_that_length_fits_and_any_other_is_ruled_out() -> None:
    found = judged(run((silent_one(4.0),), (request(1, 3.99),), 0), timeouts=(TEN, FOUR))

    assert found.ended_by is not None
    assert (found.ended_by.setting, found.ended_by.seconds, found.ended_by.proved) == ("socket-timeout", 4, None)


def test_two_that_fit_are_undecided() -> None:
    found = judged(run((silent_one(4.0),), (request(1, 3.99),), 0), timeouts=(FOUR, replace(FOUR, name="read")))

    assert found.ended_by is None
    assert found.unknown["ended_by"] == "undecided: socket-timeout or read"


def test_a_time_out_whose_change_moves_the_end_is_proved() -> None:
    changed = replace(run((silent_one(2.1),), (request(1, 2.0),), 0), changed=("socket-timeout", 2.0))
    found = judged(
        run((silent_one(4.0),), (request(1, 3.99),), 0), changed, timeouts=(FOUR, replace(FOUR, name="read"))
    )

    assert found.ended_by is not None
    assert (found.ended_by.setting, found.ended_by.proved) == ("socket-timeout", True)
    assert (found.ended_by.changed_to_s, found.ended_by.then_s) == (2.0, 2.1)


def test_a_time_out_longer_than_the_look_is_proved_by_a_shorter_one() -> None:
    changed = replace(run((silent_one(2.1),), (request(1, 2.0),), 0), changed=("timeout", 2.0))
    found = judged(run((silent_one(),), (request(1, None),), 0), changed, timeouts=(TEN,))

    assert found.ended_by is not None
    assert (found.ended_by.setting, found.ended_by.seconds, found.ended_by.proved) == ("timeout", 10, True)
    assert found.waited_s is None


def test_a_time_out_whose_change_moves_nothing_is_not_named() -> None:
    changed = replace(run((silent_one(4.0),), (request(1, 4.0),), 0), changed=("socket-timeout", 2.0))
    found = judged(run((silent_one(4.0),), (request(1, 3.99),), 0), changed, timeouts=(FOUR,))

    assert found.ended_by is None
    assert found.unknown["ended_by"] == "it took 4.0 s, and that is not socket-timeout (4 s; 2 s did not either)"


def test_one_that_is_not_set_is_named_where_it_would_end_the_silence() -> None:
    changed = replace(run((silent_one(2.1),), (request(1, 2.0),), 0), changed=("read", 2.0))
    found = judged(
        run((silent_one(),), (request(1, None),), 0), changed, timeouts=(Timeout("read", None, ("nothing",)),)
    )

    assert found.ended_by is None
    assert found.would_end is not None
    assert (found.would_end.setting, found.would_end.seconds, found.would_end.then_s) == ("read", None, 2.1)


def test_an_end_that_hardly_moves_proves_nothing() -> None:
    three = Timeout("three", 3, ("nothing",))
    changed = replace(run((silent_one(3.0),), (request(1, 3.0),), 0), changed=("three", 2.0))
    found = judged(run((silent_one(3.1),), (request(1, 3.1),), 0), changed, timeouts=(three,))

    assert found.ended_by is None


def test_where_nothing_ended_it_the_reason_names_what_is_said_to() -> None:
    found = judged(run((silent_one(),), (request(1, None),), 0), timeouts=(Timeout("channel", 120, ("nothing",)),))

    assert found.ended_by is None
    assert found.unknown["ended_by"].endswith("said to do so: channel (120 s)")


def test_every_null_has_a_reason_and_nothing_else_has_one() -> None:
    waited = run((silent_one(4.0, 408),), (request(1, 3.99),), 0)
    still = replace(run((silent_one(),), (request(1, None),), 0), left=(request(0, at_s=WATCHED_S + 0.1),))
    nothing = replace(run((), (), None), usual=(), given_up="The server ended.", watched_to_ns=0)

    for each in (waited, still, nothing, run((silent_one(),), (request(500),), None)):
        found = judged(each, timeouts=(FOUR,))
        nulls = {name.name for name in fields(found) if getattr(found, name.name) is None}
        assert found.unknown.keys() == nulls
        assert all(found.unknown.values())


def test_what_a_run_could_not_finish_is_said() -> None:
    broken = replace(run((), (), None), given_up="The server ended in the middle of the run.", watched_to_ns=0)

    assert judged(broken).unknown["connections"] == "The server ended in the middle of the run."
