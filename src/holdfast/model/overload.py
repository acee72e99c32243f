"""A server under more requests than it has places for: what was seen, and what follows from it.

All instants are CLOCK_MONOTONIC nanoseconds of one host; 0 (NEVER) is an instant that did not come.
"""

from __future__ import annotations

from holdfast.model.frozen import frozen
from holdfast.model.places import Outcome
from holdfast.model.samples import Sample
from holdfast.model.timeline import ServerFacts

FACTORS = (0.5, 1.0, 1.5, 2.0)
"""Of the throughput of the ceiling, the rates at which requests arrive."""


@frozen
class Attempt:
    """One request: what its client saw, and what the recorder inside the server wrote.

    Attributes:
        due_ns: its client came.
        opened_ns: connect() was called for it.
        connected_ns: the handshake was complete on the client's side.
        done_ns: its client had its answer, or left.
        outcome: CONNECT_TIMEOUT and UNANSWERED are clients that left when their time was over, without a connection and
            with one. GIVEN_UP are those that were sent away because the run was cut short.
        status: HTTP status; 0 where no head of a reply came.
        entered_ns, left_ns: of its handler; NEVER too where the server told nothing, as of a health check.
    """

    due_ns: int
    opened_ns: int
    connected_ns: int
    done_ns: int
    outcome: Outcome
    status: int
    entered_ns: int = 0
    left_ns: int = 0


@frozen
class Level:
    """One run at one rate.

    Attributes:
        factor: how many times the throughput of the ceiling.
        rate_per_s: of the clients, who come evenly.
        planned: how many were to come.
        began_ns: the first one was due.
        stopped_ns: the load stopped: one interval after the last one was due, or when the run was cut short.
        at_rest_ns: the server was seen to have dealt with all of them; NEVER if it was not, within `watched_ns`.
        watched_ns: until when it was watched.
        attempts: those that came.
        checks: of its health.
        singles: one after another when the load had stopped, until one was answered in its usual time.
        samples: of the accept queue.
        deepest_inner_queue: most connections seen in queues between the server's own processes.
        starved_ns: the most by which the server can have been delayed for want of a core while the load ran; None
            where that may not be read.
        computed_ns: CPU time that the server's processes used meanwhile; None likewise.
        not_run: why it was not run, in words; "" if it was.
        cut_short: why it ended early, in words; "" if it did not.
    """

    factor: float
    rate_per_s: float
    planned: int
    began_ns: int = 0
    stopped_ns: int = 0
    at_rest_ns: int = 0
    watched_ns: int = 0
    attempts: tuple[Attempt, ...] = ()
    checks: tuple[Attempt, ...] = ()
    singles: tuple[Attempt, ...] = ()
    samples: tuple[Sample, ...] = ()
    deepest_inner_queue: int = 0
    starved_ns: int | None = None
    computed_ns: int | None = None
    not_run: str = ""
    cut_short: str = ""


@frozen
class OverloadRecord:
    """The raw record of all levels on one started server.

    Attributes:
        path: path and query of the load's requests.
        ceiling: requests in service at once as a probe found it; None where it found no bound.
        relative_to: the number of requests at once whose throughput the levels are multiples of: the ceiling, or a
            number chosen in its stead.
        service_s: how long a handler was to take; None where the bodies of views were run.
        took_s: how long the handler of a request took that was alone in the server: the median of `alone`.
        usual_s: the same as its client saw it, from due to answered.
        limit_s: how long clients wait before they leave.
        late_s: answers that take longer are late.
        health_path: what is asked for; "" is the path of the requests, answered without the body of its view.
        health_limit_s: how long a health check waits for its answer.
        alone: requests sent one after another before the load.
        notes: doubts, in words.
        interrupted: a person ended it early.
    """

    path: str
    server: ServerFacts
    ceiling: int | None
    relative_to: int
    service_s: float | None
    took_s: float
    usual_s: float
    limit_s: float
    late_s: float
    health_path: str
    health_limit_s: float
    alone: tuple[Attempt, ...]
    levels: tuple[Level, ...]
    notes: tuple[str, ...] = ()
    interrupted: bool = False


@frozen
class Clients:
    """What clients saw. The fields from `in_time` on add up to `came`.

    Attributes:
        came: how many there were.
        in_time: answered within `late_s`.
        late: answered after that.
        rejected: got another answer, such as 503.
        refused: the connection was refused.
        reset, closed: it was reset, or closed without an answer.
        timed_out: left while they waited for the answer.
        unconnected: left before they had a connection.
        sent_away: were still waiting when the run was cut short.
    """

    came: int
    in_time: int
    late: int
    rejected: int
    refused: int
    reset: int
    closed: int
    timed_out: int
    unconnected: int
    sent_away: int


