"""The arguments of `holdfast.probe`, `attach`, `explain`, `capacity` and `load`, with their types.

Each is called as the command line's option, with _ for -, and means the same. A time is in seconds where it is a
number; where a text is allowed too, it is written as on the command line ("200ms", "100/s"). What is left out has the
option's default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TypeAlias, TypedDict

from holdfast.model.experiment import View

Headers: TypeAlias = Mapping[str, str] | Sequence[tuple[str, str]]
"""Name and value of each; pairs where a name comes more than once."""
Path: TypeAlias = str | PathLike[str]


class ServerOptions(TypedDict, total=False):
    """How a server is started, within which limits, and what is requested of it.

    Attributes:
        server: the server to start, as `holdfast servers` lists them; "flask" if neither this nor `command` is given.
        args: arguments of that server's own, passed unchanged; a port 0 in them becomes a free port.
        framework: of the built-in application, where no application is given.
        python: the server's interpreter; by default that of the active environment.
        command: your own command instead of a server and an application: program and arguments.
        environment: variables that are set for the server, over those of this process.
        cwd: directory of the server and of the application; by default the current one.
        project: a directory whose pyproject.toml may say in `[tool.holdfast]` what is not said here; by default none
            is read.
        view: kind of view: "sync", "async-blocking" or "async"; by default as the application has it.
        path: to request.
        headers: to add to each request.
        port: to listen on; with `command`, the port or Unix socket to use if it opens several.
        tls: speak TLS from the first request on.
        nofile: limit of the server's open files.
        nproc: limit of the server's processes and threads.
        address_space: limit of each server process's address space, in bytes or as "512M".
        start_timeout: wait so long for the server to start.
        save: False keeps nothing among the saved runs; a path is a file of saved runs to keep it in.
    """

    server: str
    args: Sequence[str]
    framework: str
    python: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    cwd: Path
    project: Path
    view: View
    path: str
    headers: Headers
    port: int | str
    tls: bool
    nofile: int
    nproc: int
    address_space: int | str
    start_timeout: float
    save: bool | Path


class StartOptions(ServerOptions, total=False):
    """What else can be asked of `probe`.

    Attributes:
        http2: speak HTTP/2.
        max_offered: offer at most this many requests at once.
        watch: let requests wait for so many seconds, without one more in service, before the number counts.
        call: afterwards run the view's real body, side effects included, and time it.
        max_called: with `call`, run at most this many bodies at once.
        call_timeout: with `call`, wait so long for one body alone, and again for all together.
    """

    http2: bool
    max_offered: int
    watch: float
    call: bool
    max_called: int
    call_timeout: float


class ExplainOptions(StartOptions, total=False):
    """What else can be asked of `explain`.

    Attributes:
        up_to: look for the next limit up to so many requests at once; 0 does not look.
        want: propose settings for so many requests at once, and run them.
        rate: propose settings for requests that come at this rate, per second or as "100/s", and run them.
        service_time: with `rate` or `overload`, how long each request takes.
        p99: with `rate`, in which time 99 of 100 are to be answered, waiting included.
        memory: propose what fits into so many bytes, or "512M", all processes together.
        overload: also put the server under half, one, one and a half and twice the load that its ceiling takes.
        health: with `overload`, the path of a health check meanwhile.
        silent: also find out how many silent clients make others wait.
        patience: with `silent`, look for so long what becomes of such clients.
    """

    up_to: int
    want: int
    rate: float | str
    service_time: float | str
    p99: float | str
    memory: int | str
    overload: bool
    health: str
    silent: bool
    patience: float | str


class SendingOptions(TypedDict, total=False):
    """How requests are sent, and what counts as an answer.

    Attributes:
        for_: send for so long; of a search, at each rate near the edge.
        threshold: what has to hold, such as "p99<200ms" or "errors<1%". The result of a load says of each whether it
            did; a search adds one for errors where there is none.
        poisson: requests come at random instants instead of evenly.
        seed: of everything random.
        keep_alive: reuse connections; by default only with `clients`.
        method: by default GET, or POST with `data`.
        data: the body.
        expect_status: count only these statuses as an answer; by default any below 400.
        expect_body: texts that the body must have.
        timeout: give up a request that has not ended after this time; by default 60 s, and of a search 10 times the
            highest threshold, and 5 s at least.
        processes: send from so many processes; by default as many as descriptors require.
        allow_remote: hosts that may be loaded; needed for any but loopback.
        insecure: accept any TLS certificate.
    """

    for_: float | str
    threshold: str | Sequence[str]
    poisson: bool
    seed: int
    keep_alive: bool
    method: str
    data: str | bytes
    expect_status: int | Sequence[int]
    expect_body: str | Sequence[str]
    timeout: float | str
    processes: int
    allow_remote: str | Sequence[str]
    insecure: bool


class CapacityOptions(ServerOptions, SendingOptions, total=False):
    """How a rate is searched; of a server that a URL names, nothing of `ServerOptions` but headers and `save`.

    Attributes:
        from_: begin at this rate, per second or as "100/s".
        up_to: try no higher rate.
        at_most: end the search after this time, with what is known by then.
    """

    from_: float | str
    up_to: float | str
    at_most: float | str


class AttachOptions(TypedDict, total=False):
    """How a running server is measured from outside.

    Attributes:
        allow_remote: the host that may be tied up by waiting requests; needed for any but loopback.
        insecure: accept any TLS certificate.
        headers: to add to each request.
        max_offered: send at most this many requests at once.
        http2: speak HTTP/2.
        timeout: wait so long for an answer.
        save: False keeps nothing among the saved runs; a path is a file of saved runs to keep it in.
    """

    allow_remote: str
    insecure: bool
    headers: Headers
    max_offered: int
    http2: bool
    timeout: float
    save: bool | Path


class LoadOptions(SendingOptions, total=False):
    """A load: when requests are sent, and what they are.

    Attributes:
        rate: send at this constant rate, per second or as "100/s", until `for_` or `requests` is reached.
        requests: send this many requests; with `clients`, all clients together.
        over: spread `requests` evenly over this time.
        ramp: change the rate evenly, as in "10:500/30s".
        stages: send at one rate after the other, as in "100/s:10s,500/s:30s".
        burst: send this many requests at once.
        clients: each of so many clients sends its next request when its last one has ended.
        think: with `clients`, pause before each request; "1s-3s" is a random pause.
        stop: end the load early: "first-failure", or "errors>10%".
        headers: to add to each request; {id} in them, in the URL and in `data` is the number of the request.
        data_rows: a CSV file, from whose rows {column} in path, headers and body is filled.
        once: end the load with the last of `data_rows` instead of starting over.
        first: requests that each client sends once before any other, such as "POST /login name=ann".
        then: further requests after that to the URL, such as "/orders/{number}".
        extract: {name} from an answer, such as "token=json:$.access_token".
        cookies: each client keeps the cookies that it is given.
        follow: follow at most so many redirects of a request.
        hook: "FILE.py:FUNCTION", which is called with each answer and returns values for later requests; with a
            scenario, the files of whose functions it may name.
        values: of a scenario's `[values]`, by name.
        expect_match: regular expressions that must match in the body.
        events: replies are streams of events: measure each of them.
        http2: speak HTTP/2.
        streams: with `http2`, most requests at once on a connection; with `clients`, each has so many.
        connect_timeout: give up a connection attempt after this time.
        first_byte_timeout: give up a request whose reply has not begun after this time.
        source: addresses of this machine to send from.
        save: False keeps nothing among the saved runs; a path is a file of saved runs to keep it in.
    """

    rate: float | str
    requests: int
    over: float | str
    ramp: str
    stages: str
    burst: int
    clients: int
    think: float | str
    stop: str
    headers: Headers
    data_rows: Path
    once: bool
    first: str | Sequence[str]
    then: str | Sequence[str]
    extract: str | Sequence[str]
    cookies: bool
    follow: int
    hook: str | Sequence[str]
    values: Mapping[str, str | float]
    expect_match: str | Sequence[str]
    events: bool
    http2: bool
    streams: int
    connect_timeout: float | str
    first_byte_timeout: float | str
    source: str | Sequence[str]
    save: bool | Path
