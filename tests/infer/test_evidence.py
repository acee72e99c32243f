"""What trials prove of a setting: which of them, and with whom it shares them."""

from __future__ import annotations

from holdfast.infer.evidence import suspects
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
