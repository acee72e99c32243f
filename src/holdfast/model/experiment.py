"""What a person asked for: one experiment, complete and immutable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

View = Literal["sync", "async-blocking", "async"]
VIEWS: tuple[View, ...] = ("sync", "async-blocking", "async")

DEFAULT_MAX_OFFERED = 5000
DEFAULT_START_TIMEOUT_S = 30.0
DEFAULT_MAX_CALLED = 64
DEFAULT_CALL_TIMEOUT_S = 30.0
DEFAULT_MAX_ATTACHED = 1000
"""Most requests at once on a server that others may be using."""
DEFAULT_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Experiment:
    """One probe of one server.

    Attributes:
        server: an adapter's name, "exec" for a command, or "attach" for one that runs already.
        app: `module:attr` or `file.py[:attr]`, `wsgi:` or `asgi:` before it where a server takes either;
            None is the built-in application.
        framework: of the built-in application; None is the usual one of the server's kind.
        view: None is "as written" for the person's own application; for the built-in one "sync" under
            WSGI and "async" under everything else.
        path: path and query of the held requests.
        headers: further request headers, in order.
        nofile: RLIMIT_NOFILE of the server; None leaves it.
        nproc: RLIMIT_NPROC of the server; None leaves it.
        max_offered: most requests that are offered at once.
        over_s: None lets the prober open connections as fast as the server takes them; else
            `max_offered` requests are offered evenly over this many seconds, whatever it does.
        port: port to listen on; None picks a free one. Of a command of one's own, which port or Unix socket is meant.
        python: interpreter of the server; None finds the environment's.
        arguments: the server's own, as they are.
        command: a person's own, in place of `server`, `app`, `python` and `arguments`; () where an adapter makes it.
        cwd: directory of the server and of `app`.
        call: whether, after everything else, the bodies of views are run for real.
        max_called: most bodies that are run together.
        call_timeout_s: how long bodies may take: the first one alone, and then the others together.
        start_timeout_s: how long the server may take until it listens and has come to rest.
        url: a running server and a path on it, in place of everything about a start; "" where one is started.
        allowed_host: the host of a server elsewhere on which requests may be held.
        insecure: any TLS certificate is taken.
        patience_s: how long an answer of a running server may take.
    """

    server: str
    app: str | None = None
    view: View | None = None
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    nofile: int | None = None
    nproc: int | None = None
    max_offered: int = DEFAULT_MAX_OFFERED
    over_s: float | None = None
    port: int | str | None = None
    python: str | None = None
    arguments: tuple[str, ...] = ()
    cwd: str = "."
    start_timeout_s: float = DEFAULT_START_TIMEOUT_S
    framework: str | None = None
    command: tuple[str, ...] = ()
    call: bool = False
    max_called: int = DEFAULT_MAX_CALLED
    call_timeout_s: float = DEFAULT_CALL_TIMEOUT_S
    url: str = ""
    allowed_host: str | None = None
    insecure: bool = False
    patience_s: float = DEFAULT_PATIENCE_S
