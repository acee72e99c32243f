"""Which server a person's own command starts, with which arguments, and the command with others. Pure.

It looks through what only passes a command on (`env`, `exec`, `nice`, `uv run`), into `sh -c '...'` and into scripts of
a shell. Where a command is computed, or is in a file of another kind (a Procfile, Python), it finds nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import dropwhile
from pathlib import PurePath

from holdfast.errors import UsageError
from holdfast.model.frozen import frozen
from holdfast.servers.shell_words import SimpleCommand, simple_commands

FASTAPI = "fastapi run"
"""FastAPI's command line, which calls uvicorn from Python."""

# fmt: off
_PROGRAMS = {
    "gunicorn": "gunicorn", "uvicorn": "uvicorn", "hypercorn": "hypercorn", "granian": "granian", "h2corn": "h2corn",
    "daphne": "daphne", "cheroot": "cheroot", "waitress-serve": "waitress", "uwsgi": "uwsgi", "pyuwsgi": "uwsgi",
    "mod_wsgi-express": "mod_wsgi", "pyvoy": "pyvoy", "sanic": "sanic", "twist": "twisted", "flask": "flask",
    "django-admin": "django", "manage.py": "django", "fastapi": FASTAPI,
}
_MODULES = {
    "gunicorn": "gunicorn", "uvicorn": "uvicorn", "hypercorn": "hypercorn", "granian": "granian", "h2corn": "h2corn",
    "daphne": "daphne", "cheroot": "cheroot", "waitress": "waitress", "sanic": "sanic", "twisted": "twisted",
    "flask": "flask", "django": "django", "fastapi": FASTAPI,
}
# Programs that run the command which they are given.
_PASSING_ON = frozenset({
    "env", "exec", "nice", "ionice", "chrt", "nohup", "setsid", "stdbuf", "timeout", "time", "taskset", "numactl",
    "prlimit", "unshare", "setarch", "dumb-init", "tini", "catatonit", "uv", "poetry", "pipenv", "pdm", "hatch", "rye",
    "coverage", "ddtrace-run", "opentelemetry-instrument", "newrelic-admin", "sudo", "gosu", "su-exec", "command",
})
# fmt: on
_PYTHON = re.compile(r"^(?:python|pypy)\d*(?:\.\d+)?t?$")
_SHELL = re.compile(r"^(?:sh|bash|dash|ash|zsh|ksh)$")
_TAKING_COMMANDS = re.compile(r"^-[a-z]*c[a-z]*$")
_SUBCOMMANDS = {"flask": "run", "django": "runserver", "mod_wsgi": "start-server", "twisted": "web", FASTAPI: "run"}
_SHEBANG = re.compile(r"#![ \t]*(\S*/(?:env[ \t]+)?(?:sh|bash|dash|ash|zsh|ksh)(?:[ \t]+\S+)*)[ \t\r]*(?:\n|$)")
# A script that asks for its own path in this way would not find it in a text.
_OWN_PATH = re.compile(r"BASH_SOURCE|\$\{?\(%")
_ALL_ARGUMENTS = re.compile(r"""exec\s+(?:[\w-]+\s+)*"\$@\"""")
_RESERVED = frozenset({"then", "do", "else", "elif", "if", "while", "until", "!", "{", "time"})
_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)=(.*)$", re.DOTALL)


Read = Callable[[str], str | None]
"""The text of a file, by its path as a command has it; None where it cannot be read."""


@frozen
class ServerCommand:
    """The server in a command.

    Attributes:
        server: the adapter's name, or FASTAPI.
        arguments: its own; of a command of several words those behind the last of them (`flask run`).
        variables: that the command sets for it.
        directories: that the command changes to before, in order.
        text_at: which word of the command is the text of a shell in which it was found; None where none is.
        begin, end: where its arguments lie: in the command's words, or in that text.
        raw: the arguments as they are written in that text.
        script: the command that runs that text instead of the script that it is from, in the place of the command;
            empty where the command has the text itself.
    """

    server: str
    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    directories: tuple[str, ...]
    begin: int
    end: int
    text_at: int | None = None
    raw: tuple[str, ...] = ()
    script: tuple[str, ...] = ()


def server_in(command: Sequence[str], read: Read) -> ServerCommand | None:
    """The server that a command starts; None where it does not show.

    Args:
        read: the text of a script.
    """
    variables: dict[str, str] = {}
    of_its_own: ServerCommand | None = None
    at = 0
    while at < len(command):
        found = _direct(command, at)
        if found is not None:
            server, begin = found
            return ServerCommand(server, tuple(command[begin:]), variables, (), begin, len(command))
        if _SHELL.match(PurePath(command[at]).name) and (text_at := _text_of_shell(command, at)) is not None:
            return _in_text(command[text_at], text_at, variables)
        script = _script(command, at, read)
        if script is not None and not _passes_on(script):
            return _in_script(script, variables)
        if script is None and PurePath(command[at]).name not in _PASSING_ON:
            return None
        if script is not None and of_its_own is None:
            # What an entry point starts where it is not given a program.
            of_its_own = _in_script(script, {**variables})
        at = _next_program(command, at + 1, variables, read)
    return of_its_own


