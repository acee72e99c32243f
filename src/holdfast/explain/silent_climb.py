"""Opens silent connections until an ordinary request waits, and looks what becomes of both.

Decisions
---------
* An ordinary request follows each silent connection up to `_ONE_BY_ONE`, then each sixteenth part more. Where one waits
  after several were opened together, those leave, and the way up is taken again one by one.
* A request waits if it takes ten times as long as it usually does, and a quarter of a second. That may be the machine's
  doing: where it is answered though no silent connection has ended, all of that is done once more, with new ones.
* What ends the wait is seen, not inferred: either the server ends silent connections, or we do, at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from holdfast.errors import InconclusiveError
from holdfast.load.silent_connections import SilentConnections
from holdfast.model.address import is_unix
from holdfast.model.frozen import frozen
from holdfast.model.places import Outcome
from holdfast.model.silent import OrdinaryRequest, Silence, SilentRun
from holdfast.model.units import MS, NS_PER_S
from holdfast.probe.readiness import check_alive
from holdfast.probe.session import Batch, Session

_USUAL = 5
_USUAL_WITHIN_NS = 10 * NS_PER_S
_TIMES_USUAL = 10
_LEAST_WAIT_NS = 250 * MS
_ONE_BY_ONE = 64
_PART = 16
_DRAINED_WITHIN_NS = 30 * MS
_TURN_NS = MS
_MISSES = 3
# Steps after which no more are open than before: the server keeps no more open.
_STALE = 8
_FREED_WITHIN_NS = 3 * NS_PER_S
_ASK_AGAIN_NS = 250 * MS
_LOOK_NS = 100 * MS
_LONGEST_CLIMB_NS = 30 * NS_PER_S

_HELD = frozenset({"ESTABLISHED", "CLOSE_WAIT", "SYN_RECV"})


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


class Clients:
    """Silent and ordinary clients of one server."""

    def __init__(  # parameters: the server, both kinds of clients, and what each sends
        self,
        session: Session,
        silence: Silence,
        silent: SilentConnections,
        sent: Batch,
        half: bytes,
        whole: Callable[[int], bytes],
    ) -> None:
        """No client yet.

        Args:
            half: request line and one header field.
            whole: slot -> a request that leaves its connection open.
        """
        self.session = session
        self.silence: Silence = silence
        self.silent = silent
        self.prober = sent.prober
        self._slots = sent.slots
        self._half = half
        self._whole = whole
        self._next_look_ns = 0

    @property
    def now_ns(self) -> int:
        """CLOCK_MONOTONIC."""
        return self.session.now_ns()

    def ask(self) -> int:
        """Sends an ordinary request, and gives its row.

        Raises:
            InconclusiveError: our own side has no means left.
        """
        row = self.prober.offered
        if row >= len(self._slots) // 2:
            raise InconclusiveError("The run has no room for another request.", "It took more steps than it may.", "")
        self.session.recording.release(self._slots[row])
        self.prober.open(1)
        if (failure := self.prober.failure) is not None:
            raise _own_limit(failure.words)
        return row

    def outcome(self, row: int) -> Outcome:
        """What became of an ordinary request."""
        return Outcome(self.prober.columns.outcome[row])

    def done_ns(self, row: int) -> int:
        """When it ended; 0 before."""
        return self.prober.columns.done[row]

    def add(self, within_ns: int) -> bool:
        """Opens a silent connection; False where it is not open and silent within that time.

        Raises:
            InconclusiveError: our own side has no means left.
        """
        number = self._begin()
        self._turn_until(
            lambda: self.silent.is_silent(number) or not self.silent.is_open(number),
            self.now_ns + within_ns,
            self._turn_silent,
        )
        if not self.silent.is_silent(number):
            return False
        if self.silence in {"nothing", "half a request"}:
            # Seen from here it is connected as soon as it is in the queue. What has answered has taken it.
            self._turn_until(self._is_drained, self.now_ns + _DRAINED_WITHIN_NS, self._turn_silent)
        return self.silent.is_open(number)

    def turn_until(self, reached: Callable[[], bool], until_ns: int) -> bool:
        """Lets time pass until a state is reached; False if it did not come by then, or the person wants to stop.

        Raises:
            InconclusiveError: the server has ended.
        """
        return self._turn_until(reached, until_ns, self._turn_ordinary)

    def _turn_ordinary(self) -> None:
        self.prober.turn(_TURN_NS)
        self.silent.look()

    def _turn_silent(self) -> None:
        self.silent.look(_TURN_NS / NS_PER_S)
        self.prober.turn(0)

    def _turn_until(self, reached: Callable[[], bool], until_ns: int, turn: Callable[[], None]) -> bool:
        while not reached():
            if self.now_ns > until_ns or self.session.interrupts.asked:
                return False
            turn()
            if self.now_ns >= self._next_look_ns:
                self._next_look_ns = self.now_ns + _LOOK_NS
                check_alive(self.session.server, "in the middle of the run", InconclusiveError)
                self._look_at_unread()
        return True

    def _begin(self) -> int:
        try:
            match self.silence:
                case "nothing":
                    return self.silent.open(b"")
                case "half a request":
                    return self.silent.open(self._half)
                case "idle":
                    return self.silent.open(self._whole_one(), answered=True)
                case "unread":
                    return self.silent.open(self._whole_one(), reads=False)
        except OSError as error:
            raise _own_limit(str(error)) from error

    def _whole_one(self) -> bytes:
        """The next one's request, from the end of the slots; the last slot serves all that come after it."""
        slot = self._slots[max(len(self._slots) // 2, len(self._slots) - 1 - self.silent.begun)]
        self.session.recording.release(slot)
        return self._whole(slot)

    def _is_drained(self) -> bool:
        return not self.session.kernel.accept_queue(self.session.listen_address).depth

    def _look_at_unread(self) -> None:
        """Notes which connections that are not read the server has closed: the FIN waits behind what is unread."""
        if self.silence != "unread" or is_unix(self.session.address):
            return
        held = {
            each.peer_port
            for each in self.session.kernel.server_sockets(self.session.listen_address)
            if each.state in _HELD
        }
        for port, number in self.silent.unread_ports().items():
            if port not in held and self.silent.is_silent(number):
                self.silent.note_end(number)


def _own_limit(words: str) -> InconclusiveError:
    return InconclusiveError(
        "The load side was the limit.", words, "Raise the limit of holdfast's own process (ulimit -n)."
    )


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
        return SilentRun(
            silence=self._clients.silence,
            most=self._limits.most,
            limit_ns=self._limit_ns,
            usual=tuple(usual),
            connections=self._clients.silent.connections(),
            requests=tuple(self._request(*each) for each in self._requests[_USUAL:]),
            decisive=None if self._decisive is None else self._decisive - _USUAL,
            fewer=self._fewer,
            watched_from_ns=self._watched_from_ns,
            watched_to_ns=self._watched_to_ns,
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
        self._limit_ns = max(_LEAST_WAIT_NS, int(_TIMES_USUAL * median(took)))

    def _climb(self, until_ns: int) -> int | None:
        """The row of the first request that waits, or is turned away; None where none does."""
        clients, stale = self._clients, 0
        while not clients.session.interrupts.asked:
            before = clients.silent.silent
            step = 1 if before < self._fine_until else max(1, before // _PART)
            self._open_up_to(min(before + step, self._limits.most))
            now = clients.silent.silent
            row = self._ask()
            if self._is_answered_in_time(row):
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
        return self._is_answered_in_time(self._ask())

    def _watch(self) -> bool:
        """Looks what becomes of the silent ones and the request; False where that did not wait because of them."""
        clients = self._clients
        until_ns = self._watch_from_now()
        ended = clients.silent.ended
        if (row := self._decisive) is not None:
            clients.turn_until(lambda: self._has_ended(row) or clients.silent.ended > ended, until_ns)
            if self._has_ended(row) and clients.silent.ended == ended:
                # The server has set them aside, or it was the machine.
                again = self._ask_with_new_ones(self._silent_at(row))
                if self._is_answered_in_time(again):
                    return False
                self._decisive, until_ns = again, self._watch_from_now()
            self._await_answer(self._decisive or row, until_ns)
        clients.turn_until(lambda: not self._first_is_open(), until_ns)
        self._watched_to_ns = clients.now_ns
        return True

    def _watch_from_now(self) -> int:
        """Until when."""
        self._watched_from_ns = self._clients.now_ns
        limits = self._limits
        patience_s = limits.harmless_patience_s if self._decisive is None else limits.patience_s
        return self._watched_from_ns + int(patience_s * NS_PER_S)

    def _ask_with_new_ones(self, count: int) -> int:
        """Lets all silent ones leave, opens as many again, and gives the row of an ordinary request after them."""
        clients = self._clients
        clients.silent.leave(clients.silent.begun)
        self._is_answered_in_time(self._ask())
        self._open_up_to(count)
        return self._ask()

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

    def _first_is_open(self) -> bool:
        """Whether one of the silent ones that were opened first, and took, is still open."""
        silent = self._clients.silent
        first = next((each for each in range(silent.begun) if silent.took(each)), None)
        return first is not None and silent.is_open(first)

    def _leave(self) -> None:
        """Lets all silent ones leave, and asks once more."""
        clients = self._clients
        clients.silent.leave(clients.silent.begun)
        row = self._ask(silent=False)
        pending = [each for each, _ in self._requests if clients.outcome(each) is Outcome.PENDING]
        until_ns = clients.now_ns + max(_FREED_WITHIN_NS, self._limit_ns)
        clients.turn_until(lambda: self._has_ended(row) and all(map(self._has_ended, pending)), until_ns)

    def _ask(self, *, silent: bool = True) -> int:
        count = self._clients.silent.silent
        row = self._clients.ask()
        if silent:
            self._requests.append((row, count))
        else:
            self._left.append(row)
        return row

    def _has_ended(self, row: int) -> bool:
        return self._clients.done_ns(row) > 0

    def _is_answered_in_time(self, row: int) -> bool:
        ended = self._clients.turn_until(lambda: self._has_ended(row), self._clients.now_ns + self._limit_ns)
        return ended and self._clients.outcome(row) is Outcome.ANSWERED
