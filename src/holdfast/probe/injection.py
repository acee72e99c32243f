"""What runs in a person's own command, and how far holdfast has come into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from holdfast.errors import InconclusiveError
from holdfast.model.address import is_unix, url_of
from holdfast.observe.process_info import Program, is_python, name_of, program_of, switches
from holdfast.observe.record_reader import Said, said_in
from holdfast.observe.routes import Route
from holdfast.probe.bench import Bench
from holdfast.probe.readiness import last_lines, listeners_now

# python --help: what keeps PYTHONPATH, or what is run from it at the start, out.
_SHUT_OUT = {
    "I": "-I, which ignores PYTHONPATH",
    "E": "-E, which ignores PYTHONPATH",
    "S": "-S, which runs no sitecustomize",
}


_NOTHING_KNOWN = (
    "Python was started with holdfast in it, but has imported neither a framework nor a server that holdfast knows.",
    "holdfast probe APP --server NAME holds requests at the entry of any application.",
)


@dataclass(frozen=True, slots=True)
class Listens:
    """The process that listens, or the first of several.

    Attributes:
        name: of what it runs, as a person would call it; None where it does not say.
        python: its version; "" where it has not said that it is one.
    """

    pid: int
    name: str | None
    python: str


def listens(route: Route, said: Iterable[Said]) -> Listens:
    """What is known of it once it listens."""
    pid = min(pid for each in route.listeners for pid in each.pids)
    program = program_of(pid)
    versions = {each.pid: each.detail for each in said if each.what == "python"}
    # A process that was forked after its start said it under its parent's number.
    python = versions.get(pid) or next(reversed(versions.values()), "")
    return Listens(pid, None if program is None else name_of(program.arguments), python)


def not_inside(bench: Bench) -> InconclusiveError | None:
    """The error for a server that answers and that holdfast is not, or not wholly, inside of; None if it is.

    Such a server can be looked at from outside only.
    """
    if bench.hello is None:
        return None
    said = said_in(bench.hello)
    here = {(bench.address, bench.port)} if is_unix(bench.address) else {bench.port}
    listeners = listeners_now(bench.server, bench.kernel)
    pids = sorted({pid for each in listeners if here & {each.port, (each.address, each.port)} for pid in each.pids})
    programs = [program for program in map(program_of, pids) if program is not None]
    if any(str(bench.recording.path) in program.maps for program in programs):
        failed = _failures(said)
        if not failed:
            return None
        why = "Something of holdfast's went wrong in it, which may be why:\n" + "\n".join(
            f"| {each}" for each in failed
        )
        remedy = "Please report it."
    else:
        startup = bench.server.command.environment["PYTHONPATH"].partition(":")[0]
        why, remedy = _shut_out(programs, said, startup) or _nothing_known(bench)
    url = url_of(bench.address, bench.port, bench.experiment.path)
    outside = f"holdfast attach {url} looks at a running server from outside."
    return InconclusiveError(
        "The server answers, but holdfast could not get into it.", why, f"{remedy}\n{outside}" if remedy else outside
    )


def _nothing_known(bench: Bench) -> tuple[str, str]:
    # An application that could not be imported looks like this too, and only the server's own words tell.
    why, remedy = _NOTHING_KNOWN
    said = last_lines(bench.server)
    return f"{why} Its log ends with:\n{said}" if said else why, remedy


def _failures(said: Iterable[Said]) -> list[str]:
    """What could not be prepared in a process, and was not later."""
    failed: dict[tuple[int, str], str] = {}
    for each in said:
        where = each.detail.partition(":")[0]
        if each.what == "failed":
            failed[each.pid, where] = each.detail
        elif each.what == "ready":
            failed.pop((each.pid, where), None)
    return sorted(set(failed.values()))


def _shut_out(programs: Sequence[Program], said: Sequence[Said], startup: str) -> tuple[str, str] | None:
    """What kept holdfast out of these processes, and what to do; None where nothing did.

    Args:
        startup: the directory on PYTHONPATH by which it gets in.
    """
    for program in programs:
        name = PurePath(program.file or program.arguments[0]).name
        options = [_SHUT_OUT[letter] for letter in switches(program.arguments) if letter in _SHUT_OUT]
        if not is_python(program):
            return f"What listens, {name} (pid {program.pid}), is no Python program and has no views.", ""
        if options:
            return f"Its Python (pid {program.pid}) was started with {options[0]}.", "Leave that out for the probe."
        if program.environment is not None and startup not in program.environment.get("PYTHONPATH", ""):
            return (
                f"Something on the way to it (pid {program.pid}) has replaced PYTHONPATH, by which holdfast gets in.",
                "Let it add to PYTHONPATH, or set it before: PYTHONPATH=... holdfast exec -- ...",
            )
    if any(each.what == "python" for each in said):
        return None
    return "Its Python takes nothing from PYTHONPATH (built into a program?), or is older than 3.8.", ""
