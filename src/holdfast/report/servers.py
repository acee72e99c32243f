"""What an environment has of servers and frameworks, and how to install the rest."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from holdfast.model.installed import Installed, Part, Server
from holdfast.report.layout import Column, Renderable, Stack, Table, Text

_NO_VERSION = "installed"
_WIDTH = 76  # leaves room for the backslash on a terminal of 80


def render_servers(installed: Installed) -> Renderable:
    """A table of the servers, one of the frameworks, and the commands that install what is missing."""
    several = len({each.interpreter for each in installed.servers if each.interpreter}) > 1
    titles = ("server", "version", "serves", *(["interpreter"] if several else []), "its options may need")
    table = Table(*map(Column, titles))
    for server in installed.servers:
        table.add_row(
            server.name,
            _version(server.version),
            ", ".join(server.interfaces),
            *([server.interpreter or ""] if several else []),
            "\n".join(f"{each.name}: {_version(each.version)}" for each in server.needs),
            style="" if server.version is not None else "dim",
        )
    frameworks = Table(Column("built-in application"), Column("version"))
    for part in installed.frameworks:
        frameworks.add_row(part.name, _version(part.version), style="" if part.version is not None else "dim")
    lines = [f"Looked in {', '.join(installed.interpreters) or 'no interpreter: none could be run'}."]
    if commands := _commands(installed.servers, installed.frameworks):
        lines += ["To install what is missing:", *commands]
    lines += [f"Not usable: {name}: {why}" for name, why in sorted(installed.broken.items())]
    return Stack(table, Text(), frameworks, Text(), Text("\n".join(lines)))


def _version(version: str | None) -> str:
    return "missing" if version is None else version or _NO_VERSION


def _commands(servers: Sequence[Server], frameworks: Sequence[Part]) -> list[str]:
    """One command for each interpreter, with everything that it lacks, in lines that can be pasted."""
    wanted = [each.install for each in servers]
    wanted += [part.install for each in servers for part in each.needs]
    wanted += [part.install for part in frameworks]
    by_program: dict[str, list[str]] = {}
    for command in wanted:
        if command is not None:
            program, _, requirement = command.rpartition(" ")
            if requirement not in by_program.setdefault(program, []):
                by_program[program].append(requirement)
    return [
        textwrap.fill(
            " ".join([program, *map(_quoted, requirements)]),
            _WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        ).replace("\n", " \\\n")
        for program, requirements in by_program.items()
    ]


def _quoted(requirement: str) -> str:
    return f"'{requirement}'" if "[" in requirement else requirement