@frozen
class Wait:
    """From the instant at which a client came until the handler of its request began; those rejected do not count.

    A request that never reached its handler waited at least until its client left.

    Attributes:
        p50_s, p99_s: by nearest rank; None where no request counts.
        p50_at_least, p99_at_least: such requests are among those up to this rank, so it may be longer.
    """

    p50_s: float | None
    p99_s: float | None
    p50_at_least: bool = False
    p99_at_least: bool = False


@frozen
class InVain:
    """Work for clients that had left.

    Attributes:
        left: clients that left when their time was over.
        begun: those of them whose handler began after that.
        under_way: whose handler had begun before.
        dropped: whose handler never began, though they had a connection.
        unreached: who never had a connection. These four add up to `left`.
        share: of the time that handlers of this level ran, the part that they ran after their client had left; None
            where none ran.
    """

    left: int
    begun: int
    under_way: int
    dropped: int
    unreached: int
    share: float | None


@frozen
class Recovery:
    """What follows when the load stops.

    Attributes:
        idle_s: until the last handler had left and nothing was left in a queue.
        usual_s: until the first single request was sent that was answered in its usual time.
        idle_at_least_s: set where `idle_s` is None: the server was busy for at least that long.
        why_not: why `idle_s` is None; "" where it is not.
        why_not_usual: the same of `usual_s`.
    """

    idle_s: float | None
    usual_s: float | None
    idle_at_least_s: float | None = None
    why_not: str = ""
    why_not_usual: str = ""


@frozen
class Health:
    """Health checks while the load ran, each on its own connection.

    Attributes:
        asked: how many.
        answered: with a good status, within the limit.
        rejected: answered with another one.
        failed: refused, reset or closed.
        unanswered: not answered within the limit.
        p50_s, longest_s: of those that got an answer of either kind; None where none did.
    """

    asked: int
    answered: int
    rejected: int
    failed: int
    unanswered: int
    p50_s: float | None
    longest_s: float | None


@frozen
class OverloadLevel:
    """One level as it is judged.

    Attributes:
        factor: of the throughput of the ceiling.
        rate_per_s: requests a second.
        clients, wait, in_vain, recovery, health, most_in_service: None where `why_not` says why.
        most_in_service: handlers that ran at once.
        most_waiting: clients that had come and whose handler had not begun, at once.
        turned_away_s: until those that were rejected, refused or reset knew it, the median; None where there were none.
        deepest_queue: most connections in the accept queue, those of health checks included; None too where the kernel
            does not say.
        deepest_inner_queue: the same of the queues between the server's own processes.
        why_not: why this level has no figures; "" where it has.
        doubts: what to keep in mind with these figures, in words.
    """

    factor: float
    rate_per_s: float
    clients: Clients | None = None
    wait: Wait | None = None
    in_vain: InVain | None = None
    recovery: Recovery | None = None
    health: Health | None = None
    most_in_service: int | None = None
    most_waiting: int | None = None
    turned_away_s: float | None = None
    deepest_queue: int | None = None
    deepest_inner_queue: int | None = None
    why_not: str = ""
    doubts: tuple[str, ...] = ()


@frozen
class Overload:
    """What the levels come to.

    Attributes:
        ceiling: requests in service at once as a probe found it; None where it found no bound.
        relative_to: the number of requests at once whose throughput the levels are multiples of: the ceiling, or a
            number chosen in its stead.
        service_s: how long a handler was to take; None where the bodies of views were run.
        took_s: how long the handler of a request took that was alone in the server.
        usual_s: the same as its client saw it, from due to answered.
        throughput_per_s: of `relative_to` requests at once.
        limit_s: how long clients wait before they leave.
        late_s: answers that take longer are late.
        health_path: what is asked for; "" is the path of the requests, answered without the body of its view.
        health_limit_s: how long a health check waits for its answer.
        levels: one for each factor, the lowest first.
        sentences: in words, the most important one first.
        notes: what to keep in mind, in words.
        interrupted: a person ended it early.
        schema: version of this form of the object.
    """

    ceiling: int | None
    relative_to: int
    service_s: float | None
    took_s: float
    usual_s: float
    throughput_per_s: float
    limit_s: float
    late_s: float
    health_path: str
    health_limit_s: float
    levels: tuple[OverloadLevel, ...]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]
    interrupted: bool
    schema: int = 1
