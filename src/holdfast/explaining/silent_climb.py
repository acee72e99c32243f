"""Opens silent connections until an ordinary request waits, and looks what becomes of both.

Decisions
---------
* An ordinary request follows each silent connection up to `_ONE_BY_ONE`, then each sixteenth part more. Where one waits
  after several were opened together, those leave, and the way up is taken again one by one.
* Where several workers take connections, several requests are sent together each time, so that some come to each.
* A request waits if it takes ten times as long as it usually does, and a quarter of a second. That may be the machine's
  doing: where it is answered though no silent connection has ended, all of that is done once more, with new ones.
* What ends the wait is seen, not inferred: either the server ends silent connections, or we do, at the end.
"""

from __future__ import annotations

from statistics import median

from holdfast.errors import InconclusiveError
from holdfast.explaining.silent_clients import Clients
from holdfast.model.frozen import frozen
from holdfast.model.places import Outcome
from holdfast.model.silent import OrdinaryRequest, SilentRun
from holdfast.model.units import MS, NS_PER_S

_USUAL = 5
_USUAL_WITHIN_NS = 10 * NS_PER_S
_TIMES_USUAL = 10
_LEAST_WAIT_NS = 250 * MS
_ONE_BY_ONE = 64
_PART = 16
_MISSES = 3
_LONG = 6
# Steps after which no more are open than before: the server keeps no more open.
_STALE = 8
_FREED_WITHIN_NS = 3 * NS_PER_S
_ASK_AGAIN_NS = 250 * MS
_LONGEST_CLIMB_NS = 30 * NS_PER_S


@frozen
class Limits:
    """How far to go.

    Attributes:
        most: silent connections at most.
        begin_with: so many are opened before the first ordinary request.
        patience_s, harmless_patience_s: how long to look what becomes of them, where they make a request wait, and
            where they do not.
    """

    most: int
    begin_with: int
    patience_s: float
    harmless_patience_s: float


