"""How long a client waits before a request: delays, and rates that several clients keep to together; pure.

Source: apache/jmeter, timers/*.java, poissonarrivals/ConstantPoissonProcessGenerator.java; undera/jmeter-plugins,
VariableThroughputTimer.java.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from holdfast.journeys.client import Client
from holdfast.journeys.numbers import decimal
from holdfast.journeys.templates import ClientEndsError, text_of
from holdfast.model.journey import Delay, Pace
from holdfast.model.units import MS, NS_PER_S

NS_PER_MINUTE = 60 * NS_PER_S
NEVER_NS = 1 << 62
# Beyond this mean, a Poisson distribution is a normal one.
MOST_COUNTED = 1000


def waits_ns(waits: Iterable[Delay | Pace], client: Client) -> int:
    """How long all of these waits are together.

    Raises:
        ClientEndsError: the schedule of a pace is over.
    """
    return sum(_delay_ns(each, client) if isinstance(each, Delay) else _pace_ns(each, client) for each in waits)


def _delay_ns(delay: Delay, client: Client) -> int:
    constant_ms = decimal(text_of(delay.constant_ms, client))
    if delay.spread == "none":
        return max(0, int(constant_ms * MS))
    random_ms = decimal(text_of(delay.random_ms, client))
    if delay.spread == "uniform":
        drawn_ms = client.chance.random() * random_ms
    elif delay.spread == "gaussian":
        drawn_ms = client.chance.normal() * random_ms
    else:
        drawn_ms = float(poisson(round(random_ms), client))
    return int(abs(constant_ms + drawn_ms) * MS)


def poisson(mean: int, client: Client) -> int:
    """A whole number by chance, of a Poisson distribution: how many exponential gaps fit into its mean."""
    if mean > MOST_COUNTED:
        return max(0, round(mean + client.chance.normal() * math.sqrt(mean)))
    found, reached = 0, client.chance.expovariate(1.0)
    while reached < mean:
        found += 1
        reached += client.chance.expovariate(1.0)
    return found


def _pace_ns(pace: Pace, client: Client) -> int:
    if pace.schedule:
        return _scheduled_ns(pace, client)
    per_minute = decimal(text_of(pace.per_minute, client))
    if pace.precise:
        return _precise_ns(pace, per_minute, client)
    if per_minute <= 0:
        return NEVER_NS
    gap_ns = round(NS_PER_MINUTE / per_minute)
    if pace.shared_by != "client" and not pace.in_equal_parts:
        return _queued_ns(pace, gap_ns, client)
    if pace.shared_by == "load":
        gap_ns *= client.shared.present_in(None)
    elif pace.shared_by == "crew":
        gap_ns *= client.shared.present_in(client.crew_shared)
    key = ("pace", id(pace))
    due_ns = client.own.get(key)
    # One that is behind begins anew instead of catching up; the first one is not delayed.
    next_ns = client.now_ns if due_ns is None else max(client.now_ns, due_ns + gap_ns)
    client.own[key] = next_ns
    return next_ns - client.now_ns


def _queued_ns(pace: Pace, gap_ns: int, client: Client) -> int:
    # JMeter has one queue for all timers of this kind, whatever their rates.
    key = ("queue", client.crew_shared.number if pace.shared_by == "crew" else -1)

    def following(before: int | None) -> int:
        return max(client.now_ns, (-gap_ns if before is None else before) + gap_ns)

    return following(client.shared.changed(key, following)) - client.now_ns


def _precise_ns(pace: Pace, per_minute: float, client: Client) -> int:
    key = ("precise", client.crew_shared.number)
    begun_ns = client.crew_shared.begun_ns or 0
    drawn = client.remembered.setdefault(key, Drawn())
    due_s = drawn.next_s(pace, per_minute / 60, client)
    return max(0, begun_ns + int(due_s * NS_PER_S) - client.now_ns)


class Drawn:
    """Instants by chance within a time, in s from the begin of a crew, one after another.

    Attributes:
        left: those of the present stretch that are left, the next one last.
        until_s: where this stretch ends.
        per_s: its rate.
        taken: how many have taken the last instant.
    """

    __slots__ = ("last_s", "left", "per_s", "taken", "until_s")

    def __init__(self) -> None:
        self.left: list[float] = []
        self.until_s = 0.0
        self.per_s = 0.0
        self.last_s = 0.0
        self.taken = 0

    def next_s(self, pace: Pace, per_s: float, client: Client) -> float:
        """The next instant."""
        batch = max(1, pace.batch)
        if 0 < self.taken < batch and abs(per_s - self.per_s) < 0.00001:
            self.taken += 1
            return self.last_s
        if not self.left or abs(per_s - self.per_s) >= 0.00001:
            if per_s <= 0 or pace.within_s <= 0:
                return NEVER_NS / NS_PER_S
            count = math.ceil(per_s / batch * pace.within_s)
            instants = [self.until_s + client.chance.random() * pace.within_s for _ in range(count)]
            self.left = sorted(instants, reverse=True)
            self.until_s += pace.within_s
            self.per_s = per_s
        self.taken = 1
        self.last_s = self.left.pop()
        return self.last_s


def _scheduled_ns(pace: Pace, client: Client) -> int:
    """How long until the schedule has room for one more request.

    Raises:
        ClientEndsError: it is over.
    """
    key = ("schedule", id(pace))
    begun_ns, taken = client.remembered.get(key, (client.now_ns, 0))
    after_s = (client.now_ns - begun_ns) / NS_PER_S
    # What no client was there to send is made up for within a second, or never.
    taken = max(taken, math.floor(count_by(pace.schedule, after_s - 1)))
    client.remembered[key] = (begun_ns, taken + 1)
    due_s = instant_of(pace.schedule, taken)
    if due_s is None or after_s >= sum(seconds for seconds, _, _ in pace.schedule):
        raise ClientEndsError("the schedule of its throughput is over")
    due_ns: int = begun_ns + int(due_s * NS_PER_S)
    return max(0, due_ns - client.now_ns)


def count_by(schedule: Iterable[tuple[float, float, float]], after_s: float) -> float:
    """How many requests a schedule has in its first `after_s` seconds: the integral of the rate."""
    count = 0.0
    for seconds, first, last in schedule:
        within = min(seconds, after_s)
        if within <= 0:
            break
        count += (first + (last - first) * within / seconds / 2) * within
        after_s -= seconds
    return count


def instant_of(schedule: Iterable[tuple[float, float, float]], number: int) -> float | None:
    """When request `number`, from 0, is due: where the integral of the rate reaches it; None: never.

    With a, b the rates at both ends of a stretch of T s and k = (b - a) / T, N(t) = a t + k t^2 / 2 = n at
    t = 2 n / (a + sqrt(a^2 + 2 k n)).
    """
    begin_s, before = 0.0, 0.0
    for seconds, first, last in schedule:
        count = (first + last) / 2 * seconds
        if number < before + count - 1e-9:
            n = number - before
            if n <= 0:
                return begin_s
            growth = (last - first) / seconds
            return begin_s + 2 * n / (first + math.sqrt(max(0.0, first * first + 2 * growth * n)))
        before += count
        begin_s += seconds
    return None
