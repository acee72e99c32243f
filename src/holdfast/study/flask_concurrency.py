"""The experiments E1-E12 of the article that holdfast grew out of (Flask 2.2.2, macOS, 2023).

The author's limit of 256 descriptors is macOS's default and is set here by `nofile`; his limit of
2784 processes by `nproc`. E8 and E9 block in a coroutine, E10 to E12 likewise await or block.
"""

from __future__ import annotations

from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.model.study import Case, Claim, Study
from holdfast.model.verdict import Verdict

_MACOS_NOFILE = 256
_MACOS_NPROC = 2784
_RAISED_NOFILE = 10240
_SERIAL = ("--no-threaded",)

_BACKLOG = "Linux keeps backlog + 1 connections in the accept queue, macOS kept 128"


def _in_queues(verdict: Verdict) -> int:
    return (verdict.places.accept_queue or 0) + (verdict.places.userspace_queue or 0)


def _count(number: int | None) -> str | None:
    return None if number is None else str(number)


def _at_once(verdict: Verdict) -> str | None:
    ceiling = verdict.ceiling
    return _count(ceiling.in_service) if ceiling.bounded else None


def _no_bound(verdict: Verdict) -> str | None:
    ceiling = verdict.ceiling
    if ceiling.in_service is None:
        return None
    return f"{ceiling.in_service}" if ceiling.bounded else f"no bound up to {ceiling.in_service}"


def _waiting(verdict: Verdict) -> str | None:
    return str(_in_queues(verdict))


def _established(verdict: Verdict) -> str | None:
    return str(verdict.established)


def _client_sees(verdict: Verdict) -> str | None:
    return verdict.overflow.client_sees


def _rest(verdict: Verdict) -> str | None:
    return "waits" if _in_queues(verdict) else verdict.overflow.client_sees


def _yes_no(value: bool | None) -> str | None:  # noqa: FBT001 - a value of three, not a switch
    return None if value is None else ("yes" if value else "no")


def _run_anyway(verdict: Verdict) -> str | None:
    abandoned = verdict.abandoned
    if abandoned.left is None or abandoned.run_anyway is None:
        return None
    return "yes, all" if abandoned.run_anyway == abandoned.left else f"{abandoned.run_anyway} of {abandoned.left}"


def _own_descriptors(verdict: Verdict) -> str:
    ceiling = verdict.ceiling.in_service
    if ceiling is None:
        return ""
    own = _MACOS_NOFILE - ceiling
    return f"one descriptor for each request; of {_MACOS_NOFILE} the server itself has {own} open here"


def _silence(_verdict: Verdict) -> str:
    return "Linux drops the SYN when the accept queue is full, macOS resets the connection"


def _one_more(_verdict: Verdict) -> str:
    return _BACKLOG


def _with_queue(verdict: Verdict) -> str:
    return f"{verdict.places.accept_queue} more wait established in the accept queue on Linux"


def _router(_verdict: Verdict) -> str:
    return "uWSGI's router keeps every request; the article's client lost 110 of its 4000 on the way"


def _threads_each(_verdict: Verdict) -> str:
    return "the limit is one of threads, two for each request here; macOS counted otherwise"


def _two_fates(verdict: Verdict) -> str:
    places = verdict.places
    return (
        f"{places.rejected} got HTTP 500, as no thread was left for the view, and {places.closed} were closed, "
        "as none was left for the request itself"
    )


_THREADS = Claim("threads reused", "no", lambda verdict: _yes_no(verdict.model.threads_reused))
_POOL = Claim("threads reused", "yes", lambda verdict: _yes_no(verdict.model.threads_reused))
_EXECUTORS = Claim("executors reused", "no", lambda verdict: _yes_no(verdict.model.handler_threads_reused))
_KIND = Claim("handlers run on", "thread-per-request", lambda verdict: verdict.model.kind)


def _flask(*arguments: str, **more: object) -> Experiment:
    return Experiment(ProbeTarget("flask", arguments=arguments), **more)  # type: ignore[arg-type]


