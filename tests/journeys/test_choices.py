"""What is sent by journeys that choose and repeat; what JMeter does was read in its source (control/*.java)."""

from __future__ import annotations

from collections import Counter as Tally

import pytest
from journeys.walks import crew, request, walked

from holdfast.journeys.steps import EndLoad, Grouped
from holdfast.model.answers import Variable
from holdfast.model.journey import (
    Alone,
    Condition,
    Count,
    Delay,
    ForEach,
    If,
    Leave,
    Loop,
    Node,
    Once,
    OneOf,
    Sequence,
    Share,
    Shuffled,
    Timed,
    Transaction,
    While,
)

A, B, C = (request(each) for each in "abc")


def paths(*nodes: Node, **more: object) -> str:
    return " ".join(walked(crew(*nodes, **more)).paths)


def test_a_loop_is_passed_through_anew_in_each_pass_of_the_journey() -> None:
    assert paths(A, Loop(("2",), (B,)), passes=2) == "a b b a b b"


def test_a_loop_that_is_done_once_is_not_come_to_again() -> None:
    assert paths(A, Loop(("2",), (B,), once=True), passes=2) == "a b b a"


@pytest.mark.parametrize("times", ["0", "", "many"])
def test_a_loop_without_a_number_of_times_sends_nothing(times: str) -> None:
    assert paths(A, Loop((times,), (B,))) == "a"


def test_a_loops_variable_has_the_number_of_its_pass_from_0() -> None:
    each = request("i")
    numbered = type(each)(each.label, each.origin, ("/", Variable("i")))

    assert paths(Loop(("3",), (numbered,), index="i")) == "/0 /1 /2"


def test_a_loop_with_a_time_ends_with_the_request_in_whose_course_the_time_is_over() -> None:
    done = walked(crew(Loop((), (A, B), seconds=("1",)), C), took_ms=300)

    assert " ".join(done.paths) == "a b a b c"


@pytest.mark.parametrize(("text", "holds"), [("true", True), ("TRUE", True), ("yes", False), ("", False)])
def test_an_if_by_words_is_done_if_the_word_is_true(text: str, *, holds: bool) -> None:
    assert paths(A, If(Condition((text,), "words"), (B,))) == ("a b" if holds else "a")


def test_an_if_that_looks_before_each_node_stops_in_between() -> None:
    counted = Timed((), (A,), sets=(Count("n", ("2",)),))
    condition = Condition(('"', Variable("n"), '" == "1"'))
    values = (("n", "1"),)

    assert paths(If(condition, (counted, B), each=True), C, values=values) == "a c"
    assert paths(If(condition, (counted, B)), C, values=values) == "a b c"


def test_a_while_looks_before_each_pass_and_a_503_ends_it_but_not_the_client() -> None:
    asked = Tally[str]()

    def third_fails(sending: object) -> int:
        asked[sending.path] += 1  # type: ignore[attr-defined]
        return 503 if asked["a"] == 3 else 200

    done = walked(crew(While(Condition((), "words"), (A,)), B), answers=third_fails)

    assert " ".join(done.paths) == "a a a b"


def test_a_while_by_words_goes_on_unless_the_word_is_false() -> None:
    condition = Condition((Variable("go"),), "words")
    counts = Count("go", ("1",))

    assert paths(While(Condition(("False",), "words"), (A,)), B) == "b"
    done = walked(crew(While(condition, (counts, A, Leave("loop"))), B))
    assert " ".join(done.paths) == "a b"


def test_for_each_begins_after_its_start_and_ends_where_a_value_is_missing() -> None:
    values = (("p_1", "pear"), ("p_2", "plum"), ("p_3", "fig"), ("p_5", "quince"))
    pick = request("x")
    pick = type(pick)(pick.label, pick.origin, (Variable("v"),))

    assert paths(ForEach(("p",), "v", (pick,), after=("1",)), values=values) == "plum fig"
    assert paths(ForEach(("p",), "v", (pick,), last=("1",)), values=values) == "pear"
    assert paths(ForEach(("none",), "v", (pick,)), A, values=values) == "a"


def test_once_is_done_in_the_clients_first_pass_and_in_the_first_of_each_stay_in_a_loop() -> None:
    assert paths(Once((A,)), B, passes=3) == "a b b b"
    assert paths(Loop(("2",), (Once((A,)), B)), passes=2) == "a b b a b b"