class Climb:
    """One run, from the first ordinary request to the last silent client's leaving.

    Invariant: `requests` has one entry for each ordinary request, in order: its row, and the silent ones then.
    """

    def __init__(self, clients: Clients, limits: Limits) -> None:
        """Nothing has been sent."""
        self._clients = clients
        self._limits = limits
        self._requests: list[tuple[int, int]] = []
        self._left: list[int] = []
        self._others: list[int] = []
        self._together = 1
        # The one that was opened first of those that are open when it begins to be looked at.
        self._first: int | None = None
        self._queued: int | None = None
        self._limit_ns = _LEAST_WAIT_NS
        self._decisive: int | None = None
        self._fewer = 0
        self._watched_from_ns = self._watched_to_ns = 0
        self._fine_until = max(_ONE_BY_ONE, limits.begin_with)

    def measure(self) -> None:
        """Goes through all of it; what was seen is in `seen`, however far it came.

        Raises:
            InconclusiveError: the server has ended, or our own side was the limit.
        """
        self._take_usual()
        until_ns = self._clients.now_ns + _LONGEST_CLIMB_NS
        if self._limits.begin_with:
            self._open_up_to(self._limits.begin_with)
        while True:
            self._decisive = self._climb(until_ns)
            if self._watch():
                break
        if self._decisive is not None:
            self._leave()

    def seen(self) -> SilentRun:
        """What was seen so far."""
        usual = [self._request(row, 0) for row, _ in self._requests[:_USUAL]]
        rows = [row for row, _ in self._requests[_USUAL:]]
        return SilentRun(
            silence=self._clients.silence,
            most=self._limits.most,
            limit_ns=self._limit_ns,
            usual=tuple(usual),
            connections=self._clients.silent.connections(),
            requests=tuple(self._request(*each) for each in self._requests[_USUAL:]),
            decisive=None if self._decisive is None else rows.index(self._decisive),
            fewer=self._fewer,
            watched_from_ns=self._watched_from_ns,
            watched_to_ns=self._watched_to_ns,
            others=tuple(self._request(row, 0) for row in self._others),
            queued=self._queued,
            left=tuple(self._request(row, 0) for row in self._left),
        )

    def _request(self, row: int, silent: int) -> OrdinaryRequest:
        columns = self._clients.prober.columns
        return OrdinaryRequest(
            silent=silent,
            opened_ns=columns.opened[row],
            done_ns=columns.done[row],
            outcome=self._clients.outcome(row).label,
            status=columns.status[row],
            received=columns.received[row],
        )

    def _take_usual(self) -> None:
        clients, took = self._clients, []
        for _ in range(_USUAL):
            row = self._ask()
            if not clients.turn_until(lambda row=row: self._has_ended(row), clients.now_ns + _USUAL_WITHIN_NS):  # type: ignore[misc]
                raise InconclusiveError("The server did not answer an ordinary request.", "No client was silent yet.")
            took.append(clients.done_ns(row) - clients.prober.columns.opened[row])
            # A worker that is at work at that instant does not look like one that takes connections.
            self._together = max(self._together, clients.together())
        self._limit_ns = max(_LEAST_WAIT_NS, int(_TIMES_USUAL * median(took)))

    def _climb(self, until_ns: int) -> int | None:
        """The row of the first request that waits, or is turned away; None where none does."""
        clients, stale = self._clients, 0
        while not clients.session.interrupts.asked:
            before = clients.silent.silent
            step = 1 if before < self._fine_until else max(1, before // _PART)
            self._open_up_to(min(before + step, self._limits.most))
            now = clients.silent.silent
            row = self._ask_all()
            if row is None:
                stale = 0 if now > self._fewer else stale + 1
                self._fewer = max(self._fewer, now)
                if now >= self._limits.most or stale >= _STALE or self._is_enough(until_ns):
                    return None
            elif now - before <= 1 or not self._is_answered_without(now - before, row):
                return row
            else:
                self._fine_until = now + 1
        return None

    def _is_enough(self, until_ns: int) -> bool:
        """Whether it takes too long, or a time-out ends silent ones as fast as they come."""
        silent = self._clients.silent
        return (silent.ended > 0 and silent.begun >= self._limits.most) or self._clients.now_ns > until_ns

    def _open_up_to(self, target: int) -> None:
        misses, silent = 0, self._clients.silent
        most = silent.begun + 2 * target
        while silent.silent < target and misses < _MISSES and silent.begun < most:
            taken = self._clients.add(self._limit_ns)
            misses = 0 if taken else misses + 1
            if not taken and silent.is_open(silent.begun - 1):
                return  # It waits too.

    def _is_answered_without(self, count: int, row: int) -> bool:
        """Whether a request that waits, or else another one, is answered once the last silent ones have left."""
        clients = self._clients
        clients.silent.leave(count)
        until_ns = clients.now_ns + _FREED_WITHIN_NS
        clients.turn_until(lambda: self._has_ended(row), until_ns)
        if clients.outcome(row) in (Outcome.ANSWERED, Outcome.PENDING):
            return clients.outcome(row) is Outcome.ANSWERED
        return self._ask_all() is None

    def _watch(self) -> bool:
        """Looks what becomes of the silent ones and the request; False where that did not wait because of them."""
        clients = self._clients
        until_ns = self._watch_from_now()
        ended = clients.silent.ended
        if (row := self._decisive) is not None:
            clients.turn_until(lambda: self._has_ended(row) or clients.silent.ended > ended, until_ns)
            if self._has_ended(row) and clients.silent.ended == ended and not self._is_long(row):
                # The server has set them aside, or it was the machine.
                again = self._ask_with_new_ones(self._silent_at(row))
                if again is None:
                    return False
                self._decisive, until_ns = again, self._watch_from_now()
            self._await_answer(self._decisive or row, until_ns)
        clients.turn_until(lambda: self._first is None or not clients.silent.is_open(self._first), until_ns)
        self._watched_to_ns = clients.now_ns
        return True

    def _ask_all(self) -> int | None:
        """Asks once, or as often as it takes to come to several workers; the first that is not answered in time."""
        rows = [self._ask() for _ in range(self._together)]
        self._clients.turn_until(lambda: all(map(self._has_ended, rows)), self._clients.now_ns + self._limit_ns)
        late = next((each for each in rows if self._clients.outcome(each) is not Outcome.ANSWERED), None)
        if late is not None:
            self._others = [each for each in rows if each != late]
            self._queued = self._clients.queued()
        return late

    def _is_long(self, row: int) -> bool:
        """Whether a request waited for longer than the machine makes one wait; chance would hardly show it again."""
        took_ns = self._clients.done_ns(row) - self._clients.prober.columns.opened[row]
        return self._together > 1 and took_ns > _LONG * self._limit_ns

    def _watch_from_now(self) -> int:
        """Until when."""
        self._watched_from_ns, self._first = self._clients.now_ns, self._clients.silent.first
        limits = self._limits
        patience_s = limits.harmless_patience_s if self._decisive is None else limits.patience_s
        return self._watched_from_ns + int(patience_s * NS_PER_S)

    def _ask_with_new_ones(self, count: int) -> int | None:
        """Lets all silent ones leave, opens as many again, and asks: as `_ask_all`."""
        clients = self._clients
        clients.silent.leave(clients.silent.begun)
        self._await_recovery(clients.now_ns + _FREED_WITHIN_NS)
        self._open_up_to(count)
        return self._ask_all()

    def _silent_at(self, row: int) -> int:
        return next(silent for each, silent in self._requests if each == row)

    def _await_answer(self, row: int, until_ns: int) -> None:
        """Waits until a request is answered: this one, or one after it where it was turned away or answered late."""
        clients = self._clients
        clients.turn_until(lambda: self._has_ended(row), until_ns)
        while clients.outcome(row) is not Outcome.ANSWERED and clients.now_ns < until_ns:
            row = self._ask()
            clients.turn_until(lambda row=row: self._has_ended(row), until_ns)  # type: ignore[misc]
            clients.turn_until(lambda: False, min(until_ns, clients.now_ns + _ASK_AGAIN_NS))
            if clients.session.interrupts.asked:
                return

    def _leave(self) -> None:
        """Lets all silent ones leave, and asks once more."""
        clients = self._clients
        clients.silent.leave(clients.silent.begun)
        until_ns = clients.now_ns + max(_FREED_WITHIN_NS, self._limit_ns)
        self._left = self._await_recovery(until_ns)
        pending = [each for each, _ in self._requests if clients.outcome(each) is Outcome.PENDING]
        clients.turn_until(lambda: all(map(self._has_ended, pending)), until_ns)

    def _await_recovery(self, until_ns: int) -> list[int]:
        """Asks until a request is answered: the server may not have seen yet that the silent ones have left."""
        clients, rows = self._clients, []
        while not clients.session.interrupts.asked:
            row = clients.ask()
            rows.append(row)
            clients.turn_until(lambda row=row: self._has_ended(row), until_ns)  # type: ignore[misc]
            if clients.outcome(row) is Outcome.ANSWERED or clients.now_ns > until_ns:
                break
            clients.turn_until(lambda: False, min(until_ns, clients.now_ns + _ASK_AGAIN_NS))
        return rows

    def _ask(self) -> int:
        count = self._clients.silent.silent
        row = self._clients.ask()
        self._requests.append((row, count))
        return row

    def _has_ended(self, row: int) -> bool:
        return self._clients.done_ns(row) > 0
