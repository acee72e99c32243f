"""Walks through a journey as one client of a crew: a generator of steps for the engine; pure.

    shared = Shared(journeys, seed)
    for each client:    step = next(its walk);  step = its walk.send(Told(now_ns, ...))

See `steps` for what the two say to each other.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from holdfast.journeys.assertions import unmet
from holdfast.journeys.choices import GroupAbove
from holdfast.journeys.client import LAST_ANSWERED, Client, Shared
from holdfast.journeys.controls import BREATH, END, TURN, Control, Here, Looping, Repeating
from holdfast.journeys.extracts import take
from holdfast.journeys.in_time import OURS
from holdfast.journeys.leaves import Branch, Leaf, planned
from holdfast.journeys.made_up import lasts_ms, made_up
from holdfast.journeys.numbers import integer
from holdfast.journeys.paces import waits_ns
from holdfast.journeys.sending import sending_of
from holdfast.journeys.steps import EndLoad, Grouped, Judged, NewVisitor, Step, Told, Unsent, Waiting, Walk
from holdfast.journeys.templates import ClientEndsError, FunctionFailsError, NoValueError, text_of
from holdfast.journeys.tree import control_of
from holdfast.journeys.values import set_values
from holdfast.model.answers import Answer
from holdfast.model.journey import Crew, Delay, Leave, Meeting
from holdfast.model.journey_request import MadeUp, Request

__all__ = ["Shared", "walk"]

_OF_THE_PAST = (Judged, Grouped, EndLoad)
# A client that does nothing for so many leaves lets the engine do something else.
MOST_IDLE = 100
BREATH_NS = 1_000_000
_AFTER_FAILURE = {"next loop pass": "loop pass", "leave loop": "loop"}
FOR_EVER = -1
# Of leaves that are no nodes.
_PAUSES_NS = {BREATH: BREATH_NS, TURN: 5 * BREATH_NS}


def walk(crew: Crew, client: int, shared: Shared) -> Walk:
    """The walk of one client.

    Args:
        client: its number in the crew, from 1; it stays as the crew's `stays` say.
    """
    walker = _Walker(crew, client - 1, shared)
    try:
        try:
            yield from walker.run()
        except (_OverError, ClientEndsError) as error:
            if isinstance(error, FunctionFailsError):
                sent = walker.client.sent
                yield Unsent(sent.label if sent else "", str(error), sent.number if sent else 0)
            yield from walker.tell_of_the_past()
    finally:
        walker.is_gone()


class _OverError(Exception):
    """No further request may be begun, or the client has nothing left to do."""


class _Journey(Looping):
    """The whole journey of a client."""

    __slots__ = ()

    def begin_pass(self) -> None:
        """See `Control`."""
        client = self.here.client
        crew = client.member
        client.iteration += 1
        if client.iteration > 1 and (crew.clears_cookies or crew.new_each_pass or crew.clears_caches):
            self.here.steps.append(NewVisitor(crew.clears_cookies, crew.new_each_pass, crew.clears_caches))
        super().begin_pass()

    def give_up(self) -> None:
        """See `Control`: the passes that there were count."""
        self.renew()


class _Walker:
    """A walk, while it is under way.

    Attributes:
        whole: the control of the whole journey.
        over: no further request may be begun.
        idle: how many leaves there were since the engine was told anything that takes time; idle_ns: since when.
    """

    def __init__(self, crew: Crew, number: int, shared: Shared) -> None:
        self.crew = crew
        self.shared = shared
        self.client = Client(crew, number, shared)
        self.here = Here(self.client)
        self.whole: Control | None = None
        self.came = False
        self.over = False
        self.idle = self.idle_ns = 0
        self.times = FOR_EVER
        if (passes := crew.stays[number].passes if number < len(crew.stays) else 1) is not None:
            self.times = passes

    def run(self) -> Generator[Step, Told, None]:
        """All that the client does."""
        yield from self.say(Waiting(0))
        self.has_come()
        self.whole = root = self.root()
        while (leaf := root.next()) is not None:
            yield from self.catch_up()
            yield from self.do(leaf)
        yield from self.catch_up()

    def root(self) -> Control:
        """The control of the whole journey."""
        shared = self.client.crew_shared
        if shared.planned is None:
            shared.planned = planned(self.crew.journey)
        root = _Journey(self.here, None, shared.planned, lambda: self.times)
        root.index = self.crew.index
        root.children = [
            control_of(each, self.here, root) if isinstance(each, Branch) else each for each in shared.planned.below
        ]
        return root

    def has_come(self) -> None:
        """Counts the client as present."""
        self.came = True
        self.client.comes(self.client.now_ns)
        crew = self.client.crew_shared
        self.shared.counts(crew, 1)
        if crew.begun_ns is None:
            crew.begun_ns = self.client.now_ns

    def is_gone(self) -> None:
        """The opposite."""
        for lock in self.here.held:
            self.shared.remembered.pop(lock, None)
        if self.came:
            self.shared.counts(self.client.crew_shared, -1)

    def say(self, step: Step) -> Generator[Step, Told, Told]:
        """Says a step, and hears what came of it.

        Raises:
            _OverError: no further request may be begun.
        """
        of_the_past = isinstance(step, _OF_THE_PAST)
        if self.over and not of_the_past:
            raise _OverError
        if not of_the_past:
            self.idle = 0
        told = yield step
        self.client.now_ns = told.now_ns
        self.over = self.over or told.ending
        if self.over and told.answer is None and not of_the_past:
            raise _OverError
        return told

    def catch_up(self) -> Generator[Step, Told, None]:
        """Says what the controls have noted."""
        while self.here.steps:
            yield from self.say(self.here.steps.pop(0))

    def tell_of_the_past(self) -> Generator[Step, Told, None]:
        """Says what the controls have noted of what is over, at the end of the client."""
        for step in self.here.steps:
            if isinstance(step, _OF_THE_PAST):
                yield step

    def do(self, leaf: Leaf) -> Generator[Step, Told, None]:
        """Does what a leaf says."""
        node = leaf.node
        if isinstance(node, Request | MadeUp) or (isinstance(node, Delay | Leave) and node.label):
            self.client.labels(node.label)
        try:
            for each in leaf.sets:
                set_values(each, self.client)
        except FunctionFailsError as error:
            # JMeter leaves it out then, and continues.
            yield from self.cannot_send(str(error), leaf.number)
            return
        for meeting in leaf.meetings:
            yield from self.meet(meeting)
        if leaf.waits:
            yield from self.wait(waits_ns(leaf.waits, self.client))
        if isinstance(node, Request):
            yield from self.send(node, leaf.number)
        elif isinstance(node, MadeUp):
            yield from self.make_up(node)
        elif isinstance(node, Leave):
            yield from self.leave(node)
        elif leaf is END:
            self.after_transaction()
            yield from self.wait(0)
        else:
            for_ns = _PAUSES_NS.get(leaf, 0) if node is None else waits_ns((node,), self.client)
            yield from self.wait(for_ns, idle=leaf is BREATH)
        self.client.forgets_label()

    def wait(self, for_ns: int, *, idle: bool = False) -> Generator[Step, Told, None]:
        """Waits; now and then also if there is nothing to wait for, so that the engine can do something else."""
        if not self.idle:
            self.idle_ns = self.client.now_ns
        self.idle += 1
        if for_ns > 0:
            yield from self.say(Waiting(self.client.now_ns + max(for_ns, BREATH_NS), idle=idle))
        elif self.idle >= MOST_IDLE:
            yield from self.say(Waiting(self.idle_ns + BREATH_NS, idle=True))

    def meet(self, meeting: Meeting) -> Generator[Step, Told, None]:
        """Waits until as many clients are here as are to meet, or until it has waited long enough."""
        client = self.client
        key = ("meeting", id(meeting))
        size = integer(text_of(meeting.size, client)) or client.crew_shared.present
        turn, waiting = client.remembered.get(key, (0, 0))
        if waiting + 1 >= size:
            client.remembered[key] = (turn + 1, 0)
            return
        client.remembered[key] = (turn, waiting + 1)
        most_ns = integer(text_of(meeting.most_ms, client)) * BREATH_NS
        until_ns = client.now_ns + most_ns if most_ns > 0 else None
        while client.remembered[key][0] == turn:
            if until_ns is not None and client.now_ns >= until_ns:
                # Then all that wait continue, and the next ones meet anew.
                client.remembered[key] = (turn + 1, 0)
                return
            yield from self.say(Waiting(client.now_ns + 2 * BREATH_NS))

    def send(self, request: Request, number: int) -> Generator[Step, Told, None]:
        """Sends a request, and judges what comes back."""
        client = self.client
        begun_ns = client.now_ns
        try:
            sending = sending_of(request, number, client)
        except (NoValueError, FunctionFailsError) as error:
            yield from self.cannot_send(str(error), number)
            # Values are looked for, and not found.
            self.faults_of(request, Answer("", answered=False, status=0, message=str(error), head="", body=b""))
            answered = False
        else:
            client.sent = sending
            told = yield from self.say(sending)
            assert told.answer is not None  # the engine answers each request
            if told.answer.is_cached:
                return
            try:
                answered = yield from self.judge(request, told.answer)
            except FunctionFailsError as error:
                # JMeter has no result of it then, and continues.
                yield from self.say(Judged(answered=False, why=str(error)))
                return
        yield from self.has_ended(begun_ns, request.on_failure, answered=answered)

    def cannot_send(self, why: str, number: int) -> Generator[Step, Told, None]:
        """Tells of a request that cannot be put together, perhaps because of its label."""
        try:
            label = self.client.label
        except FunctionFailsError:
            label = ""
        yield from self.say(Unsent(label, why, max(0, number)))
        # Nothing was waited for: a client that can send nothing must not keep the others from sending.
        yield from self.say(Waiting(self.client.now_ns + BREATH_NS))

    def make_up(self, node: MadeUp) -> Generator[Step, Told, None]:
        """Makes an answer up, and judges it as one that came."""
        client = self.client
        begun_ns = client.now_ns
        try:
            took_ms = lasts_ms(node, client)
            # It also ends what is known of the request before it.
            yield from self.say(Waiting(begun_ns + (took_ms * BREATH_NS if node.waits else 0)))
            answered = not self.faults_of(node, made_up(node, client, took_ms))
        except FunctionFailsError:
            return  # JMeter has no result of it then, and continues.
        yield from self.has_ended(begun_ns, node.on_failure, answered=answered)

    def has_ended(self, begun_ns: int, on_failure: str, *, answered: bool) -> Generator[Step, Told, None]:
        """Notes how a request, or what took its place, has ended."""
        self.client.last_answered = answered
        self.client.variables[LAST_ANSWERED] = "true" if answered else "false"
        for each in self.here.groups:
            each.take(begun_ns, self.client.now_ns, answered=answered)
        if not answered:
            yield from self.after_failure(on_failure)

    def judge(self, request: Request, answer: Answer) -> Generator[Step, Told, bool]:
        """Takes from an answer what later requests need, and says whether it is as it should be."""
        self.client.own.pop(OURS, None)
        if self.crew.charset != answer.charset:
            parts = tuple(replace(each, charset=self.crew.charset) for each in answer.parts)
            answer = replace(answer, charset=self.crew.charset, parts=parts)
        why = self.faults_of(request, answer)
        if request.extracts or request.assertions:
            yield from self.say(Judged(not why, why, OURS in self.client.own))
        return not why

    def faults_of(self, request: Request | MadeUp, answer: Answer) -> str:
        """Takes from an answer what later requests need; returns why it is not as it should be, or ""."""
        client = self.client
        client.answer = answer
        # A reason phrase may be empty (RFC 9112, section 4).
        why = "" if answer.answered else answer.message or f"The status is {answer.status}"
        if not request.extracts and not request.assertions:
            return why
        for extract in request.extracts:
            missing = take(extract, answer, client)
            why = why or missing
        if request.assertions:
            if any(each.ignores_status and each.where != "parts" for each in request.assertions) and answer.status:
                why = ""
            try:
                why = why or unmet(request.assertions, answer, client)
            except FunctionFailsError as error:
                why = str(error)
        if answer.parts or answer.answered is bool(why):
            client.answer = replace(answer, answered=not why, parts=())
        return why

    def after_failure(self, of_request: str) -> Generator[Step, Told, None]:
        """What a request that was not answered means for the client.

        Args:
            of_request: what it says itself.

        Raises:
            _OverError: the client ends.
        """
        both = (self.crew.on_failure, of_request)
        if any(each.startswith("stop") for each in both):
            yield from self.say(EndLoad("stop at once" in both))
        if any(each.startswith("stop") or each == "leave" for each in both):
            self.end_results()
            raise _OverError
        what = "pass" if "next pass" in both else _AFTER_FAILURE.get(of_request)
        if what is not None:
            self.begin_next(what)

    def after_transaction(self) -> None:
        """What a transaction that is one result, and has failed by itself, means for the client.

        Raises:
            _OverError: JMeter's thread ends by an error of its own (TransactionController.java, triggerEndOfLoop).
        """
        if self.crew.on_failure == "next pass" and not self.client.last_answered:
            raise _OverError

    def leave(self, node: Leave) -> Generator[Step, Told, None]:
        """Leaves what is to be left.

        Raises:
            _OverError: that is the journey.
        """
        if node.what in ("load", "load at once"):
            yield from self.say(EndLoad(node.what == "load at once"))
        if node.what in ("load", "load at once", "client"):
            self.end_results()
            raise _OverError
        self.begin_next(node.what)

    def end_results(self) -> None:
        """Ends the results that have others below them: of a client that ends itself, they have what there was.

        Source: apache/jmeter, threads/JMeterThread.java (processSampler).
        """
        control = self.here.at
        while control is not None:
            if isinstance(control, GroupAbove):
                control.tell()
            control = control.parent
        if self.whole is not None:
            # JMeter asks for what comes next, and then sees that its thread has ended.
            self.whole.next()

    def begin_next(self, what: str) -> None:
        """Leaves a pass of the journey or of the loop around the client, or this loop."""
        control = self.here.at
        while control is not None:
            if what != "pass" and isinstance(control, Repeating):
                if what == "loop":
                    control.leave()
                else:
                    control.next_pass()
                break
            control.give_up()
            control = control.parent
        self.client.last_answered = True
        self.client.variables[LAST_ANSWERED] = "true"
