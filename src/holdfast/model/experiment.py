"""What a person asked for: one experiment, complete and immutable.

There are two kinds. An `Experiment` is of a server that holdfast starts and sees from inside, an `OutsideExperiment`
of one that is running already. They have in common the path, the headers and the number of requests.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Literal

from holdfast.model.frozen import frozen

View = Literal["sync", "async-blocking", "async"]
VIEWS: tuple[View, ...] = ("sync", "async-blocking", "async")

DEFAULT_SERVER = "flask"
DEFAULT_MAX_OFFERED = 5000
DEFAULT_START_TIMEOUT_S = 30.0
DEFAULT_MAX_CALLED = 64
DEFAULT_CALL_TIMEOUT_S = 30.0
DEFAULT_MAX_ATTACHED = 1000
"""Most requests at once on a server that others may be using."""
DEFAULT_ANSWER_TIMEOUT_S = 30.0


class StartedTarget:
    """A server that holdfast starts: a `ProbeTarget` or a `CommandTarget`."""

    __slots__ = ()


@frozen
class ProbeTarget(StartedTarget):
    """A server that is started through its adapter.

    Attributes:
        server: the adapter's name.
        app: `module:attr` or `file.py[:attr]`, with `wsgi:` or `asgi:` in front where a server takes either;
            None is the built-in application.
        framework: of the built-in application; None is the usual one for the server.
        arguments: the server's own, passed unchanged.
        python: the server's interpreter; None finds the environment's.
    """

    server: str
    app: str | None = None
    framework: str | None = None
    arguments: tuple[str, ...] = ()
    python: str | None = None


@frozen
class CommandTarget(StartedTarget):
    """A server that is started by a person's own command.

    Attributes:
        command: program and arguments, at least the program.
    """

    command: tuple[str, ...]


@frozen
class Experiment:
    """One probe of one server that holdfast starts.

    Attributes:
        path: path and query of the held requests.
        headers: further request headers, in order.
        max_offered: most requests that are offered at once.
        view: None is "as written" for a person's own application; for the built-in one it is "sync" under
            WSGI and "async" under everything else.
        nofile: RLIMIT_NOFILE of the server; None leaves it.
        nproc: RLIMIT_NPROC of the server; None leaves it.
        over_s: None opens connections as fast as the server takes them; else `max_offered` requests are
            offered evenly over this many seconds, whatever the server does.
        port: a `ProbeTarget` listens on it; None picks a free one. Of a `CommandTarget` that listens on several
            ports or Unix sockets, the one to probe.
        cwd: directory of the server and of `app`.
        start_timeout_s: how long the server may take until it listens and has come to rest.
        call: whether the bodies of views are run for real after everything else.
        max_called: most bodies that are run together.
        call_timeout_s: how long bodies may take: first the one that runs alone, then the others together.
        http2: requests are streams of HTTP/2: one on each connection, and then many on one.
        tls: speak TLS from the first request on; False tries plain HTTP first.
        brief: only what shows how many requests fit where. Clients that leave, exact load, and which threads serve
            again are left out.
        environment: variables that are set for the server, over those of holdfast's own environment.
        address_space: RLIMIT_AS of the server, bytes for each of its processes; None leaves it.
        watch_s: for how long nothing more may have come into service, while requests wait, before the number counts.
        limits_after_start: `nofile`, `nproc` and `address_space` are set on the server's processes once it is ready,
            over those that its own command sets; otherwise it starts under them.
        library_limits: limits that libraries set inside the server's processes and no option of a server changes, by
            name: "AnyIO tokens", "default executor". They are set when an event loop gets its first request, over what
            the application has set by then, and only of libraries that are loaded. The verdict's `libraries` says what
            was in force.
    """

    target: StartedTarget
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    max_offered: int = DEFAULT_MAX_OFFERED
    view: View | None = None
    nofile: int | None = None
    nproc: int | None = None
    over_s: float | None = None
    port: int | str | None = None
    cwd: str = "."
    start_timeout_s: float = DEFAULT_START_TIMEOUT_S
    call: bool = False
    max_called: int = DEFAULT_MAX_CALLED
    call_timeout_s: float = DEFAULT_CALL_TIMEOUT_S
    http2: bool = False
    tls: bool = False
    brief: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    address_space: int | None = None
    library_limits: tuple[tuple[str, int], ...] = ()
    limits_after_start: bool = False
    watch_s: float = 0.0


@frozen
class UrlTarget:
    """A server that is running already.

    Attributes:
        url: of the server and a path on it.
        allowed_host: the remote host on which requests may be held; None allows this machine's loopback alone.
        insecure: accept any TLS certificate.
    """

    url: str
    allowed_host: str | None = None
    insecure: bool = False


@frozen
class OutsideExperiment:
    """A look at a running server from outside.

    Attributes:
        path: path and query of the requests, as the URL says.
        headers, max_offered: as in `Experiment`.
        answer_timeout_s: how long an answer may take.
        http2: as in `Experiment`.
    """

    target: UrlTarget
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    max_offered: int = DEFAULT_MAX_ATTACHED
    answer_timeout_s: float = DEFAULT_ANSWER_TIMEOUT_S
    http2: bool = False


_OF_EXPERIMENT = frozenset(each.name for each in fields(Experiment)) - {"target"}


def experiment_of(**options: Any) -> Experiment:  # noqa: ANN401 - each option has a type of its own
    """An experiment from options by name, as a command line and a study's file hold them.

    Args:
        options: `command` for a person's own command, else fields of `ProbeTarget`, and fields of `Experiment`.

    Raises:
        TypeError: an option is unknown, or belongs to the other kind of target; or there is no target.
    """
    shared = {name: options.pop(name) for name in _OF_EXPERIMENT & options.keys()}
    if "command" in options:
        return Experiment(CommandTarget(**options), **shared)
    return Experiment(ProbeTarget(**options), **shared)


def command_line_of(target: StartedTarget) -> tuple[str, ...]:
    """What the server is started with, as a person types it: the command, or the server's name and arguments."""
    if isinstance(target, CommandTarget):
        return target.command
    assert isinstance(target, ProbeTarget)
    return (target.server, *target.arguments)
