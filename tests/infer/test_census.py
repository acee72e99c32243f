"""Every offered request is in exactly one place, whatever the three witnesses say."""

import dataclasses

import msgspec
import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st
from records import AT, entry, request, snapshot, socket, timeline

from holdfast.errors import InconclusiveError
from holdfast.infer.census import before_handshake, count_places, place_of, placed_requests
from holdfast.infer.judge import judge
from holdfast.infer.pacing import pacing_lag_p99_us
from holdfast.infer.server_ended import ended_before
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome, Place
from holdfast.model.timeline import NEVER, Marks

TABLE = [
    ("entered, not left", request(0), entry(0), socket(0, accepted=True), Place.IN_SERVICE),
    ("left at this very instant", request(0), entry(0, left_ns=AT), socket(0, accepted=True), Place.USERSPACE_QUEUE),
    ("entered at this very instant", request(0), entry(0, entered_ns=AT), socket(0, accepted=True), Place.IN_SERVICE),
    ("entered after it", request(0), entry(0, entered_ns=AT + 1), socket(0, accepted=True), Place.USERSPACE_QUEUE),
    ("accepted, not entered", request(0), None, socket(0, accepted=True), Place.USERSPACE_QUEUE),
    ("established, not accepted", request(0), None, socket(0, accepted=False), Place.ACCEPT_QUEUE),
    ("its client half closed", request(0), None, socket(0, accepted=False, state="CLOSE_WAIT"), Place.ACCEPT_QUEUE),
    ("last step of the handshake dropped", request(0), None, socket(0, accepted=False, state="SYN_RECV"), Place.SYN),
    ("connected for the client alone", request(0), None, None, Place.SYN),
    ("no answer to the SYN", request(0, connected_ns=0), None, None, Place.SYN),
    (
        "connected at this very instant",
        request(0, connected_ns=AT),
        None,
        socket(0, accepted=False),
        Place.ACCEPT_QUEUE,
    ),
    ("connected only later", request(0, connected_ns=AT + 1), None, socket(0, accepted=False), Place.SYN),
    ("answered", request(0, done_ns=AT, outcome=Outcome.ANSWERED), entry(0, left_ns=9000), None, Place.ANSWERED),
    ("answered only later", request(0, done_ns=AT + 1, outcome=Outcome.ANSWERED), entry(0), None, Place.IN_SERVICE),
    ("rejected", request(0, done_ns=AT, outcome=Outcome.REJECTED, status=503), None, None, Place.REJECTED),
    ("refused", request(0, connected_ns=0, done_ns=AT, outcome=Outcome.REFUSED), None, None, Place.REFUSED),
    ("reset", request(0, done_ns=AT, outcome=Outcome.RESET), None, None, Place.RESET),
    ("reset in its handler", request(0, done_ns=AT, outcome=Outcome.RESET), entry(0), None, Place.RESET),
    ("closed", request(0, done_ns=AT, outcome=Outcome.CLOSED), None, None, Place.CLOSED),
    ("our side", request(0, connected_ns=0, done_ns=AT, outcome=Outcome.FAILED), None, None, Place.FAILED),
    (
        "given up later",
        request(0, done_ns=AT + 5, outcome=Outcome.GIVEN_UP),
        None,
        socket(0, accepted=False),
        Place.ACCEPT_QUEUE,
    ),
]


@pytest.mark.parametrize(("what", "asked", "run", "seen", "place"), TABLE, ids=[row[0] for row in TABLE])
def test_the_place_follows_from_client_recorder_and_kernel(what, asked, run, seen, place):
    assert place_of(asked, run, seen, AT) is place


@pytest.mark.parametrize(
    ("sent_ns", "accepted", "number"),
    [(NEVER, True, 1), (AT + 1, True, 1), (AT, True, 0), (NEVER, False, 0)],
    ids=["never sent", "sent later", "sent at this very instant", "not accepted"],
)
def test_an_accepted_connection_is_before_its_handshake_until_its_request_is_sent(sent_ns, accepted, number):
    seen = snapshot(socket(0, accepted=accepted))
    record = timeline([request(0, sent_ns=sent_ns)], [], seen)

    assert before_handshake(record, seen, placed_requests(record, seen)) == number


instants = st.sampled_from([0, 1000, AT - 1, AT, AT + 1])
requests_drawn = st.builds(
    lambda outcome, connected, done: {"outcome": outcome, "connected_ns": connected, "done_ns": done},
    st.sampled_from([each for each in Outcome if each is not Outcome.MALFORMED]),
    instants,
    instants,
)
sockets_drawn = st.none() | st.tuples(st.booleans(), st.sampled_from(["ESTABLISHED", "SYN_RECV", "CLOSE_WAIT"]))


