"""Carries out journeys: the loop of a load process that has some or all of their clients.

Decisions
---------
* Where clients share anything (`journeys.sharing`), one process has all of them. Otherwise they are dealt out among
  processes as rows are: the process that has every n-th row has every n-th client.
* A walk decides, this loop carries out: it resumes a walk whenever what that waits for is there (`journeys.steps`).
* Each client has one timer for its timeouts, which is set anew when it is due: requests that end in time cost none.
* What a client does for one request (`fetching`) is begun only once there is more to do than that request: a redirect,
  cookies, or what the page embeds.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable, Sequence

from holdfast.engine.arrivals import Arrivals, batches, dealt
from holdfast.engine.columns import Columns, Tally
from holdfast.engine.exchanges import Exchanges, FullError
from holdfast.engine.fetching import Ended, Verdict, answer_of, judged
from holdfast.engine.following import Following, is_alone, new_cookies
from holdfast.engine.journey_plan import Travel
from holdfast.engine.loop import AT_ONCE
from holdfast.engine.matching import in_time
from holdfast.engine.plan import Stop, stop_reason
from holdfast.engine.stalls import Stalls
from holdfast.engine.timeouts import IDLE_NS
from holdfast.engine.visitor import Visitor
from holdfast.journeys.steps import EndLoad, Grouped, Judged, NewVisitor, Sending, Step, Told, Unsent, Waiting
from holdfast.model.answers import Answer
from holdfast.model.load import MIN_ENDED, StopRule
from holdfast.model.places import Outcome

_NO_RULE = StopRule()
_BEGINS = (Sending, Unsent, Waiting)
BREATH_NS = 1_000_000
MOST_BUSY_NS = 5 * BREATH_NS
"""So long a walk that waits for nothing may keep all others from being resumed; then these come first."""
MOST_FAULTS = 5
"""Different faults of walks that are told."""


class Travelling:
    """The clients of a load's journeys that this process has.

    Attributes:
        exchanges: what they send.
        following: cookies, redirects, and what pages embed.
        stop: how the load is to end.
        faults: what went wrong with walks, in words, and how often.
    """

    def __init__(  # parameters: of `run_journeys`
        self,
        travel: Travel,
        columns: Columns,
        rows: range,
        sources: Sequence[str],
        start_ns: int,
        rule: StopRule,
    ) -> None:
        """Nothing has begun; arguments as of `run_journeys`."""
        self._share = rows
        self._travel = travel
        self._rule = rule
        self._has_rule = rule != _NO_RULE
        self._start_ns = start_ns
        self._batches = batches(travel.journeys)
        self._arrivals: list[tuple[int, int, Arrivals]] = []
        self._waiting: list[tuple[int, int, Visitor]] = []
        self._busy: deque[Visitor] = deque()
        self._here: set[Visitor] = set()
        self._turns = 0
        self._clients = 0
        self.exchanges = Exchanges(columns, travel.particulars, travel.target_of, sources, rows)
        self.following = Following(self.exchanges.origins.may, in_time)
        self.stop = Stop.NOT
        self.faults: dict[str, int] = {}

    def run(self, stopped: Callable[[], Stop], tally: Tally, number: int) -> Stalls:
        """Carries out all journeys; returns the stalls of this process.

        Args:
            stopped: as of `load_runs`.
            number: of the process in the tally.
        """
        exchanges, own, stalls, now_ns = self.exchanges, self._travel.own, Stalls(), time.monotonic_ns()
        while self._goes_on(now_ns):
            self.stop = max(self.stop, stopped())
            if (ending := self._travel.particulars.ending) > self.stop:
                self.stop = Stop(ending)
            if self.stop is Stop.DRAIN:
                self._wake_all()
            if self.stop is Stop.AT_ONCE:
                break
            exchanges.expire(now_ns)
            self._begin_due(now_ns)
            in_flight, before_ns = bool(exchanges.in_flight), time.monotonic_ns()
            spent_ns = own.spent_ns
            wait_ns = self._wait_ns(before_ns)
            exchanges.origins.turn(wait_ns)
            for visitor, ended in exchanges.just_ended():
                self._resume(visitor, ended)
            self._write(tally, number)
            if self.nothing_listens():
                self.stop = max(self.stop, Stop.DRAIN)
            now_ns = time.monotonic_ns()
            if spent_ns := own.spent_ns - spent_ns:
                exchanges.hold_up(spent_ns)
            if in_flight:
                stalls.add(now_ns - before_ns - wait_ns - spent_ns)
        self._give_up()
        self._write(tally, number)
        return stalls

    def nothing_listens(self) -> str | None:
        """Why the load can end early, as any load whose requests wait for replies can (`processes`); None if not."""
        servers = [*self.exchanges.origins.all()]
        refused = sum(each.refused for each in servers)
        if refused < MIN_ENDED or any(each.reached for each in servers):
            return None
        if any(crew.open for crew in self._travel.journeys.crews):
            return None
        return f"the first {refused} connections were refused, so nothing listens there"

    def faults_in_words(self) -> list[str]:
        """What went wrong with walks."""
        return [words if many == 1 else f"{words} ({many:,} times)" for words, many in self.faults.items()]

    def _write(self, tally: Tally, number: int) -> None:
        exchanges = self.exchanges
        tally.begun[number], tally.ended[number] = exchanges.begun, exchanges.ended
        tally.unanswered[number], tally.reached[number] = exchanges.unanswered, exchanges.reach

    def _goes_on(self, now_ns: int) -> bool:
        """Whether a client is here or still to come; begins the next crews where all of those before have left."""
        while not self._here and not self._arrivals:
            places = None if self.stop else next(self._batches, None)
            if places is None:
                return False
            for place in places:
                ours = dealt(self._travel.journeys, place, self._share)
                self._expect(Arrivals(self._travel.journeys.crews[place], place, max(now_ns, self._start_ns), ours))
        return True

    def _expect(self, arrivals: Arrivals) -> None:
        due_ns = arrivals.due_ns()
        if due_ns is not None:
            self._turns += 1
            heapq.heappush(self._arrivals, (due_ns, self._turns, arrivals))

    def _begin_due(self, now_ns: int) -> None:
        """Lets clients come that are due, and resumes those whose wait is over."""
        for _ in range(AT_ONCE):
            if not self._arrivals or self._arrivals[0][0] > now_ns:
                break
            due_ns, _, arrivals = heapq.heappop(self._arrivals)
            self._comes(arrivals, due_ns, now_ns)
            self._expect(arrivals)
        for _ in range(AT_ONCE):
            if not self._waiting or self._waiting[0][0] > now_ns:
                break
            until_ns, _, visitor = heapq.heappop(self._waiting)
            visitor.due_ns = max(visitor.due_ns, until_ns)
            self._advance(visitor, self._told(visitor))
        if self._busy:
            visitor = self._busy.popleft()
            self._advance(visitor, self._told(visitor))

    def _comes(self, arrivals: Arrivals, due_ns: int, now_ns: int) -> None:
        number, stay = arrivals.take()
        crew = self._travel.journeys.crews[arrivals.place]
        until_ns = None if stay.until_ns is None else arrivals.begins_ns + stay.until_ns
        if until_ns is not None and until_ns <= now_ns:
            return
        self._clients += 1
        visitor = Visitor(crew, arrivals.place, number, self._clients, self._travel.walk(crew, number))
        visitor.due_ns, visitor.until_ns = due_ns, until_ns
        if crew.cookies:
            visitor.cookies = new_cookies(visitor)
        self._here.add(visitor)
        self._advance(visitor, None)

    def _wake_all(self) -> None:
        """Ends what clients wait for: the load is to end."""
        self._arrivals.clear()
        waiting, self._waiting = self._waiting, []
        busy, self._busy = self._busy, deque()
        for visitor in (*busy, *(visitor for _, _, visitor in waiting)):
            self._advance(visitor, self._told(visitor))

    def _wait_ns(self, now_ns: int) -> int:
        if self.exchanges.at_once or self._busy:
            self.exchanges.at_once = False
            return 0
        next_ns = [heap[0][0] for heap in (self._arrivals, self._waiting) if heap]
        alarm_ns = self.exchanges.next_alarm_ns()
        return max(0, min([now_ns + IDLE_NS, *next_ns, *([] if alarm_ns is None else [alarm_ns])]) - now_ns)

    def _told(self, visitor: Visitor, answer: Answer | None = None) -> Told:
        now_ns = time.monotonic_ns()
        if answer is None:
            answer, visitor.answer = visitor.answer, None
        over = visitor.until_ns is not None and now_ns >= visitor.until_ns
        if self._travel.own.is_over:
            self.stop = max(self.stop, Stop.DRAIN)
        return Told(now_ns, answer, bool(self.stop) or over)

    def _advance(self, visitor: Visitor, told: Told | None) -> None:
        """Resumes a walk until it waits for something, or ends."""
        walk, begun_ns = visitor.walk, time.monotonic_ns()
        while True:
            try:
                step = next(walk) if told is None else walk.send(told)
            except StopIteration:
                break
            except Exception as error:  # noqa: BLE001 - a fault of one client must not end the others
                self._blame(error)
                break
            if type(step) is not Judged:
                self._settle(visitor)
            if (self.stop or (told is not None and told.ending)) and isinstance(step, _BEGINS):
                break
            try:
                answer = self._carry_out(visitor, step)
            except FullError:
                self.faults[f"The load ended early: it has rows for {self.exchanges.begun:,} requests."] = 1
                self._end(Stop.DRAIN)
                break
            if answer is not None and answer is not _LATER:
                # It ended as it began: a client that can send nothing must not keep the others from sending.
                visitor.answer = answer
                answer = self._wait(visitor, time.monotonic_ns() + BREATH_NS)
            if answer is None and isinstance(step, Waiting) and time.monotonic_ns() > begun_ns + MOST_BUSY_NS:
                self._busy.append(visitor)
                return
            if answer is _LATER:
                return
            told = self._told(visitor)
        self._leaves(visitor)

    def _carry_out(self, visitor: Visitor, step: Step) -> Answer | None:
        """Carries out a step; returns the answer to a request that has ended already, or `_LATER`.

        Raises:
            FullError: there is no row left.
        """
        match step:
            case Sending():
                return self._send(visitor, step)
            case Waiting(until_ns, idle):
                visitor.idle_since_ns = (visitor.idle_since_ns or time.monotonic_ns()) if idle else 0
                return self._wait(visitor, until_ns)
            case Judged():
                self._judge(visitor, step)
            case Unsent(label, why, number):
                visitor.asked = number
                self.exchanges.refuse(visitor, label, why)
            case NewVisitor():
                self._renew(visitor, step)
            case Grouped():
                self._note_group(visitor, step)
            case EndLoad(at_once):
                self._end(Stop.AT_ONCE if at_once else Stop.DRAIN)
        return None

    def _end(self, how: Stop) -> None:
        """Ends the load, in all of its processes."""
        self.stop = max(self.stop, how)
        self._travel.particulars.ending = self.stop

    def _send(self, visitor: Visitor, sending: Sending) -> Answer:
        """Begins a request; returns the answer if it has ended already, or `_LATER`."""
        visitor.timeouts, visitor.keeps, visitor.asked = sending.timeouts, sending.keep_alive, sending.number
        visitor.sending, visitor.idle_since_ns = sending, 0
        if not is_alone(sending):
            visitor.fetching = self.following.fetching(sending, visitor)
            return self._fetch(visitor, None)
        ended = self.exchanges.begin(visitor, self.following.first(sending, visitor))
        return _LATER if ended is None else self._first_ended(visitor, ended)

    def _first_ended(self, visitor: Visitor, ended: Ended) -> Answer:
        """What follows the first exchange of a request; as `_send`."""
        sending = visitor.sending
        assert sending is not None
        assert visitor.exchange is not None
        if not self.following.is_over(sending, visitor, ended):
            visitor.fetching = self.following.fetching(sending, visitor)
            next(visitor.fetching)  # that exchange
            return self._fetch(visitor, ended)
        outcome, why = judged(ended, sending, visitor.exchange)
        visitor.last = Verdict(ended.row, outcome, why)
        return answer_of(visitor.exchange, ended, outcome, why, ended.due_ns)

    def _wait(self, visitor: Visitor, until_ns: int) -> Answer | None:
        """Lets a client wait, at most until its end; returns `_LATER`, or None where that time has passed.

        What it is told after that is `visitor.answer`, if it has one.
        """
        if visitor.until_ns is not None:
            until_ns = min(until_ns, visitor.until_ns)
        if until_ns <= time.monotonic_ns():
            visitor.due_ns = max(visitor.due_ns, until_ns)
            return None
        self._turns += 1
        heapq.heappush(self._waiting, (until_ns, self._turns, visitor))
        return _LATER

    def _fetch(self, visitor: Visitor, ended: Ended | None) -> Answer:
        """Continues what a client does for a request; returns the answer, or `_LATER`."""
        assert visitor.fetching is not None
        while True:
            try:
                step = visitor.fetching.send(ended)
            except StopIteration as over:
                visitor.fetching, visitor.last = None, over.value.last
                answer: Answer = over.value.answer
                return answer
            if isinstance(step, Verdict):
                self.exchanges.settle(step)
                ended = None
                continue
            ended = self.exchanges.begin(visitor, step)
            if ended is None:
                return _LATER

    def _resume(self, visitor: Visitor, ended: Ended) -> None:
        """Continues a client whose exchange has ended."""
        try:
            fetch = self._first_ended if visitor.fetching is None else self._fetch
            answer = fetch(visitor, ended)
        except FullError:
            self._end(Stop.DRAIN)
            self._leaves(visitor)
            return
        if answer is not _LATER:
            self._advance(visitor, self._told(visitor, answer))

    def _judge(self, visitor: Visitor, judged: Judged) -> None:
        """What a journey makes of the answer to its last request."""
        if (last := visitor.last) is None:
            return
        if judged.answered and last.outcome is Outcome.REJECTED:
            visitor.last = Verdict(last.row, Outcome.ANSWERED, "")
        elif not judged.answered:
            wrong = Outcome.FAILED if judged.ours else Outcome.WRONG_BODY
            outcome = wrong if last.outcome is Outcome.ANSWERED else last.outcome
            visitor.last = Verdict(last.row, outcome, judged.why or last.why)

    def _settle(self, visitor: Visitor) -> None:
        """Writes the outcome of a client's last request, which its journey has had the time to judge."""
        if visitor.last is not None:
            self.exchanges.settle(visitor.last)
            visitor.last = None
            exchanges = self.exchanges
            if self._has_rule and stop_reason(self._rule, exchanges.ended, exchanges.unanswered):
                self.stop = max(self.stop, Stop.DRAIN)

    def _renew(self, visitor: Visitor, step: NewVisitor) -> None:
        if step.connections:
            self.exchanges.origins.forget(visitor.client)
        if step.cookies and visitor.cookies is not None:
            visitor.cookies.clear()
        for number in step.caches:
            visitor.caches.pop(number, None)

    def _note_group(self, visitor: Visitor, step: Grouped) -> None:
        known = self._travel.particulars
        label = known.texts.number_of(step.label)
        whose = (label, visitor.number, visitor.place, int(step.answered))
        counts = (step.requests, step.failed, max(0, step.pauses_ns))
        known.grouped.add((*whose, time.monotonic_ns(), max(0, step.took_ns), *counts))

    def _blame(self, error: Exception) -> None:
        words = f"A client's journey ended with an error: {type(error).__name__}: {error}."
        if words in self.faults or len(self.faults) < MOST_FAULTS:
            self.faults[words] = self.faults.get(words, 0) + 1

    def _leaves(self, visitor: Visitor) -> None:
        self._settle(visitor)
        visitor.walk.close()
        self.following.note_idle(visitor)
        self.exchanges.origins.forget(visitor.client)
        self._here.discard(visitor)

    def _give_up(self) -> None:
        self.exchanges.give_up()
        for visitor in [*self._here]:
            self._leaves(visitor)


_LATER = Answer("", answered=False, status=0, message="", head="", body=b"")
"""In place of an answer that is not there yet."""
