"""Servers that start with fewer workers than they may have, and add some under load: which, and how long a step takes.

Such a server has no ceiling that a short look could find: it adds a worker every second or every few while all are
busy. What is known of it is only how long to look before it counts as grown up; whether it grew is seen.

Sources: uWSGI documentation, "The uWSGI cheaper subsystem": `cheaper` is the number of workers to keep at least, and a
further one is started when all were busy for `cheaper-overload` (3) cycles of the master, of a second each. Apache
httpd, server/mpm_common.h and the MPMs' perform_idle_server_maintenance: the parent looks every second
(SCOREBOARD_MAINTENANCE_INTERVAL) and starts one child, then two, then four, as long as too few are idle.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath

from holdfast.model.frozen import frozen
from holdfast.model.units import MS, NS_PER_S

_UWSGI = frozenset({"uwsgi", "pyuwsgi"})
_APACHE = frozenset({"apache2", "httpd", "mod_wsgi-express"})
_OPTION = re.compile(r"^--cheaper(=|$)")
_LINE = re.compile(r"^\s*cheaper\s*[=:]", re.MULTILINE)
_VARIABLE = "UWSGI_CHEAPER"
_FILES = frozenset({".ini", ".yaml", ".yml", ".cfg"})
_MOST_BYTES = 1 << 20
_CHEAPER_NS = 6 * NS_PER_S  # steps of up to four seconds were measured, and half as much again
_CHEAPER_MOST_NS = 90 * NS_PER_S  # some twenty workers more
_EVERY_SECOND_NS = 2500 * MS  # what is started each second, and as long for the start


@frozen
class Growth:
    """How a pool may grow.

    Attributes:
        by: the setting by which it does; "" where none is known.
        look_ns: how long requests must have waited, and the pool not have grown, before it counts as whole; 0 where
            its size is fixed.
        most_ns: for how long its steps are waited for, in all.
    """

    by: str
    look_ns: int
    most_ns: int = 20 * NS_PER_S


FIXED = Growth("", 0)

OTHER_NAMES = frozenset({"pyuwsgi", "twist", "twistd", "waitress-serve"})
"""Programs of servers that have an adapter of another name."""


def growth_of(programs: Iterable[Sequence[str]], environment: Mapping[str, str], cwd: Path, *, fixed: bool) -> Growth:
    """How the pool of a server may grow, as far as its processes' command lines tell.

    Args:
        programs: the command line of each process, and the command that started them.
        cwd: the directory in which it starts, where its configuration files are looked up.
        fixed: the server is one whose pool does not grow unless a setting says so. Of any other server it is not known;
            programs that start further workers look once a second as a rule.
    """
    lines = [tuple(each) for each in programs]
    settings = {setting for each in lines if (setting := growth_setting(each, environment, cwd))}
    if settings:
        return Growth(min(settings), _CHEAPER_NS, _CHEAPER_MOST_NS)
    apache = any(PurePath(each[0]).name in _APACHE for each in lines if each)
    return Growth("", _EVERY_SECOND_NS) if apache or not fixed else FIXED


def growth_setting(command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> str:
    """The setting by which this command's pool of workers may grow; "" where none is known.

    Args:
        command: the server's command line, or a shell's that starts it.
        cwd: the directory in which it starts, where its configuration files are looked up.
    """
    if not any(PurePath(word).name in _UWSGI for each in command for word in each.split()):
        return ""
    words = [word for each in command for word in each.split()]
    if any(map(_OPTION.match, words)) or environment.get(_VARIABLE):
        return "cheaper"
    files = (cwd / word.rpartition("=")[2] for word in words if PurePath(word).suffix in _FILES)
    return "cheaper" if any(_LINE.search(_text(each)) for each in files) else ""


def _text(path: Path) -> str:
    try:
        with path.open(errors="replace") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return ""
