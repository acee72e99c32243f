"""The page of a search: the answer in words, the knee, every load, and what was not found out."""

from __future__ import annotations

from dataclasses import replace

from support.capacity_loads import at_rate

from holdfast.infer.capacity import capacity_of
from holdfast.model.capacity import CapacityAsked, CapacityRecord
from holdfast.page.of_capacity import document_of_capacity
from holdfast.page.render import page

HOLDS = at_rate(78.0)
BROKEN = replace(HOLDS, rate_per_s=81.0, outcomes={"answered": 380, "refused": 10}, held=False, why="errors<1%: 2.6%")
LIMITED = replace(HOLDS, rate_per_s=150.0, held=False, limited="The load was late.")
RECORD = CapacityRecord(
    target="<b>waitress</b>",
    url="http://127.0.0.1:8000/",
    asked=CapacityAsked(("p99<200ms", "errors<1%")),
    loads=(LIMITED, HOLDS, HOLDS, BROKEN, BROKEN),
    watched=None,
    not_watched="the search was stopped before",
    notes=(),
    seconds=40.0,
    command="holdfast capacity app.py --server waitress --threshold 'p99<200ms'",
)


def test_a_page_says_the_rate_and_why_what_is_full_is_not_known():
    document = document_of_capacity(capacity_of(RECORD, 7))

    assert document.headline == "78 requests a second, with p99<200ms and errors<1%"
    assert "At 81/s, errors<1%: 2.6%." in document.sentences
    assert [(each.name, each.value) for each in document.unknown] == [
        ("place", "the search was stopped before"),
        ("waiting", "the search was stopped before"),
    ]
    assert document.command == RECORD.command


def test_the_knee_has_each_load_as_a_point_by_rate_and_the_edge():
    knee = document_of_capacity(capacity_of(RECORD)).data["knee"]

    assert isinstance(knee, dict)
    assert (knee["low"], knee["high"]) == (78.0, 81.0)
    assert [(each["rate"], each["state"], each["errors"]) for each in knee["points"]] == [
        (78.0, "holds", 0.0),
        (78.0, "holds", 0.0),
        (81.0, "does not hold", 2.564),
        (81.0, "does not hold", 2.564),
        (150.0, "says nothing", 0.0),
    ]


def test_a_search_without_a_load_has_no_knee():
    assert document_of_capacity(capacity_of(replace(RECORD, loads=()))).data["knee"] is None


def test_a_name_from_outside_is_no_markup():
    assert b"<b>waitress</b>" not in page(document_of_capacity(capacity_of(RECORD)))
