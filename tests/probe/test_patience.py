"""What a person is told while a run takes long."""

from __future__ import annotations

from holdfast.model.units import NS_PER_S
from holdfast.probe.patience import Patience


def test_a_line_comes_after_ten_seconds_and_then_every_twenty():
    told: list[str] = []
    now = [0]
    patience = Patience(told.append, now_ns=lambda: now[0])

    for second in range(60):
        now[0] = second * NS_PER_S
        patience.wait(lambda at=second: f"waiting at {at}.")

    assert told == [f"After {at} s: waiting at {at}." for at in (10, 30, 50)]
