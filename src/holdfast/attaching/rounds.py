"""The rounds of requests by which a server is looked at from outside: singles, bursts, a steady stretch.

Everything here looks and acts; what it means is decided in `infer.signals`.

A burst's requests are sent evenly over a part of the service time, so that all are on their way before the first
is answered, and none faster than the accept queue drains, as far as the kernel shows it: a lost SYN would come a
second later and look like a request that waited. They are few at first and four times as many each time, until
some are seen to wait. No client is left waiting: a round ends when all its requests have ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from holdfast.engine.prober import Prober
from holdfast.infer.flow import Flow, flow_of
from holdfast.infer.signals import ANOTHER_SIZE, Service, Trip, Wave, close, first_wave, trip_of
from holdfast.interrupts import Interrupts
from holdfast.model.frozen import frozen
from holdfast.model.live import LivePhase
from holdfast.model.outside import Round
from holdfast.model.phase import Phase
from holdfast.model.places import TURNED_AWAY, Outcome
from holdfast.model.timeline import NEVER, Snapshot
from holdfast.model.units import MS, NS_PER_S
from holdfast.observe.kernel import KernelView
from holdfast.observe.routes import ListenAddress
from holdfast.observe.snapshot import take_snapshot

if TYPE_CHECKING:
    from holdfast.engine.streams import StreamProber  # the library for it is an extra

TURN_NS = 2 * MS
QUICK_TURN_NS = MS // 5

FIRST_BURST = 4
GROWTH = 4
ENOUGH_BOUNDS = 2
ENOUGH_FULL = 2
MOST_BOUNDS = 4
SIZES = (1.2, 1.6, 2.5)
# Where each worker has its own queue and gets its requests at random, a few more than places leave one without.
SPARE = 4
FEW = 20
# Of the service time: within what a burst is sent, how long it waits while the queue is full, when the kernel is asked.
SENT_WITHIN = 4
FULL_WITHIN = 2
LOOK_AT = 0.7
MOST_GAP_NS = 20 * MS
# Connection attempts without an answer that are no reason to stop, where the queue cannot be seen.
LOST = 4

SERVICE_TIMES = 4
"""How many service times a steady stretch lasts, not counting the one in which it begins."""
VARIED_DEPARTURES = 100
MOST_STEADY_NS = 30_000 * MS
TURNED_AWAY_PAUSE = 8
MOST_STRETCHES = 4
ROWS_FOR_EACH = 60
"""Singles, bursts that grow to the most, steady stretches in which clients that were turned away come again. A page of
rows costs nothing until it is used."""
KEPT_ROWS = 32
"""For the single requests in between and at the end."""
GROWN = 1.05


@frozen
class Look:
    """What a round works with.

    Attributes:
        listen_address: None where the listening socket is not on this machine or not to be seen.
        answer_timeout_ns: how long no answer may come.
        offers_view: is told before each round what it is, in a phase and in words.
        cpu_s: which processes the server has, and their processor time until now; None where they may not be read.
        now_ns: CLOCK_MONOTONIC.
    """

    prober: Prober | StreamProber
    kernel: KernelView | None
    listen_address: ListenAddress | None
    answer_timeout_ns: int
    interrupts: Interrupts
    cpu_s: Callable[[], tuple[tuple[int, ...], float] | None]
    now_ns: Callable[[], int]
    offers_view: Callable[[LivePhase, str], None] = lambda _phase, _words: None


def next_burst(waves: Sequence[Wave], most: int) -> int | None:  # noqa: PLR0911 - one for each thing seen
    """How many requests the next burst has; None when another would tell nothing new.

    Args:
        waves: what those before have shown.
    """
    if not waves:
        return min(FIRST_BURST, most)
    last = waves[-1]
    if last.beyond and last.together == 0:
        return None
    if last.clear and not last.beyond:
        # A queue that is full although nothing waits for a place: connections are accepted too slowly for more.
        slow = len([wave for wave in waves if wave.queue_full and not wave.beyond]) >= ENOUGH_FULL
        return min(GROWTH * last.offered, most) if last.offered < most and not slow else None
    if not last.clear:
        # Once more, because a machine may have been busy; where the path itself varies, on until many wait.
        again = len(waves) < 2 or waves[-2].clear
        if not last.waits:
            return min(GROWTH * last.offered, most) if last.offered < most else None
        return last.offered if again else None
    bounds = [wave for wave in waves if wave.clear and wave.beyond]
    if len([wave for wave in bounds if wave.full]) >= ENOUGH_BOUNDS or len(bounds) > ENOUGH_BOUNDS:
        # Workers that each take some of a burst have all enough only where it is large.
        unlike = not close(min(wave.together for wave in bounds), max(wave.together for wave in bounds))
        larger = min(int(SIZES[1] * max(wave.offered for wave in bounds)), most)
        return larger if unlike and len(bounds) < MOST_BOUNDS and not last.queue_full else None
    # Of another size, so that what is the same in both is the server's; best so few that the second wave is not full.
    together = max(wave.together for wave in bounds)
    sizes = [int(more * together) + SPARE for more in SIZES]
    ratios = [max(size / last.offered, last.offered / size) for size in sizes]
    other = [size for size, ratio in zip(sizes, ratios, strict=True) if ratio >= ANOTHER_SIZE]
    return min(other[0] if other else sizes[-1], most)


def next_clients(waves: Sequence[Wave], flows: Sequence[Flow | None], most: int) -> int | None:
    """How many clients keep one waiting; None where none was seen to wait, or another stretch would show no more."""
    last = waves[-1] if waves else None
    if last is None or not (last.beyond or last.waits) or not last.together:
        return None
    together = max((wave.together for wave in waves if wave.clear), default=0)
    if not flows:
        return min((3 if together <= FEW else 2) * together + SPARE, most) if last.clear else last.offered
    flow = flows[-1]
    if flow is None or len(flows) >= MOST_STRETCHES or (last.clear and flow.at_least <= together):
        return None
    # Where it computes, or may compute unseen, throughput alone gives no number.
    if flow.computes is not False:
        return None
    before = flows[-2] if len(flows) > 1 else None
    if before is not None and flow.in_service < GROWN * before.in_service:
        return None
    return min(int(3 * flow.in_service) + 2, most)


def as_it_is(run: Callable[[], Round]) -> Round | None:
    """A round, where nothing has to be made ready for it."""
    return run()


def find_bound(
    look: Look,
    most: int,
    service: Service,
    kept: list[Round],
    carry_out: Callable[[Callable[[], Round]], Round | None] = as_it_is,
) -> bool:
    """Bursts until some of their requests wait, then steady stretches until more clients bring no more.

    Args:
        most: requests at once.
        kept: is given each round that counts.
        carry_out: carries a round out; returns None where there can be none.

    Returns:
        False where our own side had no means left.
    """
    waves, flows = list[Wave](), list[Flow | None]()
    while (count := next_burst(waves, most)) is not None and not look.interrupts.asked:
        done = carry_out(partial(burst, look, count, service))
        if done is None:
            return False
        kept.append(done)
        waves.append(first_wave(trips_in(look.prober, done), service, queue_full=done.queue_full))
        if look.prober.failure:
            return False
        if done.last - done.first < count and not done.queue_full:
            # The connection takes no more: so would it be with the next one.
            break
    while (count := next_clients(waves, flows, most)) is not None and not look.interrupts.asked:
        done = carry_out(partial(steady, look, count, service))
        if done is None:
            return False
        kept.append(done)
        flows.append(flow_of(trips_in(look.prober, done), service, done.stopped_ns, count, done.cores))
        if look.prober.failure:
            return False
    return True


def trips_in(prober: Prober | StreamProber, round_: Round) -> list[Trip]:
    """The requests of one round."""
    return [trip_of(each) for each in prober.requests(lambda _id: Phase.ROUND, range(round_.first, round_.last))]


def single(look: Look) -> Round:
    """One request, and its end."""
    look.offers_view(LivePhase.ALONE, "")
    prober, first = look.prober, look.prober.offered
    prober.open(1)
    until_ended(look, first)
    return Round("single", first, prober.offered, 1, look.now_ns())


def watched(look: Look, at_ns: int, meanwhile: Callable[[], None]) -> Round:
    """One request, and its end, which is seen late if `meanwhile` takes longer than it: 0.3 to 0.9 s on a busy machine.

    Args:
        at_ns: how long after its begin `meanwhile` is called, if it has not been answered by then.
    """
    look.offers_view(LivePhase.ALONE, "")
    prober, first, began = look.prober, look.prober.offered, look.now_ns()
    prober.open(1)
    while prober.pending() and look.now_ns() < began + at_ns and not look.interrupts.asked:
        prober.turn(TURN_NS)
    if prober.pending():
        meanwhile()
    until_ended(look, first)
    return Round("watched", first, prober.offered, 1, look.now_ns())


def burst(look: Look, count: int, service: Service) -> Round:
    """So many requests, all on their way before the first is answered."""
    look.offers_view(LivePhase.BURST, f"{count} requests, sent before the first is answered")
    prober, first, began = look.prober, look.prober.offered, look.now_ns()
    gap = min(MOST_GAP_NS, service.mean_ns / SENT_WITHIN / count)
    queue_full = False
    count = min(count, _rows_left(look))
    while prober.offered - first < count and not look.interrupts.asked:
        now, due = look.now_ns(), int(began + (prober.offered - first) * gap)
        if now - began > service.mean_ns / FULL_WITHIN:
            queue_full = True
            break
        if due > now or not has_room(look):
            prober.turn(min(max(due - now, QUICK_TURN_NS), TURN_NS))
            continue
        if not prober.open(1, due_ns=due) or prober.failure:
            break
        prober.turn(0)
    stopped = look.now_ns()
    look_at = int(max(stopped, began + LOOK_AT * service.mean_ns))
    while look.now_ns() < look_at and not _answered(look, first) and not look.interrupts.asked:
        prober.turn(max(1, min(look_at - look.now_ns(), TURN_NS)))
    snapshot = _snapshot(look, first)
    until_ended(look, first)
    return Round("burst", first, prober.offered, prober.offered - first, stopped, queue_full, snapshot)


def steady(look: Look, clients: int, service: Service) -> Round:
    """So many clients, each replaced when its request has ended, over some service times."""
    look.offers_view(LivePhase.SATURATION, f"{clients} clients, each replaced when it has its answer")
    prober, first, began = look.prober, look.prober.offered, look.now_ns()
    # Of the clients about half are in service at once.
    wanted = SERVICE_TIMES * clients // 2 if service.steady else max(VARIED_DEPARTURES, SERVICE_TIMES * clients)
    latest = began + min(MOST_STEADY_NS, int(12 * service.mean_ns) if service.steady else MOST_STEADY_NS)
    earliest = began + int((SERVICE_TIMES + 1.5) * service.mean_ns)
    cpu_before, retry_at, turned_away = look.cpu_s(), NEVER, 0
    ended_before = prober.ended
    while not look.interrupts.asked:
        now, ended = look.now_ns(), prober.ended - ended_before
        if now > latest or (now > earliest and ended >= wanted):
            break
        gone = _turned_away(look, first)
        if gone > turned_away:
            # A client that is turned away comes again, but not at once: that would only be noise.
            turned_away, retry_at = gone, int(now + service.mean_ns / TURNED_AWAY_PAUSE)
        missing = clients - (prober.offered - first - ended)
        if missing > 0 and now >= retry_at and has_room(look) and _rows_left(look):
            if not prober.open(1) or prober.failure:
                break
            prober.turn(0)
        else:
            prober.turn(QUICK_TURN_NS if missing > 0 else TURN_NS)
    stopped, cpu_after = look.now_ns(), look.cpu_s()
    cores = None
    # What processes took that are gone, or have come, is not in the difference.
    if cpu_before is not None and cpu_after is not None and cpu_before[0] == cpu_after[0]:
        cores = (cpu_after[1] - cpu_before[1]) / ((stopped - began) / NS_PER_S)
    until_ended(look, first)
    return Round("steady", first, prober.offered, clients, stopped, cores=cores)


def has_room(look: Look) -> bool:
    """Whether the accept queue has room for one more connection, as far as that is known."""
    if look.listen_address is None or look.kernel is None:
        return look.prober.connecting < LOST
    spare = look.kernel.accept_queue(look.listen_address).spare
    return look.prober.connecting < LOST if spare is None else spare > 0


def until_ended(look: Look, first: int) -> None:
    """Turns until all requests from `first` on have ended; those without an answer for too long are ended by us."""
    prober = look.prober
    ended, since = prober.ended, look.now_ns()
    while prober.pending() and not look.interrupts.asked:
        prober.turn(TURN_NS)
        if prober.ended != ended:
            ended, since = prober.ended, look.now_ns()
        elif look.now_ns() - since > look.answer_timeout_ns:
            prober.expire([id_ for id_ in prober.pending() if id_ >= first])


def _rows_left(look: Look) -> int:
    return max(0, look.prober.columns.capacity - look.prober.offered - KEPT_ROWS)


def _answered(look: Look, first: int) -> bool:
    return Outcome.ANSWERED in look.prober.columns.outcome[first : look.prober.offered].tolist()


def _turned_away(look: Look, first: int) -> int:
    outcomes = look.prober.columns.outcome[first : look.prober.offered].tolist()
    return sum(outcome in TURNED_AWAY for outcome in outcomes)


def _snapshot(look: Look, first: int) -> Snapshot | None:
    """The kernel's view while none is answered; None where there is none, or it came too late."""
    if look.listen_address is None or look.kernel is None:
        return None
    prober = look.prober
    taken = take_snapshot(look.kernel, look.listen_address, lambda: prober.ended, lambda: prober.turn(0), look.now_ns)
    return None if _answered(look, first) else taken
