"""Werkzeug's `run_simple`, which serves one request at a time unless it is told otherwise.

Its listener's backlog is fixed (werkzeug/serving.py, LISTEN_QUEUE); there is no setting for it.

With threads it makes one for each connection and `processes` may not be more than 1 (make_server()); without, that
many children serve at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from holdfast.model.places import Place
from holdfast.servers.adapter import Adapter, Package, Setting, as_given, by_module, spellings
from holdfast.servers.address import switch_value


def settings_of_run_simple(
    arguments: Sequence[str], switches: Mapping[str, bool], words: tuple[str, str], *, threaded: bool
) -> tuple[Setting, ...]:
    """The settings of a server that calls `run_simple`.

    Args:
        switches: what each of its switches says of threads, by its name.
        words: what switches threads off and on.
        threaded: what it does where none is given.
    """
    (processes,) = as_given(arguments, Setting("processes", 1, Place.IN_SERVICE, spellings("processes")))
    said = switch_value(arguments, switches)
    has_threads = (threaded and processes.value == 1) if said is None else said
    return (
        replace(processes, counts=not has_threads),
        Setting("threaded", int(has_threads), Place.IN_SERVICE, words=words),
        Setting("LISTEN_QUEUE", 128, Place.ACCEPT_QUEUE),
    )


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    switches = {"threaded": True, "no-threaded": False}
    return settings_of_run_simple(arguments, switches, ("--no-threaded", "--threaded"), threaded=False)


ADAPTER = Adapter(
    name="werkzeug",
    packages=(Package("werkzeug", "werkzeug", "werkzeug"),),
    launch=by_module("werkzeug"),
    settings=_settings,
    reloaders=("--reload", "--use-reloader", "use_reloader"),
)
