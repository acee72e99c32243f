"""What a planted cause is: a server in which one known setting or limit binds, and how an explanation is held to it."""

from __future__ import annotations

import importlib.util
import json
import os
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.servers.adapter import Package
from holdfast.servers.registry import ADAPTERS

HERE = Path(__file__).parent
SITE = Path(sysconfig.get_paths()["purelib"])
STANDARD = Path(sysconfig.get_paths()["stdlib"])
SCRIPTS = Path(sysconfig.get_paths()["scripts"])
UNDECIDED = ""
PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True)
class Planted:
    """One case.

    Attributes:
        server: as in `--server`; of a person's own `command`, the server that it starts.
        names: the setting that binds, as an explanation may call it: one name, or several that are equally true.
            UNDECIDED where nothing that can be varied binds.
        sources: why: `FILE: TEXT`, a text in a file of the installed server or of the standard library; or where else.
        place: in which it binds.
        law: the size of the place as an expression of the settings, for every trial with that place full; "" where the
            source does not give one. With `nofile`: the part of a request that one more of them makes room for.
        app: in apps/; "" is the built-in one.
        options: of `holdfast explain`.
        arguments: of the server.
        files: beside which it is started, by name.
        needs: beside the server and the packages of its options.
        as_root: whether only root can plant it.
        most: how many of the requests in service at the first trial; None where the source does not say.
    """

    id: str
    server: str
    names: frozenset[str] | str
    sources: tuple[str, ...]
    place: str = "in_service"
    law: str = ""
    app: str = ""
    options: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    as_root: bool = False
    most: int | None = None

    @property
    def allowed(self) -> frozenset[str]:
        """The names that are right."""
        return frozenset({self.names}) if isinstance(self.names, str) else self.names

    def command_line(self) -> list[str]:
        """Of holdfast, in a directory with the application and the files."""
        own = ["explain", "--quiet", "--json", "-", *self.options]
        if self.command:
            program, *arguments = self.command
            return [*own, "--", str(SCRIPTS / program), *arguments]
        app = [f"{self.app}.py:app"] if self.app else []
        return [*own, "--server", self.server, *app, "--", *self.arguments]

    def prepare(self, directory: Path) -> None:
        """Writes what the server is started beside."""
        if self.app:
            (directory / f"{self.app}.py").write_text((HERE / "apps" / f"{self.app}.py").read_text())
        for name, text in self.files.items():
            (directory / name).write_text(text)


def missing(case: Planted) -> str:
    """What this case needs and is not here; "" where it can run."""
    adapter = ADAPTERS[case.server]
    words = " ".join((*case.arguments, *case.command))
    extras = [each for needing, each in adapter.extras.items() if needing in words]
    found = [] if any(map(_installed, adapter.packages)) else [adapter.packages[0].requirement]
    found += [each.requirement for each in extras if not _installed(each)]
    found += [each for each in case.needs if importlib.util.find_spec(each) is None]
    return " ".join([*found, *(["root"] if case.as_root and os.geteuid() != 0 else [])])


def _installed(package: Package) -> bool:
    return importlib.util.find_spec(package.module) is not None


def no_longer_said(case: Planted) -> list[str]:
    """The sources whose text is no longer in the installed file."""
    quotes = [each.split(": ", 1) for each in case.sources if each.split(": ", 1)[0].endswith(".py")]
    return [f"{name}: {text}" for name, text in quotes if not any(text in said for said in _texts_of(name))]


def _texts_of(name: str) -> list[str]:
    return [path.read_text(errors="replace") for at in (SITE, STANDARD) if (path := at / name).exists()]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an explanation has said of a case.

    Attributes:
        named: the setting; "" where it said that it is undecided.
        faults: what is wrong with it, one line each.
        first_s, all_s: that the first probe took, and all together.
    """

    case: Planted
    named: str
    faults: tuple[str, ...]
    first_s: float
    all_s: float
    trials: int

    @property
    def is_wrong(self) -> bool:
        """Whether it names what does not bind."""
        return bool(self.named) and self.named not in self.case.allowed

    @property
    def is_undecided(self) -> bool:
        """Whether it should have named something, and has not."""
        return not self.named and UNDECIDED not in self.case.allowed


def outcome_of(case: Planted, said: str) -> Outcome:
    """Judges an explanation, as JSON."""
    found = json.loads(said)
    trials = found["trials"]
    binding = next((each for each in found["bindings"] if each["place"] == case.place), None)
    named = "" if binding is None else binding["setting"]
    faults = [*_of_name(case, named, found), *_of_law(case, trials)]
    if case.most is not None and trials[0]["in_service"] != case.most:
        faults.append(f"{trials[0]['in_service']} at once, and not {case.most}")
    return Outcome(case, named, tuple(faults), trials[0]["seconds"], found["seconds"], len(trials))


def _of_name(case: Planted, named: str, found: Mapping[str, Any]) -> list[str]:
    if named in case.allowed:
        return []
    why = [each["why"] for each in found["undecided"] if each["place"] == case.place]
    wanted = " or ".join(sorted(case.allowed)) or "nothing"
    return [f"it names {named or 'nothing'}, and {wanted} binds. {' '.join(why)}", *map(_step, found["trials"])]


def _step(trial: Mapping[str, Any]) -> str:
    seen = trial["failure"] or f"{trial['in_service']}{'' if trial['bounded'] else ' or more'}"
    return f"{trial['purpose'] or 'as asked'} {_values(trial['changes'])}: {seen}"


def _of_law(case: Planted, trials: Sequence[Mapping[str, Any]]) -> list[str]:
    if not case.law or case.place != "in_service":
        return []
    seen = [(_values(each["values"]), each["in_service"]) for each in trials if each["bounded"]]
    if case.law.startswith("1/"):
        return _of_slope(int(case.law[2:]), seen)
    predicted = [(eval(case.law, {"min": min}, dict(values)), size) for values, size in seen[:2]]
    return [f"{size} at once, and by the source's law {law}" for law, size in predicted if law != size]


def _of_slope(share: int, seen: Sequence[tuple[Mapping[str, int], int]]) -> list[str]:
    (first, there), *others = seen
    found = []
    for values, size in others[:2]:
        more = values["nofile"] - first["nofile"]
        workers = values.get("workers", values.get("processes", 1))
        if (
            workers == first.get("workers", first.get("processes", 1))
            and abs(size - there - workers * more / share) >= 2
        ):
            found.append(f"{size - there} more at once with {more} descriptors more for each process")
    return found


def _values(changes: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {each["name"]: each["value"] for each in changes}
