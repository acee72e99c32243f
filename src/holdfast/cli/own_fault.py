"""The report on a fault of our own: what a maintainer needs, ready to be pasted into an issue.

Imports the standard library alone: the fault may be that something else cannot be imported.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import traceback
from collections.abc import Sequence

from holdfast import __distribution__, __version__

_MASK = "***"

# Options whose value may be a secret: it is in the same word, or is the next one. Arguments of the server's own are
# judged by their names.
_SECRET = re.compile(
    r"(?P<option>-[HJ])(?P<value>.+)?|(?P<long>--(?:header|data|first|then|[\w-]*(?:passw|secret|token)[\w-]*))(?:=(?P<after>.*))?",
    re.DOTALL,
)
# Of a header and of a property the name is kept.
_NAME = re.compile(r"[\w-]+\s*[:=]\s*")
_NAMED = frozenset({"-H", "--header", "-J"})
# Of a request method and path are kept: 'POST /login name=ann'.
_REQUEST = re.compile(r"(?:[A-Z][A-Z-]*\s+)?\S+\s*")
_REQUESTS = frozenset({"--first", "--then"})
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def report_on(error: BaseException, arguments: Sequence[str]) -> str:
    """The report, for standard error.

    Args:
        error: the fault, with its traceback.
        arguments: the command line without the program's name.
    """
    shown, secrets = masked(arguments)
    trace = "".join(traceback.format_exception(error)).rstrip()
    for secret in sorted(secrets, key=len, reverse=True):
        trace = trace.replace(secret, _MASK)
    system = os.uname()
    return (
        "holdfast: This is an error in holdfast itself, so there is no answer.\n"
        "  Please report it with the lines below. Headers and bodies are shown as ***; check the rest for secrets.\n\n"
        f"{__distribution__} {__version__}, Python {sys.version.split()[0]}, "
        f"{system.sysname} {system.release} {system.machine}\n"
        f"holdfast {' '.join(map(_quoted, shown))}\n"
        f"{_CREDENTIALS.sub(_MASK, trace)}\n"
    )


def masked(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The command line with its secrets masked, and these secrets.

    Masked are the values of headers, of JMeter properties, of bodies, and of options that are called a password, a
    secret or a token; and credentials in URLs.
    """
    shown: list[str] = []
    secrets: list[str] = []
    before = ""
    for argument in arguments:
        found = None if before else _SECRET.fullmatch(argument)
        option = (found["option"] or found["long"]) if found else before
        value = (found["value"] or found["after"]) if found else argument
        if not option:
            shown.append(_CREDENTIALS.sub(_MASK, argument))
        elif value is None:
            shown.append(argument)
        else:
            name = _NAME.match(value) if option in _NAMED else _REQUEST.match(value) if option in _REQUESTS else None
            secret = value[name.end() :] if name else value
            secrets += [secret] if secret else []
            bare = option in _REQUESTS and not secret
            shown.append(argument if bare else f"{argument[: len(argument) - len(secret)]}{_MASK}")
        before = option if found and value is None else ""
    return shown, secrets


def _quoted(argument: str) -> str:
    # A mask needs no quotes, and a reader would take them for the secret's own.
    return argument if _MASK in argument and " " not in argument else shlex.quote(argument)
