"""Functions of a person's own that a load calls with each answer: they return values for later requests.

Decisions
---------
* Only a file that was named is run, and before anything is sent: a mistake in it costs no load.
* A function runs in the load process, between one turn and the next. While it runs, nothing is sent and no answer is
  read, so how long it took is measured, and told where that matters.
* One that raises fails the request whose answer it was given, and no other. The load goes on, and falls short.
"""

from __future__ import annotations

import importlib.util
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from holdfast.errors import UsageError
from holdfast.model.answers import Answer, HookExtract
from holdfast.model.units import NS_PER_S

Function = Callable[[Answer, Mapping[str, str]], Any]

_LONG_NS = 50_000_000
_SHARE = 0.05
_OF_A_LOAD = "holdfast_hook"


class Hooks:
    """The functions that the journeys of a load name, loaded."""

    def __init__(self, functions: Mapping[HookExtract, Function]) -> None:
        """None has been called yet."""
        self._functions = functions
        self._calls = self._raised = 0
        self._first = ""
        self._total_ns = self._longest_ns = 0

    def call(self, hook: HookExtract, answer: Answer, values: MutableMapping[str, str]) -> str:
        """Calls a function with an answer, and adds what it returns to the client's values.

        Returns:
            Why the request counts as failed, in words; "" if it does not.
        """
        began_ns = time.perf_counter_ns()
        self._calls += 1
        try:
            found = self._functions[hook](answer, dict(values))
            values.update(_texts(found))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a person's own code raises
            self._raised += 1
            words = _where_and_what(error, hook)
            self._first = self._first or words
            return f"{hook.function}: {words}"
        finally:
            took_ns = time.perf_counter_ns() - began_ns
            self._total_ns += took_ns
            self._longest_ns = max(self._longest_ns, took_ns)
        return ""

    def falls_short(self) -> str | None:
        """What functions could not do, in words; None if all of it was done."""
        if not self._raised:
            return None
        return f"A hook raised for {self._raised:,} of {self._calls:,} answers, the first time at {self._first}."

    def doubts(self, lasted_ns: int) -> list[str]:
        """What functions cost the load, in words.

        Args:
            lasted_ns: how long the load took.
        """
        share = self._total_ns / max(1, lasted_ns)
        if not self._functions or (self._longest_ns < _LONG_NS and share < _SHARE):
            return []
        words = (
            f"Hooks took {share:.0%} of the load's time, and {self._longest_ns / NS_PER_S * 1000:,.0f} ms at the "
            "longest. Nothing is sent and no answer is read meanwhile, so latencies may be theirs."
        )
        return [words]


def hooks_of(hooks: Iterable[HookExtract]) -> Hooks:
    """Loads the functions that journeys name.

    Raises:
        UsageError: a file cannot be run, or has no such function.
    """
    modules: dict[str, Any] = {}
    functions: dict[HookExtract, Function] = {}
    for hook in dict.fromkeys(hooks):
        if hook.file not in modules:
            modules[hook.file] = _loaded(hook)
        function = getattr(modules[hook.file], hook.function, None)
        if not callable(function):
            raise UsageError(
                f"{hook.file} has no function {hook.function}.",
                "It is called with each answer and the client's values.",
                f"Define it: def {hook.function}(answer, values): return {{}}",
            )
        functions[hook] = function
    return Hooks(functions)


def _loaded(hook: HookExtract) -> Any:  # noqa: ANN401 - a module of the person's own
    directory = str(Path(hook.file).parent)
    # As Python does for a script: what lies beside it can be imported.
    if directory not in sys.path:
        sys.path.insert(0, directory)
    spec = importlib.util.spec_from_file_location(f"{_OF_A_LOAD}_{Path(hook.file).stem}", hook.file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        words = _where_and_what(error, hook)
        raise UsageError(f"{hook.file} cannot be run.", f"{words}.", "Correct it there.") from error
    return module


def _texts(found: object) -> dict[str, str]:
    """What a function returned, as values."""
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise TypeError(f"it returned {type(found).__name__}, not a mapping of names and values")
    for name in found:
        if not isinstance(name, str):
            raise TypeError(f"it returned the name {name!r}, which is not a text")
    return {name: str(value) for name, value in found.items()}


def _where_and_what(error: BaseException, hook: HookExtract) -> str:
    """The last line of the traceback, behind the file and line in the person's file where it came from."""
    what = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, SyntaxError) and error.filename == hook.file:
        return f"{Path(hook.file).name}:{error.lineno}: {what}"
    lines = [each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename == hook.file]
    return f"{Path(hook.file).name}{f':{lines[-1]}' if lines else ''}: {what}"
