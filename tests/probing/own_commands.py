"""Commands as people write them, in a directory as people have it, and what `holdfast exec` says of them."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from support.commandline import Ended, Holdfast, Running

ANSWERED, USAGE, INCONCLUSIVE, ENVIRONMENT = 0, 2, 3, 4

SCRIPTS = Path(sys.executable).parent
"""Where the servers' own scripts are, as in an environment that is active."""

_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Own:
    """One command.

    Attributes:
        command: `{port}` and `{other}` in it, and in the files, are free ports.
        files: by name, beside the command.
        says: dotted fields of the verdict, and their values.
        options: of `holdfast exec` itself.
        env: variables beside the usual ones.
        exit: its code.
    """

    id: str
    command: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    says: Mapping[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    exit: int = ANSWERED


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it."""

    ended: Ended
    port: int
    directory: Path

    def verdict(self) -> dict[str, Any]:
        return msgspec.json.decode(self.ended.out)


def start(holdfast: Holdfast, own: Own) -> tuple[Running, Path]:
    """Starts it in a directory of its own."""
    port, other = holdfast.free_port(), holdfast.free_port()

    def filled(text: str) -> str:
        return text.replace("{port}", str(port)).replace("{other}", str(other))

    directory = holdfast.directory / own.id.replace(" ", "-").replace("/", "-")
    directory.mkdir()
    for name, content in own.files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(filled(content))
    env = {"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", **own.env}
    arguments = ("exec", "--json", "-", "--max-offered", "50", *own.options, "--", *map(filled, own.command))
    return holdfast.start(*arguments, cwd=directory, env=env, port=port), directory


def run_all(holdfast: Holdfast, commands: Iterable[Own]) -> dict[str, Done]:
    """Runs them a few at a time, because most of a run is waiting, and looks that nothing of any is left."""
    waiting: deque[tuple[Own, Running, Path]] = deque()
    done: dict[str, Done] = {}

    def take() -> None:
        own, running, directory = waiting.popleft()
        done[own.id] = Done(running.ended(), running.port, directory)
        running.nothing_is_left()

    for own in commands:
        waiting.append((own, *start(holdfast, own)))
        if len(waiting) == _AT_ONCE:
            take()
    while waiting:
        take()
    return done


def value(verdict: dict[str, Any], name: str) -> Any:
    """One field, by its dotted name."""
    found: Any = verdict
    for part in name.split("."):
        found = found[part]
    return found
