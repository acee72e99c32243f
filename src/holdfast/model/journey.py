"""What each client of a load does, as a tree: requests, pauses, choices and repetitions, with values that it keeps.

A journey is decided while it is under way: what is sent may depend on what was answered. (A `scenario` is fixed before
the load begins, which costs less and can be shared out among processes and hosts.)

Nodes are told apart by identity: what a node remembers from one pass to the next (whose turn it is, how often it was
entered) is kept for each client and each node of the tree.
"""

from __future__ import annotations

from typing import Literal

from holdfast.model.answers import Assertion, Template
from holdfast.model.frozen import frozen
from holdfast.model.journey_request import MadeUp, Request
from holdfast.model.journey_values import Assign, Count, Draw, Sets, TakeRow, ValuesOfClients

# Named here too, with the other nodes.
__all__ = ["Assign", "Count", "Draw", "MadeUp", "Sets", "TakeRow", "ValuesOfClients"]

# When something is done, and how often.


@frozen
class Delay:
    """A time to wait before the next request, in ms.

    Attributes:
        spread: how `random_ms` is distributed: uniform from 0 to it; gaussian with it as the deviation; poisson with
            it as the mean.
        label: where it takes the place of a request, as which functions see it; () of one that does not.
    """

    constant_ms: Template
    random_ms: Template = ()
    spread: Literal["none", "uniform", "gaussian", "poisson"] = "none"
    label: Template = ()


@frozen
class Pace:
    """A wait that makes requests come at a rate; the first ones come at once.

    Attributes:
        per_minute: requests.
        shared_by: whose requests together come at this rate: the client's own, those of all clients of the crew, or of
            the whole load.
        in_equal_parts: each of these clients keeps to its part of the rate, by how many are there; otherwise they share
            one queue.
        precise: they come at random instants whose number within `within_s` is exact, `batch` of them together.
        schedule: (seconds, per second at its begin, per second at its end) of each stretch; it ends the load. () has
            one rate.
    """

    per_minute: Template = ()
    shared_by: Literal["client", "crew", "load"] = "client"
    in_equal_parts: bool = False
    precise: bool = False
    within_s: float = 0.0
    batch: int = 1
    schedule: tuple[tuple[float, float, float], ...] = ()


@frozen
class Meeting:
    """Clients wait for each other, and then continue together.

    Attributes:
        size: how many; 0 is all of the crew that are there.
        most_ms: after so long those that wait continue without the others; 0 sets no bound.
    """

    size: Template
    most_ms: Template = ()


@frozen
class Condition:
    """Something that holds or not, decided when it is come to.

    Attributes:
        text: once its references are replaced, it is read in the grammar of `journeys.conditions`; "LAST" holds as long
            as the client's last request was answered.
        language: whose rules comparisons follow, for instance of a text with a number: our own, or with "script"
            JavaScript's, without any objects of JMeter's; with "words" the text is the answer itself: an `If` is done
            if it is `true`, a `While` unless it is `false`.
    """

    text: Template
    language: Literal["own", "words", "script"] = "own"


@frozen
class Sequence:
    """One after the other."""

    nodes: tuple[Node, ...]


@frozen
class If:
    """Done if the condition holds.

    Attributes:
        each: the condition is looked at before each of the nodes.
    """

    condition: Condition
    nodes: tuple[Node, ...]
    each: bool = False


@frozen
class While:
    """Repeated as long as the condition holds, which is looked at before each pass, and once more after each.

    Attributes:
        condition: an empty text holds until a pass ends with a request that was not answered.
        index: as of `Loop`.
    """

    condition: Condition
    nodes: tuple[Node, ...]
    index: str = ""


@frozen
class Loop:
    """Repeated so often.

    Attributes:
        times: a number; () or -1 is for ever.
        seconds: at most so long; () sets no bound.
        index: the variable that has the number of the pass, from 0; "" none.
        once: for each client; it is not come to again.
    """

    times: Template
    nodes: tuple[Node, ...]
    seconds: Template = ()
    index: str = ""
    once: bool = False


@frozen
class Once:
    """Done in the first pass only: of the loop around it each time that this is come to, or of the client."""

    nodes: tuple[Node, ...]


@frozen
class OneOf:
    """One of the nodes: by chance, by turns (the next one each time), by weight, or the one that is named.

    By weight it is the one whose share of the passes so far is farthest below its share of the weights.

    Attributes:
        chosen: with `named`: a number from 0, or the name of a node.
        names: of the nodes, for `named`.
        whole: with `by turns`, a node that has several requests is done as a whole, not one request each time.
        across_clients: client 1 begins with the first node, client 2 with the second, and so on.
        weights: with `by chance` and `by weight`: of the nodes; () are all alike.
    """

    how: Literal["by chance", "by turns", "by weight", "named"]
    nodes: tuple[Node, ...]
    chosen: Template = ()
    names: tuple[str, ...] = ()
    whole: bool = True
    across_clients: bool = False
    weights: tuple[float, ...] = ()


@frozen
class Shuffled:
    """All of the nodes, in an order by chance."""

    nodes: tuple[Node, ...]


@frozen
class Share:
    """Done in some of the passes only.

    Attributes:
        number: a percentage of the passes, or how often in all.
        percent: which of the two.
        per_client: each client counts on its own.
    """

    number: Template
    nodes: tuple[Node, ...]
    percent: bool = True
    per_client: bool = False


