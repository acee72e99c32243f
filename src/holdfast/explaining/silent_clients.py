"""Silent and ordinary clients of one server, driven together."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.engine.silent_connections import SilentConnections
from holdfast.errors import InconclusiveError
from holdfast.model.address import is_unix
from holdfast.model.places import Outcome
from holdfast.model.silent import Silence
from holdfast.model.units import MS, NS_PER_S
from holdfast.probing.ramp_view import takers
from holdfast.probing.readiness import check_alive
from holdfast.probing.session import Batch, Session
from holdfast.probing.waits import OPEN_STATES

_DRAINED_WITHIN_NS = 30 * MS
_TURN_NS = MS
_LOOK_NS = 100 * MS
_FOR_EACH_TAKER, _MOST_TOGETHER = 4, 16


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

    def together(self) -> int:
        """How many requests to send together, so that they come to several workers where several take them."""
        listeners = self.session.kernel.listeners(self.session.listen_address)
        several = max(len(takers(self.session)), len(listeners))
        return 1 if several <= 1 else min(_MOST_TOGETHER, _FOR_EACH_TAKER * several)

    def queued(self) -> int | None:
        """Connections in the accept queue; None where there are several of them, or it cannot be read."""
        one = len(self.session.kernel.listeners(self.session.listen_address)) == 1
        return self.session.kernel.accept_queue(self.session.listen_address).depth if one else None

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
            if each.state in OPEN_STATES
        }
        for port, number in self.silent.unread_ports().items():
            if port not in held and self.silent.is_silent(number):
                self.silent.note_end(number)


def _own_limit(words: str) -> InconclusiveError:
    return InconclusiveError(
        "The load side was the limit.", words, "Raise the limit of holdfast's own process (ulimit -n)."
    )
