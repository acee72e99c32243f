"""The picture of the places in a verdict on the terminal."""

from __future__ import annotations

from dataclasses import fields

from holdfast.model.places import Place
from holdfast.model.verdict import OutsidePlaces, Places
from holdfast.report.terminal import LANES


def test_every_place_of_a_verdict_has_a_lane() -> None:
    places = {place.value for place in Place}

    assert places == {each.name for each in fields(Places)}
    assert list(LANES) == [each.name for each in fields(OutsidePlaces)] == [*map(str, Place), "unplaced"]