@given(st.lists(st.tuples(requests_drawn, st.none() | instants, sockets_drawn)))
def test_the_places_add_up_to_what_was_offered(rows):
    asked = [request(id, **drawn) for id, (drawn, _, _) in enumerate(rows)]
    runs = [entry(id, entered_ns=at) for id, (_, at, _) in enumerate(rows) if at is not None]
    ends = [socket(id, accepted=s[0], state=s[1]) for id, (_, _, s) in enumerate(rows) if s is not None]

    places = count_places(placed_requests(timeline(asked, runs, snapshot(*ends)), snapshot(*ends)))

    assert sum(getattr(places, place.value) for place in Place) == len(rows)


def nulls_of(value, path=""):
    """Paths of all nulls in a verdict's JSON."""
    if value is None:
        return [path]
    if isinstance(value, dict):
        return [each for name, inner in value.items() for each in nulls_of(inner, f"{path}.{name}".lstrip("."))]
    return []


@given(
    st.lists(st.tuples(requests_drawn, st.none() | instants, sockets_drawn)),
    st.sampled_from(["syn", "turned away", "max-offered", "interrupted"]),
    st.none() | st.integers(0, 200),
    st.booleans(),
)
def test_every_null_of_a_verdict_has_its_reason(rows, reason, depth, marked):
    asked = [request(id, **drawn) for id, (drawn, _, _) in enumerate(rows) if drawn["outcome"] != Outcome.FAILED]
    runs = [entry(id, entered_ns=at) for id, (_, at, _) in enumerate(rows) if at is not None]
    ends = [socket(id, accepted=s[0], state=s[1]) for id, (_, _, s) in enumerate(rows) if s is not None]
    line = timeline(asked, runs, snapshot(*ends, depth=depth, limit=None if depth is None else 128), reason)
    if not marked:
        line = dataclasses.replace(line, marks=Marks(started_ns=1))
    # Without a verdict there are no nulls in it.
    assume(ended_before(line) is None)
    assume(not asked or reason == "interrupted" or Place.IN_SERVICE in placed_requests(line, line.placed).values())

    try:
        verdict = msgspec.to_builtins(judge(line))
    except InconclusiveError:  # requests that were answered without their view
        reject()

    unexplained = set(nulls_of({**verdict, "unknown": {}})) - verdict["unknown"].keys()
    # A setting that may be absent, not a measurement.
    assert unexplained - {"target.view"} == set()
    assert set(verdict["unknown"]) <= set(nulls_of(verdict))


def shifted(line, by):
    """The same timeline on a clock that shows `by` more; NEVER stays NEVER."""

    def move(row):
        named = {
            each.name: getattr(row, each.name) + by
            for each in dataclasses.fields(row)
            if each.name.endswith("_ns") and getattr(row, each.name) and each.name != "late_ns"
        }
        return dataclasses.replace(row, **named)

    return dataclasses.replace(
        line,
        marks=move(line.marks),
        ramp=move(line.ramp),
        placed=dataclasses.replace(line.placed, began_ns=line.placed.began_ns + by, ended_ns=line.placed.ended_ns + by),
        requests=tuple(map(move, line.requests)),
        entries=tuple(map(move, line.entries)),
    )


@given(st.integers(1, 10**18))
def test_shifting_all_instants_of_a_record_changes_no_place(by):
    line = timeline(
        [request(0), request(1), request(2, connected_ns=0), request(3, phase=Phase.REUSE, connected_ns=AT + 9)],
        [entry(0, left_ns=AT + 5), entry(3, entered_ns=AT + 10, left_ns=AT + 20)],
        snapshot(socket(0, accepted=True), socket(1, accepted=False), depth=1, limit=0),
    )

    assert judge(shifted(line, by)) == judge(line)


def test_our_own_failure_is_no_verdict_on_the_server():
    line = timeline([request(0), request(1, outcome=Outcome.FAILED, done_ns=AT)], [entry(0)], snapshot())

    with pytest.raises(InconclusiveError, match="load side"):
        judge(line)


def test_pacing_lag_is_the_nearest_rank_of_sent_after_due():
    # 100 requests, lags 0..99 us: the 99th of them in order is 98 us.
    assert pacing_lag_p99_us([request(n, due_ns=1000, opened_ns=1000 + n * 1000) for n in range(100)]) == 98
    assert pacing_lag_p99_us([]) is None
