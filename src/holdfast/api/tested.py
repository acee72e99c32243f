"""Calls of one test, and what is kept of them.

A test that passes leaves nothing, unless a directory was named for all results. Of one that fails, a directory of its
own keeps each result as JSON and as a terminal shows it, and the runs: `HOLDFAST_RUNS=.../runs.sqlite holdfast show 1`.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.api import calls
from holdfast.api.option_layers import OF_A_SERVER, Source, check_names
from holdfast.api.options import AttachOptions, ExplainOptions, LoadOptions, StartOptions
from holdfast.console import write_file
from holdfast.errors import HoldfastError
from holdfast.model.explanation import Explanation
from holdfast.model.load import LoadResult
from holdfast.model.verdict import Verdict

RUNS = "runs.sqlite"
_EVERY_CALL = frozenset({"time_limit"})
_ARGUMENTS: Mapping[str, frozenset[str]] = {
    "probe": frozenset(StartOptions.__annotations__) | _EVERY_CALL,
    "explain": frozenset(ExplainOptions.__annotations__) | _EVERY_CALL,
    "attach": frozenset(AttachOptions.__annotations__) | _EVERY_CALL,
    "load": frozenset(LoadOptions.__annotations__) | _EVERY_CALL,
}
_STARTED = ("probe", "explain")
_MOST_NAME = 100  # a file's name has at most 255 bytes (NAME_MAX)


class Kept:
    """The results of a test so far. Invariant: in the end, what it has saved is removed or told.

    Attributes:
        results: the name of the call, and what it gave.
    """

    def __init__(self, test: str, project: Path, defaults: Mapping[str, Any], directory: Path | None) -> None:
        """Nothing was asked yet.

        Args:
            test: its name, unique in its session.
            project: where applications are, and perhaps a pyproject.toml with defaults.
            defaults: arguments of each call that takes them and is not given them.
            directory: keeps the results of this test and of others; None keeps those of a failed test, elsewhere.

        Raises:
            UsageError: no call takes one of the defaults.
        """
        check_names(defaults, frozenset[str]().union(*_ARGUMENTS.values()), Source(None, "@pytest.mark.holdfast"))
        self.results: list[tuple[str, Verdict | Explanation | LoadResult]] = []
        self._name, self._project, self._defaults = _file_name(test), project, defaults
        self._common = directory
        self._place: Callable[[], Path] | None = None
        self._own: Path | None = None
        self._failed = False

    def asked(self, call: str, first: str | None, given: Mapping[str, Any]) -> Verdict | Explanation | LoadResult:
        """What a call gives.

        Args:
            call: "probe", "attach", "explain" or "load".
            first: its first argument.
            given: the others by name; None is not given.

        Raises:
            HoldfastError: as the call.
        """
        said = {name: value for name, value in given.items() if value is not None}
        arguments = {**self._fitting(call, first, said), **said}
        if call in _STARTED:
            arguments.setdefault("project", self._project)
        arguments.setdefault("save", self._runs())
        result: Verdict | Explanation | LoadResult = getattr(calls, call)(first, **arguments)
        self.results.append((call, result))
        if self._common is not None:
            self._write(self._common / self._name)
        return result

    def _fitting(self, call: str, first: str | None, said: Mapping[str, Any]) -> dict[str, Any]:
        """The defaults that this call takes, and that what was said does not exclude."""
        excluded = {*(OF_A_SERVER if "command" in said else ()), *(["command"] if "server" in said or first else [])}
        excluded |= {"args"} if "command" in said else set()
        return {
            name: value for name, value in self._defaults.items() if name in _ARGUMENTS[call] and name not in excluded
        }

    def _runs(self) -> Path:
        if self._common is not None:
            self._common.mkdir(parents=True, exist_ok=True)
            return self._common / RUNS
        return self._directory() / RUNS

    def _directory(self) -> Path:
        if self._own is None:
            assert self._place is not None
            self._own = self._place()
        return self._own

    @contextmanager
    def until_passed(self, place: Callable[[], Path]) -> Iterator[None]:
        """The time of the test, after which what it has saved is removed, unless its words were asked for.

        Args:
            place: makes a directory; called where one is needed.
        """
        self._place = place
        try:
            yield
        finally:
            if self._own is not None and not self._failed:
                shutil.rmtree(self._own, ignore_errors=True)

    def words(self) -> str:
        """What is said of a test that has failed: its results, and where they are now kept; "" where it has none."""
        if not self.results:
            return ""
        self._failed = True
        if self._common is not None:
            where, runs = self._common / self._name, self._common / RUNS
        else:
            where = self._directory()
            runs = where / RUNS
        try:
            self._write(where)
        except HoldfastError as error:
            kept = f"They could not be kept: {error}"
        else:
            kept = f"Kept in {where}"
            numbers = [str(each.run) for _, each in self.results if each.run is not None]
            if numbers:
                kept += f"\nHOLDFAST_RUNS={runs} holdfast show {numbers[-1]}"
        return "\n".join([*(f"{call}:\n\n{calls.to_text(each)}" for call, each in self.results), kept])

    def _write(self, where: Path) -> None:
        where.mkdir(parents=True, exist_ok=True)
        for number, (call, result) in enumerate(self.results, 1):
            stem = where / f"{number}-{call}"
            write_file(f"{stem}.json", calls.to_json(result))
            write_file(f"{stem}.txt", calls.to_text(result).encode())


def _file_name(test: str) -> str:
    """The name of a test's directory: readable, and its own."""
    plain = re.sub(r"[^\w.-]+", "-", test, flags=re.ASCII).strip("-.")[-_MOST_NAME:]
    return f"{plain}-{hashlib.sha256(test.encode(errors='surrogatepass')).hexdigest()[:8]}"
