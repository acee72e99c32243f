"""Advice that was run, and what is told instead where there is none."""

from __future__ import annotations

import json

from support.commandline import Holdfast

ANSWERED, FAILED, USAGE, INCONCLUSIVE = range(4)


def test_settings_that_are_proposed_were_run_and_do_what_was_wanted(holdfast: Holdfast) -> None:
    ended = holdfast.run("explain", "--json", "-", "--server", "waitress", "--want", "24", "--", "--threads", "3")

    assert ended.exit == ANSWERED, ended.err
    advice = json.loads(ended.out)["advice"]
    # waitress/task.py, ThreadedTaskDispatcher: one request in each thread.
    assert advice["fulfilled"]
    assert advice["changes"] == [{"name": "threads", "value": 24}]
    assert advice["best"]["trial"]["in_service"] == 24
    assert advice["best"]["command"] == ["holdfast", "probe", "--server", "waitress", "--", "--threads", "24"]


def test_a_wish_that_does_not_fit_into_the_memory_is_answered_with_the_most_that_does(holdfast: Holdfast) -> None:
    ended = holdfast.run(
        "explain", "--server", "gunicorn", "--want", "100000", "--memory", "60M", "--max-offered", "600"
    )

    assert ended.exit == FAILED, ended.err
    said = " ".join(ended.out.split())
    assert "100000 requests at once within 60 MiB were not reached" in said
    assert "leave room for" in said


def test_an_explanation_is_shown_again_from_what_was_saved(holdfast: Holdfast) -> None:
    first = holdfast.run("explain", "--server", "flask", "--nofile", "96", "--up-to", "0")
    number = first.out.split("holdfast show ")[1].split()[0]

    again = holdfast.run("show", number)

    assert again.exit == ANSWERED, again.err
    assert again.out == first.out
