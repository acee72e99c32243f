"""Records that were saved in the first form, read as those of today."""

from __future__ import annotations

import pytest

from holdfast.model.migration import OUTSIDE_FORM, TIMELINE_FORM, migrated

EXPERIMENT = {
    "server": "gunicorn",
    "app": "shop:app",
    "view": None,
    "path": "/",
    "headers": [["A", "b"]],
    "nofile": 256,
    "max_offered": 100,
    "arguments": ["-w", "4"],
    "python": None,
    "cwd": "/srv/shop",
    "framework": None,
    "command": [],
    "url": "",
    "patience_s": 30.0,
}
REQUEST = {"id": 0, "wave": 1, "sent_ns": 10, "written_ns": 20}
CANARY = {"status": 200, "held_in": "flask view index()", "kind": "sync", "via": "view"}


def first_form(**changed):
    record = {
        "experiment": EXPERIMENT,
        "canary": CANARY,
        "ramp": {"reason": "cut", "plateau_ns": 0, "crowd": 1},
        "requests": [REQUEST],
        "calls": [{"id": 1, "wave": 4}],
        "samples": [],
        "outside": None,
    }
    return record | changed


def test_a_probe_has_a_target_and_its_options_beside_it():
    form, record = migrated(first_form(), 1)

    assert form == TIMELINE_FORM
    assert record["experiment"] == {
        "target": {
            "server": "gunicorn",
            "app": "shop:app",
            "framework": None,
            "arguments": ["-w", "4"],
            "python": None,
        },
        "path": "/",
        "headers": [["A", "b"]],
        "max_offered": 100,
        "view": None,
        "nofile": 256,
        "cwd": "/srv/shop",
    }


def test_a_command_is_the_target():
    command = EXPERIMENT | {"server": "exec", "command": ["gunicorn", "shop:app"]}

    _, record = migrated(first_form(experiment=command), 1)

    assert record["experiment"]["target"] == {"command": ["gunicorn", "shop:app"]}


def test_instants_phases_and_reasons_have_their_names_of_today():
    _, record = migrated(first_form(), 1)

    assert record["requests"] == [{"id": 0, "phase": "reuse", "opened_ns": 10, "sent_ns": 20}]
    assert record["calls"] == [{"id": 1, "phase": "called alone"}]
    assert record["ramp"]["reason"] == "ended by the server"
    assert record["first_request"] == CANARY
    assert not {"canary", "outside"} & record.keys()


def test_a_request_of_which_no_first_byte_was_recorded_has_none():
    _, record = migrated(first_form(requests=[{"id": 0, "wave": -1, "sent_ns": 10}]), 1)

    assert record["requests"] == [{"id": 0, "phase": "first request", "opened_ns": 10}]


def test_a_look_from_outside_becomes_a_record_of_its_own():
    experiment = EXPERIMENT | {"server": "attach", "url": "http://127.0.0.1:8000/slow", "path": "/slow"}
    server = {"name": "attach", "address": "127.0.0.1", "port": 8000, "somaxconn": 4096, "abort_on_overflow": False}
    marks = {"started_ns": 1, "ready_ns": 1, "first_sent_ns": 2, "ended_ns": 3, "placed_ns": 0}
    outside = {"rounds": [{"kind": "burst", "cut": True}], "kernel": True, "others": 0, "alive": None}
    old = first_form(experiment=experiment, server=server, marks=marks, outside=outside, canary=None, ramp=None)

    form, record = migrated(old | {"notes": ["A doubt."], "stopped": None}, 1)

    assert form == OUTSIDE_FORM
    assert record == {
        "experiment": {
            "target": {"url": "http://127.0.0.1:8000/slow"},
            "path": "/slow",
            "headers": [["A", "b"]],
            "max_offered": 100,
            "answer_timeout_s": 30.0,
        },
        "server": {"address": "127.0.0.1", "port": 8000, "somaxconn": 4096, "abort_on_overflow": False},
        "started_ns": 1,
        "first_sent_ns": 2,
        "ended_ns": 3,
        "rounds": [{"kind": "burst", "queue_full": True}],
        "requests": [{"id": 0, "phase": "round", "opened_ns": 10, "sent_ns": 20}],
        "kernel": True,
        "others": 0,
        "alive": None,
        "notes": ["A doubt."],
        "stopped": None,
    }


@pytest.mark.parametrize("form", [TIMELINE_FORM, OUTSIDE_FORM])
def test_records_of_today_stay_as_they_are(form):
    record = {"anything": [1]}

    assert migrated(record, form) == (form, record)


@pytest.mark.parametrize("lacking", ["experiment", "requests", "ramp", "canary"])
def test_a_record_that_lacks_a_part_is_an_error(lacking):
    record = first_form()
    del record[lacking]

    with pytest.raises(KeyError):
        migrated(record, 1)