def with_arguments(command: Sequence[str], found: ServerCommand, arguments: Sequence[str]) -> tuple[str, ...]:
    """The command with other arguments for its server.

    Raises:
        UsageError: the shell's text cannot be changed without changing what it means.
    """
    if found.text_at is None:
        return (*command[: found.begin], *arguments, *command[found.end :])
    if found.begin < 0:
        raise UsageError(
            "The arguments in the shell's command cannot be changed.",
            "A redirection lies between them.",
            "Write redirections behind the arguments.",
        )
    raw = list(zip(found.arguments, found.raw, strict=True))
    written = []
    for each in arguments:
        # What did not change is written as it was: quoted, or computed by the shell.
        same = next((at for at, (value, _) in enumerate(raw) if value == each), None)
        written.append(shlex.quote(each) if same is None else raw.pop(same)[1])
    command = found.script or command
    text = command[found.text_at]
    joined = " ".join(written)
    changed = f"{text[: found.begin]} {joined}{text[found.end :]}"
    return (*command[: found.text_at], changed, *command[found.text_at + 1 :])


def _direct(command: Sequence[str], at: int) -> tuple[str, int] | None:
    """The server of a program at `at`, and where its arguments begin."""
    name = PurePath(command[at]).name
    if _PYTHON.match(name):
        return _of_python(command, at + 1)
    if name in _PROGRAMS:
        return _behind_subcommand(_PROGRAMS[name], command, at + 1)
    return None


def _of_python(command: Sequence[str], at: int) -> tuple[str, int] | None:
    while at < len(command) and command[at].startswith("-"):
        if command[at] == "-m" and at + 1 < len(command):
            server = _MODULES.get(command[at + 1])
            return None if server is None else _behind_subcommand(server, command, at + 2)
        # Of Python's options these take a value (Python documentation, "Command line and environment").
        at += 2 if command[at] in {"-W", "-X", "--check-hash-based-pycs"} else 1
    name = PurePath(command[at]).name if at < len(command) else ""
    return _behind_subcommand(_PROGRAMS[name], command, at + 1) if name in _PROGRAMS else None


def _behind_subcommand(server: str, command: Sequence[str], at: int) -> tuple[str, int] | None:
    wanted = _SUBCOMMANDS.get(server)
    if wanted is None:
        return server, at
    return (server, command.index(wanted, at) + 1) if wanted in command[at:] else None


def _next_program(command: Sequence[str], at: int, variables: dict[str, str], read: Read) -> int:
    """Where the command that was passed on begins: its program is the first word that can be one."""
    while at < len(command):
        name = PurePath(command[at]).name
        if name in _PROGRAMS or name in _PASSING_ON or _PYTHON.match(name) or _SHELL.match(name):
            return at
        if "/" in command[at] and _script(command, at, read) is not None:
            return at
        if command[at] == "-m" and at + 1 < len(command) and command[at + 1] in _MODULES:
            # As in `coverage run -m gunicorn`.
            return at + 1
        if assigned := _ASSIGNMENT.match(command[at]):
            variables[assigned[1]] = assigned[2]
        at += 1
    return at


def _text_of_shell(command: Sequence[str], at: int) -> int | None:
    for index in range(at + 1, len(command)):
        if _TAKING_COMMANDS.match(command[index]):
            return index + 1 if index + 1 < len(command) else None
        if not command[index].startswith("-"):
            return None
    return None


def _script(command: Sequence[str], at: int, read: Read) -> tuple[tuple[str, ...], int] | None:
    """The command that runs a script's text in the place of the script, and where the text is in it."""
    path_at, shell = at, ()
    if _SHELL.match(PurePath(command[at]).name):
        path_at = next((each for each in range(at + 1, len(command)) if not command[each].startswith("-")), at)
    elif "/" not in command[at]:
        return None
    text = read(command[path_at]) if path_at < len(command) else None
    if text is None or _OWN_PATH.search(text):
        return None
    if path_at == at:
        first = _SHEBANG.match(text)
        if first is None:
            return None
        shell = tuple(first[1].split())
    return (*command[:path_at], *shell, "-c", text, *command[path_at:]), path_at + len(shell) + 1


def _in_script(script: tuple[tuple[str, ...], int], variables: dict[str, str]) -> ServerCommand | None:
    whole, text_at = script
    inner = _in_text(whole[text_at], text_at, variables)
    return None if inner is None else replace(inner, script=whole)


def _passes_on(script: tuple[tuple[str, ...], int]) -> bool:
    """Whether a script ends in what it was given: `exec "$@"`."""
    whole, text_at = script
    return _ALL_ARGUMENTS.search(whole[text_at]) is not None


def _in_text(text: str, text_at: int, variables: dict[str, str]) -> ServerCommand | None:
    directories: list[str] = []
    try:
        commands = list(simple_commands(text))
    except ValueError:
        return None
    for each in commands:
        simple = replace(each, words=tuple(dropwhile(lambda word: word.value in _RESERVED, each.words)))
        values = [word.value for word in simple.words]
        if values[:1] == ["cd"] and len(values) == 2:
            directories.append(values[1])
        if values[:1] == ["export"] or not values:
            variables |= _assigned(values[1:] or [word.value for word in simple.assignments])
        elif (found := _of_simple(simple, values, text_at, variables, directories)) is not None:
            return found
    return None


def _of_simple(
    simple: SimpleCommand, values: list[str], text_at: int, variables: dict[str, str], directories: list[str]
) -> ServerCommand | None:
    inner = server_in(values, lambda _path: None)
    if inner is None or inner.text_at is not None:
        return None
    set_here = variables | _assigned([word.value for word in simple.assignments]) | dict(inner.variables)
    words = simple.words[inner.begin :]
    before = simple.words[inner.begin - 1].end
    return ServerCommand(
        inner.server,
        inner.arguments,
        set_here,
        tuple(directories),
        -1 if simple.interrupted else before,
        words[-1].end if words else before,
        text_at,
        tuple(word.value if word.computed else shlex.quote(word.value) for word in words),
    )


def _assigned(values: Sequence[str]) -> dict[str, str]:
    return {found[1]: found[2] for each in values if (found := _ASSIGNMENT.match(each))}
