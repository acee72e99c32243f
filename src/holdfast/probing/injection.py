"""What runs in a person's own command, and whether holdfast could instrument it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from holdfast.errors import InconclusiveError
from holdfast.model.address import is_unix, shown, url_of
from holdfast.model.experiment import ProbeTarget
from holdfast.model.frozen import frozen
from holdfast.model.timeline import Listener
from holdfast.observe.fronts import program_of
from holdfast.observe.process_info import Program, is_python, name_of, read_program, sees_file, switches
from holdfast.observe.processes import read_process_tree
from holdfast.observe.routes import Route
from holdfast.observe.startup_reports import StartupReport, read_startup_reports
from holdfast.probing.readiness import listeners_now, log_ends_with
from holdfast.probing.session import Session
from holdfast.servers.registry import ADAPTERS

# The options of python that keep PYTHONPATH, or what is run from it at the start, out (python --help).
_SHUT_OUT = {
    "I": "-I, which ignores PYTHONPATH",
    "E": "-E, which ignores PYTHONPATH",
    "S": "-S, which runs no sitecustomize",
}


_FIRST_REDIRECT, _BAD_REQUEST, _FIRST_SERVER_ERROR = 300, 400, 500
_VARIABLES = "HOLDFAST_"
_NOTHING_KNOWN = (
    "Python was started with holdfast in it, but it imported no framework, and no WSGI or ASGI interface of a server, "
    "that holdfast knows."
)
_PAST_ITS_VIEW = (
    "Something in front of the view answers (a cache, middleware), the path has changed on its way, or the view runs "
    "on a thread or in a task of the application's own, to which a request cannot be followed."
)
_PAST_ITS_APPLICATION = (
    "No application of a framework that holdfast knows was called with it: something in front answers (a cache, or the "
    "server by itself), the path has changed on its way, or the server calls the handlers in a way of its own."
)
_NOT_FOLLOWED = (
    "From its connection on, no function of your own was seen to answer the first request, on its own: a library "
    "answers, or another thread than the one that reads, or it does so later or in steps, or under a lock."
)
_NOT_BY_PYTHON = (
    "Nor did its connection come from Python's socket.accept, where it could have been followed: what accepts may be "
    "uvloop, trio, gevent, or not written in Python, or it speaks TLS, or another process reads what was accepted."
)
_NOT_FOUND = "Python was started with holdfast in it, but holdfast did not find the application that {name} calls."


@frozen
class Listening:
    """The process that listens, or the first of several.

    Attributes:
        name: of the program that it runs, as a person would call it; None if its command line does not tell.
        python: its version; "" if it has not reported itself as Python.
    """

    pid: int
    name: str | None
    python: str


def what_listens(route: Route, said: Iterable[StartupReport]) -> Listening:
    """The process behind a listener.

    Args:
        said: what the processes of the command have reported.
    """
    pid = min(pid for each in route.listeners for pid in each.pids)
    program = read_program(pid)
    versions = {each.pid: each.detail for each in said if each.what == "python"}
    # A process that was forked later has reported itself under its parent's number.
    python = versions.get(pid) or next(reversed(versions.values()), "")
    return Listening(pid, None if program is None else name_of(program.arguments), python)


def answered_in_front(session: Session, status: int) -> InconclusiveError | None:
    """The error for a request that a front of the person's own answered itself; None where there is no such front.

    Args:
        status: of its answer.
    """
    record = str(session.recording.path)
    listeners = listeners_now(session.server, session.kernel)
    programs = {pid: read_program(pid) for pid in {pid for each in listeners for pid in each.pids}}
    instrumented = {pid for pid, each in programs.items() if each is not None and record in each.maps}
    here = {pid for each in listeners if _is_here(each, session) for pid in each.pids}
    behind = held_by_most(listeners, instrumented)
    if (
        behind is None
        or here & instrumented
        or any(each is None or is_python(each) for each in map(programs.get, here))
    ):
        return None
    front, pid, path = program_of(min(here)), min(here), session.experiment.path
    server = program_of(min(instrumented & set(behind.pids)))
    alone = f"--port {behind.port or shown(behind.address, behind.port)}"
    if status < _FIRST_SERVER_ERROR:
        why = f"It did not hand the request on to {server} behind it: a static file, a cache, a redirect or a rule."
        remedy = f"Choose a --path that {front} hands on, or measure {server} alone: {alone}"
        if status == _BAD_REQUEST and session.tls is not None:
            why += " Over TLS, it may miss a certificate of its client: holdfast has none."
    else:
        why = f"It did not reach {server} behind it, or got no answer there.{log_ends_with(session.server)}"
        remedy = f"Look at {front}'s own log, or measure {server} alone: {alone}"
    return InconclusiveError(f"{front} (pid {pid}) answered GET {path} with {status} itself.", why, remedy)


def held_by_most(listeners: Iterable[Listener], pids: set[int]) -> Listener | None:
    """The socket on which a server takes requests: all its workers hold it, and those for its control one process.

    Args:
        pids: the server's processes, the first one included.

    Returns:
        None where they hold none.
    """
    held = [each for each in listeners if pids & set(each.pids)]
    return max(held, key=lambda each: len(pids & set(each.pids)), default=None)


def _is_here(listener: Listener, session: Session) -> bool:
    """Whether it is the listener to which requests are sent."""
    if is_unix(session.address):
        return listener.address == session.address
    return listener.port == session.port


def past_its_view(session: Session) -> str:
    """Why the first request was answered and came to no view, as far as was seen, in sentences."""
    said = () if session.hello is None else read_startup_reports(session.hello)
    followed = any(each.what == "followed" for each in said)
    first = session.slots.first_request
    came = followed or session.recording.handed(first.start, first.stop)
    return f"{_PAST_ITS_VIEW if came else _PAST_ITS_APPLICATION}{f' {_NOT_FOLLOWED}' if followed else ''}"


def not_instrumented(session: Session, status: int) -> InconclusiveError | None:
    """The error for a server that answers although holdfast could not instrument it completely; None if it could.

    Such a server can be measured only from outside.

    Args:
        status: of its answer. One that was followed from its socket says by a redirect or an error what is missing.
    """
    if session.hello is None:
        return _serves_another(session)
    said = read_startup_reports(session.hello)
    if status >= _FIRST_REDIRECT and any(each.what == "followed" for each in said):
        return None
    listeners = listeners_now(session.server, session.kernel)
    pids = sorted({pid for each in listeners if _is_here(each, session) for pid in each.pids})
    programs = [program for program in map(read_program, pids) if program is not None]
    if any(str(session.recording.path) in program.maps for program in programs):
        failed = _failures(said)
        if not failed and _took_application(said):
            return None
        if not failed and any(each.what == "ready" for each in said):
            return _no_application(session, said)
        if failed:
            quoted = "\n".join(f"| {each}" for each in failed)
            why = f"Part of the instrumentation failed, which may be the reason:\n{quoted}"
            remedy = "Please report it."
        else:
            why, remedy = _nothing_known(session, programs, said)
    elif session.recording.elsewhere.came():
        # What listens is a front, and the application behind it has answered.
        return None
    else:
        startup = session.server.command.environment["PYTHONPATH"].partition(":")[0]
        why, remedy = (
            _elsewhere(programs, session.recording.path)
            or _shut_out(programs, said, startup)
            or _nothing_known(session, programs, said)
        )
    outside = _outside(session)
    return InconclusiveError(
        "The server answers, but holdfast could not instrument it.", why, f"{remedy}\n{outside}" if remedy else outside
    )


def _serves_another(session: Session) -> InconclusiveError | None:
    """The error for a server that was told to load the application from us, and has not; None if it has."""
    programs = [program for program in map(read_program, read_process_tree(*session.server.roots())) if program]
    target = session.experiment.target
    if not isinstance(target, ProbeTarget) or any(str(session.recording.path) in each.maps for each in programs):
        return None
    command = shlex.join((target.server, *target.arguments))
    return InconclusiveError(
        "The server answers, but has not loaded the application that it was given.",
        "Its own arguments, or a configuration file that they name, may name another one."
        + log_ends_with(session.server),
        f"Leave that out, or measure the server as they start it: holdfast exec -- {command}",
    )


def _not_followed(said: Iterable[StartupReport]) -> str:
    return _NOT_FOLLOWED if any(each.what == "followed" for each in said) else _NOT_BY_PYTHON


def _nothing_known(session: Session, programs: Iterable[Program], said: Iterable[StartupReport]) -> tuple[str, str]:
    # An application that could not be imported looks like this too, and only the server's log tells.
    named = {PurePath(name).name for each in programs if (name := name_of(each.arguments))} & set(ADAPTERS)
    why, remedy = f"{_NOTHING_KNOWN} {_not_followed(said)}", ""
    if named:
        name = min(named)
        why = _NOT_FOUND.format(name=name)
        remedy = f"holdfast probe APP --server {name} -- ARGUMENTS starts {name} with the application that you name."
    return f"{why}{log_ends_with(session.server)}", remedy


def _took_application(said: Iterable[StartupReport]) -> bool:
    """Whether a known server was given an application, or a known framework was loaded."""
    return any(each.what in {"views", "entry"} for each in said)


def _no_application(session: Session, said: Iterable[StartupReport]) -> InconclusiveError:
    """The error for a server whose Python has only libraries of what holdfast knows, such as a router."""
    known = ", ".join(sorted({each.detail.partition(".")[0] for each in said if each.what == "ready"}))
    return InconclusiveError(
        "The server answers, but nothing that holdfast knows calls its views.",
        f"Of servers and frameworks that holdfast knows, its Python has imported {known or 'none'}, but none of them "
        f"was given an application (WSGI, ASGI). {_not_followed(said)}",
        _outside(session),
    )


def _outside(session: Session) -> str:
    url = url_of(session.address, session.port, session.experiment.path, tls=session.tls is not None)
    insecure = " --insecure" if session.tls is not None else ""
    return f"holdfast attach {url}{insecure} measures a running server from outside."


def _failures(said: Iterable[StartupReport]) -> list[str]:
    """What could not be instrumented in a process, and was not later either."""
    failed: dict[tuple[int, str], str] = {}
    for each in said:
        where = each.detail.partition(":")[0]
        if each.what == "failed":
            failed[each.pid, where] = each.detail
        elif each.what == "ready":
            failed.pop((each.pid, where), None)
    return sorted(set(failed.values()))


def _elsewhere(programs: Sequence[Program], record: Path) -> tuple[str, str] | None:
    """That a process finds other files than we do where holdfast's are, and what to do; None if none does so."""
    directory = next((each.parent for each in record.parents if each.name.startswith("holdfast-")), record.parent)
    for program in programs:
        if sees_file(program.pid, record) is False:
            name = name_of(program.arguments) or program.file
            why = (
                f"What listens, {name} (pid {program.pid}), does not see holdfast's files in {directory}: it runs in a "
                "mount namespace of its own, as in a container, in a sandbox, or with systemd's PrivateTmp."
            )
            return why, "Run holdfast inside of that, so that both see the same files."
    return None


