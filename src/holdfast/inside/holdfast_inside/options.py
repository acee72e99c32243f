"""Parses the options of servers started as `python -m holdfast_inside.NAME_server`.

Each option may be written as on a command line (`--processes 10`, `--processes=10`, `--no-threaded`) or as in the
Python call that starts the server (`processes=10`, `threaded=False`).
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Tuple

from .load_error import LoadError

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")

Known = Mapping[str, Tuple[str, Any]]
"""Option, with dashes -> the keyword of the server's call, and its value: one of the functions below, which reads the
value that follows; or, for a switch, the value that it sets."""


def parse(server: str, arguments: List[str], known: Known) -> Dict[str, Any]:
    """Parses command-line arguments into keyword arguments for the server's call.

    Args:
        server: the server's name, for messages.
        arguments: as the user wrote them.
        known: the options that the server takes.

    Raises:
        LoadError: an option is unknown, or its value is invalid.
    """
    keywords: Dict[str, Any] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.lstrip("-").replace("_", "-").partition("=")
        if equals:
            # Keep the dashes and underscores of the value.
            value = argument.partition("=")[2]
        try:
            keyword, meaning = known[name]
        except KeyError:
            raise _unknown_option(server, argument, "There is no such option.", known) from None
        try:
            if callable(meaning):
                keywords[keyword] = meaning(value if equals else next(rest, ""))
            else:
                keywords[keyword] = meaning == truth(value) if equals else meaning
        except ValueError as error:
            raise _unknown_option(server, argument, f"It needs {error}.", known) from None
    return keywords


def count(value: str) -> int:
    """Reads a whole number of at least 1; raises ValueError for anything else, like the other readers here."""
    if not value.isdigit() or int(value) < 1:
        raise ValueError(f"a whole number of at least 1, not {value!r}")
    return int(value)


def whole(value: str) -> int:
    """Reads any whole number; some servers give 0 or a negative one a meaning."""
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"a whole number, not {value!r}") from None


def seconds(value: str) -> float:
    """Reads a time in seconds."""
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"a number of seconds, not {value!r}") from None


def truth(value: str) -> bool:
    """Reads True or False, also written as 1/0, yes/no or on/off."""
    if value.lower() not in _TRUE + _FALSE:
        raise ValueError(f"True or False, not {value!r}")
    return value.lower() in _TRUE


def _unknown_option(server: str, argument: str, why: str, known: Known) -> LoadError:
    names = ["--" + name + " N" * callable(meaning) for name, (_, meaning) in known.items()]
    takes = "It takes {}.".format(", ".join(names) or "no options of its own")
    return LoadError("argument", f"{server} does not take {argument}.", why, takes)


def with_dashes(arguments: List[str]) -> List[str]:
    """The same arguments for a server that parses them itself: `access_log=1` becomes `--access-log=1`."""
    written = []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        written.append("--" + name.replace("_", "-") + equals + value if equals and name[:1] != "-" else argument)
    return written
