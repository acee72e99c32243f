"""Where uWSGI's settings come from, in the order in which it applies them: the last value is in force. Pure.

Variables come first, then the command line, in which a file counts where its option is; files that are named without an
option come behind it, and what `inherit` names behind everything. Source: core/uwsgi.c, uwsgi_setup() and its table of
options; core/config.c, uwsgi_commandline_config() and add_exported_option(); core/init.c, uwsgi_configure();
core/utils.c, parse_sys_envs(); core/ini.c, uwsgi_ini_config().
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from holdfast.servers.adapter import Setting
from holdfast.servers.command_line import Read

INHERITED = "inherited file"
FILE_OPTIONS = ("--ini", "--xml", "-x", "--yaml", "--yml", "-y", "--json", "--js", "-j", "--include", "--ini-paste")
_INHERIT = "--inherit"
_FILE = re.compile(r"^[^=-].*\.(ini|xml|yaml|yml|json|js)$")
_MOST_FILES = 20
_LOGIC = re.compile(r"^(for|for-\w+|foreach|if-[\w-]+)$")
_END_OF_LOGIC = frozenset({"end", "endfor", "endif", "end-if", "end-for"})

Entry = tuple[str, tuple[str, ...]]


def uwsgi_layers(
    known: Sequence[Setting], arguments: Sequence[str], environment: Mapping[str, str], read: Read
) -> tuple[Entry, ...]:
    """Where each piece comes from and what it says, as arguments; those of a file that cannot be read say nothing."""
    names = {option for each in known for option in each.options}
    entries: list[Entry] = []
    for name, value in environment.items():
        if name.startswith("UWSGI_"):
            option = "--" + name[len("UWSGI_") :].lower().replace("_", "-")
            entries += _said(f"environment {name}", option, value, names, read)
    separate, positional = without_files(arguments)
    rest: list[str] = []
    pending = iter(separate)
    for each in pending:
        option, equals, value = each.partition("=")
        if option in (*FILE_OPTIONS, _INHERIT):
            entries.append(("command line", tuple(rest)))
            entries += _said("command line", option, value if equals else next(pending, ""), names, read)
            rest = []
        else:
            rest.append(each)
    entries.append(("command line", tuple(rest)))
    for each in positional:
        entries += _said("command line", "--include", each, names, read)
    late = [each for each in entries if each[0].startswith(INHERITED)]
    return (*(each for each in entries if each not in late), *late)


def without_files(arguments: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The arguments without configuration files that are named without an option, and those files."""
    rest: list[str] = []
    files: list[str] = []
    for each in arguments:
        is_value = bool(rest) and rest[-1] in (*FILE_OPTIONS, _INHERIT)
        (files if _FILE.match(each) and not is_value else rest).append(each)
    return tuple(rest), tuple(files)


def with_uwsgi_value(arguments: Sequence[str], option: str, value: int) -> tuple[str, ...]:
    """The arguments with an option that is in force whatever variables and files say: behind them all.

    Files without an option are read behind the command line, so they are named by `--include`, which reads them in the
    same way where it is (core/uwsgi.c: both are uwsgi_opt_load()).
    """
    rest, files = without_files(arguments)
    included = [part for each in files for part in ("--include", each)]
    return (*rest, *included, option, str(value))


def _said(origin: str, option: str, value: str, names: set[str], read: Read, depth: int = 0) -> Iterator[Entry]:
    """What an option says: itself, or a file's options. Ends at files that name each other."""
    if option not in (*FILE_OPTIONS, _INHERIT):
        if option in names:
            yield origin, (option, value)
        return
    path, _, section = value.partition(":")
    if depth == _MOST_FILES:
        return
    text = read(path)
    if text is None:
        # It may say anything.
        yield f"file {path} (which cannot be read)", tuple(part for name in sorted(names) for part in (name, "?"))
        return
    inherited = option == _INHERIT or origin.startswith(INHERITED)
    of_file = f"{INHERITED} {path}" if inherited else f"file {path}"
    for key, said in _pairs(path, text, section or "uwsgi"):
        # `ini = :other` is another section of the same file.
        target = f"{path}{said}" if said.startswith(":") else said
        yield from _said(of_file, f"--{key}", target, names, read, depth + 1)


def _pairs(path: str, text: str, section: str) -> Iterator[tuple[str, str]]:
    if path.endswith((".json", ".js")):
        yield from _of_json(text, section)
    elif path.endswith(".xml"):
        yield from re.findall(r"<([\w-]+)>\s*([^<]*?)\s*</\1>", text)
    elif path.endswith((".yaml", ".yml")):
        for key, value in re.findall(r"^[ \t]+([\w-]+):[ \t]*(.*?)[ \t\r]*(?:#.*)?$", text, re.MULTILINE):
            yield key, value.strip("\"'")
    else:
        yield from _of_ini(text, section)


def _of_ini(text: str, section: str) -> Iterator[tuple[str, str]]:
    in_section, computed = "", False
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            in_section = stripped[1:-1]
        elif stripped and not stripped.startswith((";", "#")) and in_section == section:
            key, _, value = (part.strip() for part in stripped.partition("="))
            computed = (computed or bool(_LOGIC.match(key))) and key not in _END_OF_LOGIC
            # Whether an option within `if-...` counts, uWSGI finds out: it is given, with a value that is not known.
            yield key, f"{value} ?" if computed else value


def _of_json(text: str, section: str) -> Iterator[tuple[str, str]]:
    try:
        found = json.loads(text)
    except ValueError:
        return
    said = found.get(section) if isinstance(found, dict) else None
    for key, value in said.items() if isinstance(said, dict) else ():
        for each in value if isinstance(value, list) else [value]:
            yield key, str(each)