def _uwsgi(*arguments: str, **more: object) -> Experiment:
    return Experiment(ProbeTarget("uwsgi", arguments=arguments), **more)  # type: ignore[arg-type]


_E5 = _flask(*_SERIAL, "--processes", "100", max_offered=1000)

_CASES = (
    Case(
        "E1",
        "app.run(), sync view, 256 descriptors",
        _flask(nofile=_MACOS_NOFILE, max_offered=1000),
        (
            Claim("at once", "251", _at_once, _own_descriptors),
            Claim("established", "251", _established, _with_queue),
            Claim("beyond", "reset", _client_sees, _silence),
            _KIND,
            _THREADS,
        ),
    ),
    Case(
        "E2",
        "uwsgi --http, 10 threads",
        _uwsgi("--threads", "10", max_offered=4000),
        (
            Claim("at once", "10", _at_once),
            Claim("established", "3890", _established, _router),
            Claim("waiting", "3880", _waiting, _router),
        ),
    ),
    Case(
        "E3",
        "uwsgi --http, 2 threads",
        _uwsgi("--threads", "2", max_offered=200),
        (Claim("at once", "2", _at_once), _POOL),
    ),
    Case(
        "E4",
        "app.run(threaded=False)",
        _flask(*_SERIAL, max_offered=1000),
        (Claim("at once", "1", _at_once), Claim("the rest", "waits", _rest)),
    ),
    Case(
        "E5",
        "app.run(threaded=False, processes=100)",
        _E5,
        (
            Claim("at once", "100", _at_once),
            Claim("established", "228", _established, _one_more),
            Claim("waiting", "128", _waiting, _one_more),
            Claim("beyond", "connect-timeout", _client_sees),
        ),
    ),
    Case(
        "E6",
        "app.run(threaded=False, processes=10)",
        _flask(*_SERIAL, "--processes", "10", max_offered=1000),
        (
            Claim("at once", "10", _at_once),
            Claim("established", "138", _established, _one_more),
            Claim("waiting", "128", _waiting, _one_more),
            Claim("queue", "shared", lambda verdict: verdict.model.listen_queues),
        ),
    ),
    Case(
        "E7",
        "E5, then the waiting clients leave",
        _E5,
        (
            Claim("run all the same", "yes, all", _run_anyway),
            Claim("processes reused", "no", lambda verdict: _yes_no(verdict.model.processes_reused)),
            Claim("globals shared", "no", lambda verdict: _yes_no(verdict.model.globals_shared)),
        ),
        same_run_as="E5",
    ),
    Case(
        "E8",
        "app.run(), async view that blocks, 10240 descriptors",
        _flask(view="async-blocking", nofile=_RAISED_NOFILE, max_offered=1000),
        (Claim("at once", "no bound up to 1000", _no_bound), _KIND, _EXECUTORS),
    ),
    Case(
        "E9",
        "E8, 10,000 requests in 10 s, 2784 processes",
        _flask(view="async-blocking", nproc=_MACOS_NPROC, max_offered=10_000, over_s=10.0),
        (Claim("at once", "2048", _at_once, _threads_each), Claim("beyond", "500", _client_sees, _two_fates)),
    ),
    Case(
        "E10",
        "uwsgi, 2 threads, async view that blocks",
        _uwsgi("--threads", "2", view="async-blocking", max_offered=200),
        (Claim("at once", "2", _at_once), _POOL, _EXECUTORS),
    ),
    Case(
        "E11",
        "app.run(), async view that awaits, 10,000 requests in 10 s",
        _flask(view="async", nproc=_MACOS_NPROC, max_offered=10_000, over_s=10.0),
        (Claim("at once", "2048", _at_once, _threads_each), _KIND, _EXECUTORS),
    ),
    Case(
        "E12",
        "uwsgi, 2 threads, async view that awaits",
        _uwsgi("--threads", "2", view="async", max_offered=200),
        (Claim("at once", "2", _at_once), _POOL, _EXECUTORS),
    ),
)

STUDY = Study("flask-concurrency", _CASES, "article")
