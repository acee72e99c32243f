"""Counts of a load in progress, taken from the rows that have ended (`engine.ended`).

CPU time of a look, measured: 0.4 ms if nothing has ended; for each request that has ended since the last look 0.2 us
among neighbours, 0.8 us if scattered. With 100,000 of 1,000,000 rows in flight, 4 ms for 2,500 that ended in random
places.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, compress
from operator import sub

from holdfast.engine.buckets import Buckets, Recent, counted, lag_us, latency_ms
from holdfast.engine.columns import Columns
from holdfast.engine.ended import RUNS, stretches
from holdfast.engine.processes import Watched
from holdfast.model.places import REPLIED, Outcome
from holdfast.model.progress import LabelProgress, Progress
from holdfast.model.units import NS_PER_S

WINDOW_S = 5
# Rows that ended side by side are taken as slices if they are so many: a slice takes 3 us, a row alone 0.4 us.
_SLICED = 12
BOUNDS_S = (
    *(0.0001, 0.00025, 0.0005),
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
"""Bounds in seconds of the buckets that others are told of."""

_REPLIED = bytes(value in REPLIED for value in range(256))
_NAMES = {each.value: each.label for each in Outcome if each is not Outcome.PENDING}


class Account:
    """What became of the requests of one label."""

    __slots__ = ("latency", "new_ends", "new_times", "outcomes")

    def __init__(self) -> None:
        self.latency = Buckets()
        self.outcomes = [0] * len(Outcome)
        self.new_ends: list[bytes] = []
        self.new_times: list[int] = []

    def close(self) -> list[int]:
        """Counts what is new, and returns its latencies, ascending."""
        ends = b"".join(self.new_ends)
        for outcome in range(1, len(Outcome)):
            self.outcomes[outcome] += ends.count(outcome)
        times = sorted(self.new_times)
        self.latency.add(counted(times), sum(times), times[-1] if times else 0)
        self.new_ends, self.new_times = [], []
        return times


class LiveCounts:
    """The counts of a run, updated from look to look. Invariant: each row is counted once, when it has ended.

    The instants of looks must ascend.
    """

    def __init__(self, watched: Watched, labels: Sequence[Sequence[str]]) -> None:
        """Has counted nothing yet.

        Args:
            labels: of the steps of each plan.
        """
        self._watched = watched
        self._labels = labels
        self._accounts = {label: Account() for label in chain.from_iterable(labels)}
        self._stretches = list(stretches(watched))
        self._latency = Buckets()
        self._recent = Recent(WINDOW_S * NS_PER_S)
        self._lag = Buckets()
        self._lags_of = [0] * len(watched.shares)
        self._rates = deque([(watched.start_ns, 0, 0, 0)])

    def look(self, now_ns: int) -> Progress:
        """Counts what has happened since the last look; returns the state of the run.

        Args:
            now_ns: CLOCK_MONOTONIC.
        """
        watched = self._watched
        reaches = [stretch.reach(watched) for stretch in self._stretches]
        begun = sum(watched.tally.begun)
        lags = list(self._lags_at_begin())
        for stretch, reach in zip(self._stretches, reaches, strict=True):
            for first, new, outcomes in stretch.ended(watched.columns.outcome, reach):
                lags += self._count(stretch.plan, first, new, outcomes)
        lags.sort()
        self._lag.add(counted(lags), sum(lags), lags[-1] if lags else 0)
        times = sorted(chain.from_iterable(account.close() for account in self._accounts.values()))
        buckets, most_ns = counted(times), times[-1] if times else 0
        self._latency.add(buckets, sum(times), most_ns)
        self._recent.add(now_ns, buckets, most_ns)
        return self._progress(now_ns, begun)

    def _lags_at_begin(self) -> Iterator[int]:
        """Pacing lags of the rows begun since the last look, for shapes that have them at the begin."""
        watched = self._watched
        for number, (plan, part) in enumerate(watched.shares):
            if watched.plans[plan].shape.lag_known_at == "begin":
                begun, start = watched.tally.begun[number], watched.spans[plan].start
                rows = part.rows[self._lags_of[number] : begun]
                self._lags_of[number] = begun
                yield from lags_of(watched.columns, slice(start + rows.start, start + rows.stop, rows.step))

    def _count(self, plan: int, first: int, new: bytes, outcomes: bytes) -> list[int]:
        """Notes the rows of a block that have ended; returns their pacing lags, if those are known at the end."""
        watched, columns = self._watched, self._watched.columns
        labels, start = self._labels[plan], watched.spans[plan].start
        accounts, steps = [self._accounts[label] for label in labels], len(labels)
        lags_at_end = watched.plans[plan].shape.lag_known_at == "end"
        lags: list[int] = []
        apart: list[int] = []
        for run in RUNS.finditer(new):
            if run.end() - run.start() < _SLICED * steps:
                apart += range(run.start(), run.end())
                continue
            if lags_at_end:
                lags += lags_of(columns, slice(first + run.start(), first + run.end()))
            for at in range(run.start(), run.start() + steps):
                account = accounts[(first + at - start) % steps]
                ends = outcomes[at : run.end() : steps]
                rows = slice(first + at, first + run.end(), steps)
                account.new_ends.append(ends)
                took = map(sub, columns.done[rows], columns.due[rows])
                account.new_times += compress(took, ends.translate(_REPLIED))
        due, done = columns.due, columns.done
        for step in range(steps if apart else 0):
            own = apart if steps == 1 else [at for at in apart if (first + at - start) % steps == step]
            accounts[step].new_ends.append(bytes([outcomes[at] for at in own]))
            accounts[step].new_times += [done[first + at] - due[first + at] for at in own if _REPLIED[outcomes[at]]]
        if lags_at_end:
            for at in apart:
                lags += lags_of(columns, slice(first + at, first + at + 1))
        return lags

    def _progress(self, now_ns: int, begun: int) -> Progress:
        watched = self._watched
        elapsed_ns = max(0, now_ns - watched.start_ns)
        # Labels of journeys are known once a request of theirs has ended.
        accounts = [each.outcomes for each in self._accounts.values()] or [[0] * len(Outcome)]
        outcomes = [sum(each) for each in zip(*accounts, strict=True)]
        replied = sum(outcomes[each] for each in REPLIED)
        due = _sum(watched.plans[plan].shape.due_by(part, now_ns - watched.start_ns) for plan, part in watched.shares)
        while len(self._rates) > 1 and self._rates[1][0] <= now_ns - WINDOW_S * NS_PER_S:
            self._rates.popleft()
        at_ns, *before = self._rates[0]
        since_s = (now_ns - at_ns) / NS_PER_S
        asked, began, replies = (
            (count - then) / since_s if since_s > 0 else None
            for count, then in zip((due or 0, begun, replied), before, strict=True)
        )
        self._rates.append((now_ns, due or 0, begun, replied))
        return Progress(
            elapsed_s=elapsed_ns / NS_PER_S,
            planned_s=_most(plan.shape.planned_s for plan in watched.plans),
            planned=_sum(plan.shape.planned for plan in watched.plans),
            due=due,
            begun=begun,
            outcomes=_by_name(outcomes),
            window_s=min(WINDOW_S, elapsed_ns / NS_PER_S),
            asked_per_s=None if due is None else asked,
            begun_per_s=began,
            replied_per_s=replies,
            recent_ms=self._recent.latency_ms(),
            whole_ms=latency_ms(self._latency),
            lag_us=lag_us(self._lag),
            lag=self._lag.times(BOUNDS_S),
            labels=tuple(
                LabelProgress(
                    label,
                    _by_name(account.outcomes),
                    latency_ms(account.latency),
                    account.latency.times(BOUNDS_S),
                )
                for label, account in self._accounts.items()
            ),
        )


def is_replied(outcome: int) -> bool:
    """Whether a row with this outcome got a whole reply."""
    return bool(_REPLIED[outcome])


def lags_of(columns: Columns, rows: slice) -> list[int]:
    """How much later than due these rows began: by opening a connection, or by sending on a kept one."""
    due, opened = columns.due[rows], columns.opened[rows]
    if 0 in opened:
        return [(at or sent) - planned for at, sent, planned in zip(opened, columns.sent[rows], due, strict=True)]
    return list(map(sub, opened, due))


def _sum(counts: Iterable[int | None]) -> int | None:
    """The sum; None if one of them is not known."""
    known = list(counts)
    return None if None in known else sum(each for each in known if each is not None)


def _most(times_s: Iterable[float | None]) -> float | None:
    """The longest; None if one of them is not known."""
    known = list(times_s)
    return None if None in known else max(each for each in known if each is not None)


def _by_name(outcomes: Sequence[int]) -> dict[str, int]:
    return {name: outcomes[value] for value, name in _NAMES.items() if outcomes[value]}
