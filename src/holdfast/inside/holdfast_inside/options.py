"""The options of the servers that are started as `python -m holdfast_inside.NAME_server`.

Each may be written as on a command line (`--processes 10`, `--processes=10`, `--no-threaded`) or as in
the call that it stands for (`processes=10`, `threaded=False`).
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Tuple

from .load_error import Trouble

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")

Known = Mapping[str, Tuple[str, Any]]
"""Option, with dashes -> the keyword of the server's call, and what becomes of it: one of the functions
below, which reads the value that follows; or, of a switch, what it stands for."""


def taken(server: str, arguments: List[str], known: Known) -> Dict[str, Any]:
    """The keyword arguments that `arguments` stand for.

    Args:
        server: what takes them, in words.

    Raises:
        Trouble: an option is unknown, or its value is not one.
    """
    keywords: Dict[str, Any] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.lstrip("-").replace("_", "-").partition("=")
        if equals:
            # The dashes of a value are its own.
            value = argument.partition("=")[2]
        try:
            keyword, meaning = known[name]
        except KeyError:
            raise _refused(server, argument, "There is no such option.", known) from None
        try:
            if callable(meaning):
                keywords[keyword] = meaning(value if equals else next(rest, ""))
            else:
                keywords[keyword] = meaning == truth(value) if equals else meaning
        except ValueError as error:
            raise _refused(server, argument, f"It needs {error}.", known) from None
    return keywords


def count(value: str) -> int:
    """A number of things of which there must be one."""
    if not value.isdigit() or int(value) < 1:
        raise ValueError(f"a whole number from 1 on, not {value!r}")
    return int(value)


def whole(value: str) -> int:
    """A number that may be 0, or negative where the server gives that a meaning."""
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"a whole number, not {value!r}") from None


def seconds(value: str) -> float:
    """A time."""
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"a number of seconds, not {value!r}") from None


def truth(value: str) -> bool:
    """True or False."""
    if value.lower() not in _TRUE + _FALSE:
        raise ValueError(f"True or False, not {value!r}")
    return value.lower() in _TRUE


def _refused(server: str, argument: str, why: str, known: Known) -> Trouble:
    names = ["--" + name + " N" * callable(meaning) for name, (_, meaning) in known.items()]
    takes = "It takes {}.".format(", ".join(names) or "no options")
    return Trouble("argument", f"{server} does not take {argument}.", why, takes)


def dashed(arguments: List[str]) -> List[str]:
    """The same for a server that reads its arguments itself: `access_log=1` becomes `--access-log=1`."""
    written = []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        written.append("--" + name.replace("_", "-") + equals + value if equals and name[:1] != "-" else argument)
    return written
