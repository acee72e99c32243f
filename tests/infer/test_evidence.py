"""What trials prove of a setting: which of them, and with whom it shares them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.infer.evidence import differs, suspects
from holdfast.model.places import Place
from holdfast.model.trial import Change, Rival, Trial

RIVALS = [Rival(name, Place.IN_SERVICE, "places", 8) for name in ("connections", "threads")]


def trial(run: int, in_service: int, *, connections: int = 8, threads: int = 8) -> Trial:
    values = {"connections": connections, "threads": threads}
    changes = tuple(Change(name, value) for name, value in values.items() if value != 8)
    now = tuple(Change(name, value) for name, value in values.items())
    return Trial(run, "", changes, now, 100, in_service=in_service, bounded=True)


def proofs(*trials: Trial) -> dict[str, tuple[list[int | None], list[int | None]]]:
    """By name, the runs that prove a setting alone, and those that it shares."""
    found = suspects(RIVALS, trials)
    return {each.name: ([one.run for one in each.proved_by], [one.run for one in each.shared]) for each in found}


def test_a_setting_that_was_raised_for_nothing_shares_no_proof_with_the_one_that_was_not() -> None:
    raised_for_nothing, both = trial(2, 8, connections=16), trial(3, 16, connections=16, threads=16)

    assert proofs(trial(1, 8), raised_for_nothing, both) == {"threads": ([3], []), "connections": ([], [])}


def test_settings_that_were_only_raised_together_share_the_proof() -> None:
    assert proofs(trial(1, 8), trial(2, 16, connections=16, threads=16)) == {
        "connections": ([], [2]),
        "threads": ([], [2]),
    }


def test_a_setting_that_moves_the_place_by_itself_is_proved_by_that() -> None:
    assert proofs(trial(1, 8), trial(2, 6, threads=6))["threads"] == ([2], [])


@pytest.mark.parametrize(
    ("again", "other"),
    [
        (trial(2, 8), False),
        (trial(2, 7), True),
        (replace(trial(2, 8), failure="The server did not start."), True),
        # No ceiling was met the second time, so the two cannot be compared.
        (replace(trial(2, 7), bounded=False), False),
    ],
    ids=["the same", "fewer", "did not start", "no bound"],
)
def test_a_server_does_something_else_with_nothing_changed_where_it_fails_or_shows_another_number(again, other) -> None:
    assert differs(again, trial(1, 8)) is other