@frozen
class ForEach:
    """Once for each of the values PREFIX_1, PREFIX_2, ... (or PREFIX1, ...), which `name` has meanwhile.

    Attributes:
        after: begins after this number; () with the first.
        last: ends with this number; () with the last that is there.
        index: as of `Loop`.
    """

    prefix: Template
    name: str
    nodes: tuple[Node, ...]
    separator: str = "_"
    after: Template = ()
    last: Template = ()
    index: str = ""


@frozen
class Transaction:
    """Nodes that are also a result together.

    Attributes:
        timed_pauses: the time of pauses counts.
        parent: the results of its requests are below it.
        assertions: what is demanded of its own result then, which has no text.
    """

    label: Template
    nodes: tuple[Node, ...]
    timed_pauses: bool = False
    parent: bool = False
    assertions: tuple[Assertion, ...] = ()


@frozen
class Alone:
    """Done by one client at a time.

    Attributes:
        name: what it shares its turn with: all of one name, in the whole load.
    """

    name: Template
    nodes: tuple[Node, ...]


@frozen
class Timed:
    """Waits before each request, pause and end among the nodes, all of the waits together.

    Attributes:
        sets: values that are set before each of them, and before the wait.
    """

    waits: tuple[Delay | Pace | Meeting, ...]
    nodes: tuple[Node, ...]
    sets: tuple[Sets, ...] = ()


@frozen
class Given:
    """One after the other; whenever it is asked what comes next, values are set first.

    Attributes:
        sets: these values.
    """

    sets: tuple[Sets, ...]
    nodes: tuple[Node, ...]


@frozen
class Leave:
    """Ends something: the pass of the loop around it, this loop, the client's pass, the client, or the whole load.

    Attributes:
        what: the load ends once requests in flight have ended, or at once.
        label: as of `Delay`.
    """

    what: Literal["loop pass", "loop", "pass", "client", "load", "load at once"]
    label: Template = ()


Node = (
    Request
    | MadeUp
    | Delay
    | Pace
    | Assign
    | Count
    | TakeRow
    | ValuesOfClients
    | Draw
    | Sequence
    | If
    | While
    | Loop
    | Once
    | OneOf
    | Shuffled
    | Share
    | ForEach
    | Transaction
    | Alone
    | Timed
    | Given
    | Leave
)


# Who does it, and when.


@frozen
class Stay:
    """When one client of a crew comes and goes.

    Attributes:
        from_ns, until_ns: from the begin of its crew; it begins nothing after `until_ns`, and None sets no end.
        passes: so many times through the journey at most; None sets no bound.
    """

    from_ns: int
    until_ns: int | None = None
    passes: int | None = 1


CookieForm = Literal["as set", "standard", "draft", "default", "rfc 2109"]


@frozen
class Crew:
    """Clients that have the same journey.

    Attributes:
        stays: of each client. In an open model each arrival is a client.
        values: that each client begins with.
        values_of_clients: the same for client 1, 2, ... and then again from the first; () are none.
        open: clients come by a schedule, whatever became of those before.
        keeps_cookies: each client has a jar. `clears_cookies`: it is emptied at the begin of each pass.
        jar_replaces_field: cookies of the jar take the place of a Cookie field of the request; otherwise both are sent.
        cookie_form: how cookies are read and sent: as browsers do, or as one of JMeter's policies does.
        cookies: that each client begins with, and has again once its jar was emptied: name, value, domain and path; a
            domain that begins with a dot is also for the hosts below it.
        clears_caches: numbers of the caches that are emptied at the begin of each pass.
        new_each_pass: a pass begins with new connections, as another person's would.
        on_failure: what a client does after a request that was not answered.
        stage: crews of stage `before` and `after` frame those of `main`.
        index: the variable that has the number of a client's pass, from 0; "" none.
        missing: what becomes of a reference to a value that is missing: it is sent as written, or the request is not
            sent and fails.
        charset: of answers that name none.
    """

    name: str
    journey: Sequence
    stays: tuple[Stay, ...]
    values: tuple[tuple[str, str], ...] = ()
    values_of_clients: tuple[tuple[tuple[str, str], ...], ...] = ()
    open: bool = False
    keeps_cookies: bool = False
    clears_cookies: bool = False
    jar_replaces_field: bool = False
    cookie_form: CookieForm = "as set"
    cookies: tuple[tuple[str, str, str, str], ...] = ()
    clears_caches: tuple[int, ...] = ()
    new_each_pass: bool = False
    on_failure: Literal["continue", "next pass", "leave", "stop", "stop at once"] = "continue"
    stage: Literal["before", "main", "after"] = "main"
    index: str = ""
    missing: Literal["as written", "fails"] = "fails"
    charset: str = "utf-8"


@frozen
class Journeys:
    """All crews of a load.

    Attributes:
        one_by_one: a crew of a stage begins when the one before it has ended; otherwise they begin together.
        properties: values that all clients share, and that a journey may change.
        files: contents of the files that functions read, by the name written there.
        plan: the file that says all this, without its folders; "" without one.
        values: that every client begins with; they are decided once, when the first client comes. What is in one of
            these lists can refer to those before it.
        at_start: texts whose functions are called once the values are decided, for what they do.
    """

    crews: tuple[Crew, ...]
    one_by_one: bool = False
    properties: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()
    plan: str = ""
    values: tuple[tuple[tuple[str, Template], ...], ...] = ()
    at_start: tuple[Template, ...] = ()