def _shut_out(programs: Sequence[Program], said: Sequence[StartupReport], startup: str) -> tuple[str, str] | None:
    """What kept holdfast out of these processes, and what to do; None if nothing did.

    Args:
        startup: the directory on PYTHONPATH that instruments a process.
    """
    for program in programs:
        if (found := _shut_out_of(program, startup)) is not None:
            return found
    if any(each.what == "python" for each in said):
        return None
    return "Its Python ignores PYTHONPATH (embedded in a program?), or is older than 3.8.", ""


def _shut_out_of(program: Program, startup: str) -> tuple[str, str] | None:
    name = PurePath(program.file or program.arguments[0]).name
    options = [_SHUT_OUT[letter] for letter in switches(program.arguments) if letter in _SHUT_OUT]
    if not is_python(program):
        return f"What listens, {name} (pid {program.pid}), is not a Python program and has no views.", ""
    if options:
        return f"Its Python (pid {program.pid}) was started with {options[0]}.", "Leave that out for the probe."
    if program.overwritten:
        why = (
            f"Its process {program.pid} has put a title where its environment was (as setproctitle does), so what kept "
            "holdfast out does not show: something on the way may have cleared the environment, replaced PYTHONPATH or "
            "put a sitecustomize of its own in front."
        )
        return why, "Leave the title out for the probe (uninstall setproctitle), and holdfast says which."
    if program.environment is None:
        return None
    why = remedy = ""
    if not any(each.startswith(_VARIABLES) for each in program.environment):
        why = (
            f"Something on the way to it (pid {program.pid}) cleared the environment, in which holdfast tells it what "
            "to do (env -i, sudo, systemd-run)."
        )
        remedy = "Let it keep the environment for the probe (sudo -E)."
    elif startup not in program.environment.get("PYTHONPATH", ""):
        why = f"Something on the way to it (pid {program.pid}) replaced PYTHONPATH, which holdfast needs."
        remedy = "Let it add to PYTHONPATH, or set it before: PYTHONPATH=... holdfast exec -- ..."
    elif (hides := _in_front_of(startup, program)) is not None:
        why = f"{hides} comes before holdfast's on the PYTHONPATH of pid {program.pid}, and runs no other."
        remedy = "Put its directory behind what PYTHONPATH already holds: PYTHONPATH=$PYTHONPATH:DIRECTORY"
    return (why, remedy) if why else None


def _in_front_of(startup: str, program: Program) -> str | None:
    """Another `sitecustomize.py` on the program's PYTHONPATH in front of ours; None where there is none."""
    places = (program.environment or {}).get("PYTHONPATH", "").split(os.pathsep)
    before = places[: places.index(startup)] if startup in places else []
    files = [os.path.join(place, "sitecustomize.py") for place in before if os.path.isabs(place)]
    return next((each for each in files if os.path.exists(each)), None)