def test_interleaved_blocks_are_done_as_a_whole_or_a_request_each_time() -> None:
    pair = Sequence((B, C))

    assert paths(OneOf("by turns", (A, pair), whole=True), passes=4) == "a b c a b c"
    assert paths(OneOf("by turns", (A, pair), whole=False), passes=6) == "a b a c a b"


def test_interleaving_whole_blocks_passes_over_what_has_nothing_now() -> None:
    never = If(Condition(("false",), "words"), (B,))

    assert paths(OneOf("by turns", (A, never, C), whole=True), passes=4) == "a c a c"
    assert paths(OneOf("by turns", (never,), whole=True), A, passes=2) == "a a"


def test_a_client_ends_at_a_block_that_has_nothing_now_if_blocks_are_not_whole() -> None:
    never = If(Condition(("false",), "words"), (B,))

    # JMeter asks such a block again from within, until the stack of its thread is full (InterleaveControl.java).
    assert paths(OneOf("by turns", (A, never, C), whole=False), passes=4) == "a"
    assert paths(OneOf("by chance", (never,), whole=False), A, passes=2) == ""


def test_a_client_ends_where_a_search_of_whole_blocks_began_at_one_that_is_done_for_good() -> None:
    never, done = If(Condition(("false",), "words"), (B,)), Share(("0",), (C,), percent=True)

    # The search ends where it began, which is not there any more (InterleaveControl.java, setCurrentElement).
    assert paths(OneOf("by turns", (done, never), whole=True), A, passes=2) == ""
    assert paths(OneOf("by turns", (done, Loop(("2",), (never,))), whole=True), A, passes=2) == ""
    assert paths(OneOf("by turns", (never, done), whole=True), A, passes=2) == "a a"
    assert paths(OneOf("by turns", (done,), whole=True), A, passes=2) == "a a"


def test_a_loop_that_lets_others_go_on_has_not_had_its_turn() -> None:
    never = Loop(("700",), (If(Condition(("false",), "words"), (B,)),))

    assert paths(OneOf("by turns", (never, A), whole=False), C, passes=2) == ""


def test_a_client_that_waits_before_a_block_for_one_at_a_time_has_not_had_its_turn() -> None:
    done = walked(crew(OneOf("by turns", (Alone(("l",), (A,)), B), whole=False), passes=2, clients=2), took_ms=20)

    assert [[each.path for _, who, each in done.sent if who == client] for client in (1, 2)] == [["a", "b"]] * 2


def test_clients_begin_interleaving_at_different_nodes() -> None:
    done = walked(crew(OneOf("by turns", (A, B, C), across_clients=True), passes=2, clients=2))

    assert [s.path for _, client, s in done.sent if client == 1] == ["a", "b"]
    assert [s.path for _, client, s in done.sent if client == 2] == ["b", "c"]


@pytest.mark.parametrize(
    ("chosen", "sent"), [("1", "b"), ("7", "a"), ("", "a"), ("bee", "b"), ("wasp", "c"), ("default", "c")]
)
def test_a_switch_takes_the_number_or_the_name_and_otherwise_the_default(chosen: str, sent: str) -> None:
    assert paths(OneOf("named", (A, B, C), (chosen,), names=("ay", "bee", "Default"))) == sent


def test_a_switch_that_knows_no_such_name_sends_nothing() -> None:
    assert paths(OneOf("named", (A, B), ("wasp",), names=("ay", "bee")), C) == "c"


def test_each_node_by_chance_comes_as_often_as_its_weight_says() -> None:
    tally = Tally(walked(crew(OneOf("by chance", (A, B), weights=(3.0, 1.0)), passes=4000)).paths)

    # 4,000 draws with p = 3/4: the deviation is 27, and five of them are 137.
    assert abs(tally["a"] - 3000) < 137
    assert tally["a"] + tally["b"] == 4000


def test_by_weight_the_one_that_is_farthest_behind_its_share_comes_next() -> None:
    # Shares of 1/2, 1/4 and 1/4: a, then b (0.25 behind, a 0.5 ahead), then c, then a again.
    assert paths(OneOf("by weight", (A, B, C), weights=(2.0, 1.0, 1.0)), passes=8) == "a b c a a b c a"


def test_what_is_shuffled_is_all_done_in_orders_that_differ() -> None:
    done = walked(crew(Shuffled((A, B, C)), passes=60)).paths
    orders = Tally("".join(done[at : at + 3]) for at in range(0, 180, 3))

    assert set(orders) == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_what_is_by_chance_follows_the_seed() -> None:
    def drawn(seed: int) -> list[str]:
        return walked(crew(OneOf("by chance", (A, B, C)), passes=30), seed=seed).paths

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_share_by_percent_is_done_in_every_second_pass() -> None:
    assert paths(Share(("50",), (A,)), B, passes=4) == "b a b b a b"


