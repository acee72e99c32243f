"""After which time gunicorn is said to end silent connections, with each of its worker classes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.silent import Silence, Timeout
from holdfast.servers.address import option_number, option_value
from holdfast.servers.timeouts import in_force

_BEFORE_ANSWER: tuple[Silence, ...] = ("nothing", "half a request")
# config.py, Timeout: a sync worker that waits for a client does not report, so the arbiter ends it (murder_workers(),
# once a second). Every other class reports from another thread or loop.
_WORKER = Timeout("timeout", 30, (*_BEFORE_ANSWER, "unread"), lag_s=2, options=("--timeout", "-t"))
# workers/gthread.py, handle(): how long a thread waits for the first byte. Only then `keepalive` begins.
_FIRST_BYTE = Timeout("DEFAULT_WORKER_DATA_TIMEOUT", 5, ("nothing",))


def timeouts(arguments: Sequence[str]) -> tuple[Timeout, ...]:
    """Those that its worker class, as these arguments name it, is said to have."""
    name = (option_value(arguments, "-k", "--worker-class") or "sync").lower()
    threads = option_number(arguments, "--threads", default=1) or 1
    if name == "sync" and threads == 1:
        return (in_force(_WORKER, arguments),)
    ends: tuple[Silence, ...] = ("idle",)
    if "gevent" in name or "aiohttp" in name:
        # Of these, `keepalive` is also the time for a head: workers/base_async.py, handle(); aiohttp/worker.py.
        ends = (*_BEFORE_ANSWER, "idle")
    keepalive = in_force(Timeout("keepalive", 2, ends, options=("--keep-alive",)), arguments)
    if "tornado" in name:
        return ()
    return (_FIRST_BYTE, keepalive) if name in {"sync", "gthread"} else (keepalive,)
