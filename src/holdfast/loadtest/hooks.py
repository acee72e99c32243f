"""Functions of a person's own that a load calls with each answer: they return values for later requests.

Decisions
---------
* Only a file that was named is run, and before anything is sent: a mistake in it costs no load.
* A function runs in the load process, between one turn and the next. While it runs, nothing is sent and no answer is
  read, so how long it took is measured, and told where that matters.
* One that raises fails the request whose answer it was given, and no other. The load continues, and falls short.
* One that does not return is ended, and with it the load: what was measured meanwhile says nothing of the server.
* Where it held the load up as much as makes a stall a fault (`engine.stalls`), the load falls short as well.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from holdfast.engine.stalls import Stalls, is_fault
from holdfast.engine.stuck import MOST_S
from holdfast.errors import UsageError
from holdfast.loadtest.returning import NotReturnedError, Returning, place_in
from holdfast.model.answers import Answer, HookExtract
from holdfast.model.suggestions import did_you_mean
from holdfast.model.units import NS_PER_S

Function = Callable[[Answer, Mapping[str, str]], Any]

_LONG_NS = 50_000_000
_SHARE = 0.05
_OF_A_LOAD = "holdfast_hook"
_LOADING_S = 60.0
_MOST_SAID = 300
"""Characters of an error: it may have the whole answer in it."""
_WAITS = "Nothing is sent and no answer is read while a hook runs."
_INSTEAD = "Give what it waits for a time-out, or work such values out before the load."


class Hooks:
    """The functions that the journeys of a load name, loaded: an `engine.stuck.Own`.

    Attributes:
        functions: by how they are named.
        is_over, spent_ns: as of `Own`.
    """

    def __init__(self, functions: Mapping[HookExtract, Function]) -> None:
        """None has been called yet."""
        self.functions = functions
        self.is_over = False
        self.spent_ns = 0
        self._returning = Returning()
        self._not_returned = ""
        self._stalls = Stalls()
        self._calls = self._raised = 0
        self._first = ""
        self._longest_ns = 0
        self._slowest = ""

    def call(self, hook: HookExtract, answer: Answer, values: MutableMapping[str, str]) -> str:
        """Calls a function with an answer, and adds what it returns to the client's values.

        Returns:
            Why the request counts as failed, in words; "" if it does not.
        """
        if self.is_over:
            return f"{hook.function} was not called: a function did not return"
        began_ns = time.perf_counter_ns()
        self._calls += 1
        try:
            values.update(self._returning.call(lambda: _texts(self.functions[hook](answer, dict(values))), hook.file))
        except NotReturnedError as error:
            self.is_over = True
            self._not_returned = f"{hook.function} did not return within {MOST_S:.0f} s. It was at {error}"
            return f"{hook.function} did not return: it was at {error}"
        except BaseException as error:  # noqa: BLE001 - whatever a person's own code raises
            self._raised += 1
            words = _where_and_what(error, hook)
            self._first = self._first or words
            return f"{hook.function}: {words}"
        finally:
            self._note(time.perf_counter_ns() - began_ns, hook)
        return ""

    def _note(self, took_ns: int, hook: HookExtract) -> None:
        self.spent_ns += took_ns
        self._stalls.add(took_ns)
        if took_ns > self._longest_ns:
            self._longest_ns, self._slowest = took_ns, f"{hook.function} of {Path(hook.file).name}"

    def note_in(self, since: memoryview) -> None:
        """See `Own`."""
        self._returning.since = since
        # The process that asked for the load writes its result to standard output.
        sys.stdout = sys.stderr

    def falls_short(self, lasted_ns: int) -> str | None:
        """See `Own`."""
        words = []
        if self._raised:
            times = f"{self._raised:,} of {self._calls:,} answers"
            words.append(f"A hook raised for {times}, the first time at {self._first}.")
        if self.is_over:
            words.append(f"The load ended early: the hook {self._not_returned}. {_WAITS} {_INSTEAD}")
        elif self._held_up(lasted_ns):
            words.append(f"{self._cost(lasted_ns)} {_WAITS} So much of the latencies is not the server's. {_INSTEAD}")
        return " ".join(words) or None

    def doubts(self, lasted_ns: int) -> list[str]:
        """See `Own`."""
        if self.is_over or self._held_up(lasted_ns):
            return []
        if self._longest_ns < _LONG_NS and self.spent_ns < _SHARE * lasted_ns:
            return []
        return [f"{self._cost(lasted_ns)} {_WAITS} Latencies may be theirs."]

    def stuck_at(self, dump: str) -> str:
        """See `Own`."""
        at = place_in(dump, frozenset(hook.file for hook in self.functions))
        return f"a hook did not return and could not be interrupted{at and f', at {at}'}. {_INSTEAD[:-1]}"

    def _held_up(self, lasted_ns: int) -> bool:
        times_ns = (self._stalls.longest_ns, self._stalls.total_ns, lasted_ns)
        return is_fault(*(each / NS_PER_S for each in times_ns), own=True)

    def _cost(self, lasted_ns: int) -> str:
        return (
            f"Hooks took {self.spent_ns / max(1, lasted_ns):.0%} of the load's time, and "
            f"{self._longest_ns / NS_PER_S * 1000:,.0f} ms at the longest ({self._slowest})."
        )


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
            known = [name for name, found in vars(modules[hook.file]).items() if inspect.isfunction(found)]
            raise UsageError(
                f"{hook.file} has no function {hook.function}.",
                "It is called with each answer and the client's values.",
                did_you_mean(hook.function, known, f"Define it: def {hook.function}(answer, values): return {{}}"),
            )
        if inspect.iscoroutinefunction(function):
            raise UsageError(
                f"{hook.function} of {hook.file} is a coroutine function.",
                "It is called where nothing waits for it, and returns its values itself.",
                f"Define it without async: def {hook.function}(answer, values): return {{}}",
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
    loader = spec.loader
    try:
        with contextlib.redirect_stdout(sys.stderr):
            Returning().call(lambda: loader.exec_module(module), hook.file, _LOADING_S)
    except NotReturnedError as error:
        why = f"It did not come to its end within {_LOADING_S:.0f} s: it was at {error}."
        raise UsageError(f"{hook.file} cannot be run.", why, "Wait for nothing where the file is loaded.") from error
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
    for name, value in found.items():
        if not isinstance(name, str):
            raise TypeError(f"it returned the name {name!r}, which is not a text")
        if value is None or isinstance(value, bytes | bytearray | Mapping | list | tuple | set):
            kind = type(value).__name__
            raise TypeError(f"it returned {kind} for {name}, not a text or a number; leave out what has no value")
    return {name: str(value) for name, value in found.items()}


def _where_and_what(error: BaseException, hook: HookExtract) -> str:
    """The last line of the traceback, behind the file and line in the person's file where it came from."""
    what = traceback.format_exception_only(error)[-1].strip()
    what = what if len(what) <= _MOST_SAID else f"{what[:_MOST_SAID]}..."
    if isinstance(error, SyntaxError) and error.filename == hook.file:
        return f"{Path(hook.file).name}:{error.lineno}: {what}"
    lines = [each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename == hook.file]
    return f"{Path(hook.file).name}{f':{lines[-1]}' if lines else ''}: {what}"