@pytest.mark.parametrize("share", [Share(("100",), ()), Share(("2",), (), percent=False)], ids=["percent", "number"])
def test_a_share_of_nothing_is_passed_over(share: Share) -> None:
    assert paths(A, share, B, passes=2) == "a b a b"


def test_a_number_of_times_is_that_of_all_clients_or_of_each() -> None:
    of_all = walked(crew(Share(("2",), (A,), percent=False), passes=3, clients=3))
    of_each = walked(crew(Share(("2",), (A,), percent=False, per_client=True), passes=3, clients=3))

    assert of_all.paths == ["a"] * 2
    assert of_each.paths == ["a"] * 6


def twice(*nodes: Node) -> list[Node]:
    """Each kind of loop, passed through twice by itself."""
    return [
        Loop(("2",), nodes),
        # Each request takes a millisecond.
        Loop((), nodes, seconds=("0.002",)),
        ForEach("v", "each", nodes),
    ]


VALUES = (("v_1", "x"), ("v_2", "y"))


def test_what_is_in_a_loop_can_leave_its_pass_or_the_loop_and_the_pass_of_the_journey() -> None:
    for loop in twice(A, Leave("loop pass"), B):
        assert paths(loop, C, values=VALUES) == "a a c"
    for loop in twice(A, Leave("loop"), B):
        assert paths(loop, C, passes=2, values=VALUES) == "a c a c"
    for loop in twice(A, Leave("pass"), B):
        assert paths(loop, C, passes=2, values=VALUES) == "a a"
    assert paths(A, Leave("client"), B, passes=2) == "a"


def test_the_end_of_the_load_is_told() -> None:
    done = walked(crew(A, Leave("load"), B))

    assert done.paths == ["a"]
    assert done.steps == [EndLoad(at_once=False)]


@pytest.mark.parametrize(
    ("action", "sent"),
    [("continue", "a b c a b c"), ("next pass", "a a"), ("leave", "a"), ("stop", "a"), ("stop at once", "a")],
)
def test_after_a_failure_a_client_does_what_its_crew_says(action: str, sent: str) -> None:
    nodes = (Sequence((A, B)), C)
    done = walked(
        crew(*nodes, passes=2, on_failure=action), answers=lambda sending: 500 if sending.path == "a" else 200
    )

    assert " ".join(done.paths) == sent
    assert [each for each in done.steps if isinstance(each, EndLoad)] == (
        [EndLoad(at_once="once" in action)] if action.startswith("stop") else []
    )


def test_a_transaction_lasts_from_its_first_request_to_its_last_without_pauses_or_with_them() -> None:
    nodes = (A, Delay(("50",)), B)
    done = walked(crew(Transaction(("without",), nodes), Transaction(("with",), nodes, timed_pauses=True)), took_ms=10)

    assert done.steps == [
        Grouped("without", 20_000_000, answered=True, requests=2, pauses_ns=50_000_000),
        Grouped("with", 70_000_000, answered=True, requests=2),
    ]


def test_a_transaction_with_a_request_that_failed_has_failed() -> None:
    inner = Transaction(("inner",), (A,))
    done = walked(
        crew(Transaction(("outer",), (inner, B), parent=True)), answers=lambda each: 404 if each.path == "b" else 200
    )

    assert [(each.label, each.answered) for each in done.steps if isinstance(each, Grouped)] == [
        ("inner", True),
        ("outer", False),
    ]


def test_a_loop_that_never_sends_anything_lets_others_go_on() -> None:
    done = walked(crew(While(Condition(("true",), "words"), (Count("n"),)), until_ms=20), crew(A, B), took_ms=5)

    assert done.paths == ["a", "b"]


@pytest.mark.parametrize("parent", [True, False])
def test_transactions_that_never_send_anything_let_others_go_on(*, parent: bool) -> None:
    never = If(Condition(("false",), "words"), (B,))
    endless = While(Condition(("true",), "words"), (Transaction(("t",), (never,), parent=parent),))

    # JMeter comes to the end of a transaction with a parent sample each time, so that its thread does not end.
    done = walked(crew(endless, until_ms=20), crew(A, C), took_ms=5)

    assert done.paths == ["a", "c"]
