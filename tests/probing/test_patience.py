"""What a person is told while a run takes long, and when views are offered."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from holdfast.model.live import LivePhase, LiveProbe
from holdfast.model.units import MS, NS_PER_S
from holdfast.probing.patience import Patience


def test_a_line_comes_after_ten_seconds_and_then_every_twenty():
    told: list[str] = []
    now = [0]
    patience = Patience(told.append, now_ns=lambda: now[0])

    for second in range(60):
        now[0] = second * NS_PER_S
        patience.wait(lambda at=second: f"waiting at {at}.")

    assert told == [f"After {at} s: waiting at {at}." for at in (10, 30, 50)]


class Offers:
    """Looks each time that it is offered a view."""

    def __init__(self) -> None:
        self.now_ns = 5 * NS_PER_S
        self.seen: list[LiveProbe] = []
        self.patience = Patience(None, self, lambda: self.now_ns)

    def __call__(self, look: Callable[[], LiveProbe], /, *, at_once: bool = False) -> None:
        self.seen += [] if at_once else [look()]

    def offered_ms(self, phase: LivePhase, for_ms: int) -> list[int]:
        """When views were offered in this phase, ms from its beginning, where one may be every 50 ms."""
        self.patience.begin(phase)
        began_ns, times = self.now_ns, []
        for at_ms in range(0, for_ms, 50):
            self.now_ns = began_ns + at_ms * MS
            before = len(self.seen)
            self.patience.offer(lambda plain: plain)
            times += [at_ms] if len(self.seen) > before else []
        return times


def test_a_view_has_the_phase_and_the_time_since_the_run_began():
    offers = Offers()
    offers.now_ns += 2 * NS_PER_S
    offers.patience.begin(LivePhase.RAMP)

    offers.patience.offer(lambda plain: plain)

    assert offers.seen == [LiveProbe(LivePhase.RAMP, 2.0)]


@pytest.mark.parametrize(
    ("phase", "times"),
    [
        (LivePhase.RAMP, [*range(0, 1100, 50)]),
        # The first request's way to the view is measured, and bodies are timed.
        (LivePhase.FIRST_REQUEST, [0, *range(250, 1100, 50)]),
        (LivePhase.CALLING, [0, 1000]),
    ],
)
def test_fewer_views_are_offered_where_something_is_timed(phase, times):
    assert Offers().offered_ms(phase, 1100) == times


def test_a_phase_that_lasts_is_not_begun_anew():
    offers = Offers()
    assert offers.offered_ms(LivePhase.FIRST_REQUEST, 200) == [0]

    # It is 150 ms old now.
    assert offers.offered_ms(LivePhase.FIRST_REQUEST, 200) == [100, 150]


def test_nothing_is_looked_at_where_nobody_watches():
    Patience().offer(lambda _plain: pytest.fail("looked at"))
