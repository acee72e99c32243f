"""What silent clients do, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.silent_clients import WAITS

from holdfast.model.silent import EndedBy, SilenceFound, Silent
from holdfast.report.layout import rendered
from holdfast.report.silent import cell, render_silent

STILL = replace(
    WAITS,
    connections=1,
    at_least=1,
    waited_s=None,
    waits_up_to_s=None,
    watched_s=6.0,
    answered_once_they_left=True,
    connection_gets=None,
    ended_after_s=None,
    ended_by=None,
    unknown={"ended_after_s": "the server had not ended it after 6.0 s", "ended_by": "no time-out is known"},
)
NONE = replace(
    STILL, connections=None, at_least=None, tried=500, unknown={**STILL.unknown, "connections": "with 500 of them ..."}
)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (WAITS, "4 for 5.0 s"),
        (STILL, "1 for over 6 s"),
        (replace(STILL, ended_by=EndedBy("timeout", 30.0, True, 2.0, 3.1)), "1 for 30 s"),
        (replace(WAITS, by_chance=True), "4 for 5.0 s (by chance)"),
        (replace(WAITS, connections=102, at_least=98), "98 to 102 for 5.0 s"),
        (replace(WAITS, connections=49, at_least=49, request_gets="503"), "49: 503"),
        (NONE, "none of 500"),
        (replace(NONE, broken_off=True), "?"),
        (replace(NONE, unknown={"ended_by": "no connection stayed open"}), "none kept open"),
    ],
)
def test_a_cell_says_how_many_and_for_how_long(found: SilenceFound, words: str) -> None:
    assert cell(found) == words


def text_of(*found: SilenceFound) -> str:
    return rendered(render_silent(Silent("x", "1.2", ("x",), found)), width=100, styled=False)


def test_the_terminal_says_what_decides_and_what_showed_it() -> None:
    text = text_of(WAITS)

    assert "that send nothing: 4 make an ordinary request wait for 5.0 s" in text
    assert "The server ends such a connection after 7.0 s (closed)." in text
    assert "Its timeout decides that, 5 s here: set to 2 s, it took 2.1 s." in text


def test_what_is_not_known_is_said_with_its_reason() -> None:
    text = text_of(STILL)

    assert "1 makes an ordinary request wait, for longer than 6 s" in text
    assert "They were made to leave, and a request was answered once they had left." in text
    assert "The server had not ended it after 6.0 s." in text


def test_a_wait_that_began_late_says_how_long_it_could_have_been() -> None:
    text = " ".join(text_of(replace(WAITS, waited_s=1.2, waits_up_to_s=2.0)).split())

    assert "wait for 1.2 s; 2.0 s, had it come with the first of them" in text
