"""Where a server's settings come from besides its command line, the weakest first. Pure.

Each source is put as arguments of the command line, so that the last value of an option is the one in force, whatever
its source. A value that is not a number there, or is computed, is UNKNOWN.

The order is each server's own: gunicorn/app/base.py, Application.load_config(); gunicorn/config.py, Workers.default;
uvicorn/main.py (auto_envvar_prefix) and uvicorn/config.py, Config.__init__; granian/cli.py, entrypoint();
hypercorn/__main__.py, main(); h2corn/_config.py, Config; of uWSGI `uwsgi_layers.py`.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence

from holdfast.model.frozen import frozen
from holdfast.servers.adapter import Setting
from holdfast.servers.address import option_value
from holdfast.servers.command_line import Read
from holdfast.servers.python_constants import constants_in
from holdfast.servers.uwsgi_layers import uwsgi_layers

UNKNOWN = "?"
_CONFIG = ("-c", "--config")
GUNICORN_ARGUMENTS, GUNICORN_FILE = "GUNICORN_CMD_ARGS", "gunicorn.conf.py"
# Options that are no numbers and on which it depends what the others bound.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "gunicorn": ("worker_class",),
    "uvicorn": ("interface",),
    "granian": ("interface",),
}


@frozen
class Layer:
    """What one source says.

    Attributes:
        origin: the source, as a person calls it: "file gunicorn.conf.py", "environment WEB_CONCURRENCY".
        arguments: as they would be on the command line.
        values: of settings that no option gives, by name.
    """

    origin: str
    arguments: tuple[str, ...]
    values: Mapping[str, str]


def layers_of(
    server: str, known: Sequence[Setting], arguments: Sequence[str], environment: Mapping[str, str], read: Read
) -> tuple[Layer, ...]:
    """All sources of a server's settings with what they say, the weakest first; the command line is among them.

    Args:
        known: the settings of the server.
        arguments: its command line.
        environment: its variables.
    """
    if server == "uwsgi":
        return tuple(Layer(origin, said, {}) for origin, said in uwsgi_layers(known, arguments, environment, read))
    before = list(_variables(known, environment))
    if server == "gunicorn":
        before += _gunicorn(known, arguments, environment, read)
    elif server in {"uvicorn", "granian"}:
        before = [*_dotenv(server, arguments, environment, read), *before, *_kind(server, environment)]
    elif server == "hypercorn":
        before = list(_config(server, known, option_value(arguments, *_CONFIG), environment, read))
    elif server == "h2corn":
        named = option_value(arguments, *_CONFIG) or environment.get("H2CORN_CONFIG")
        before = [*_config(server, known, named, environment, read), *before]
    return (*before, Layer("command line", tuple(arguments), {}))


def file_of(server: str, arguments: Sequence[str]) -> str | None:
    """The configuration file that a command line names, as it names it; None without one."""
    return option_value(arguments, *_CONFIG) if server in {"gunicorn", "hypercorn", "h2corn"} else None


def path_of(named: str) -> str:
    """The path of a configuration file, by what the command line calls it: a path, `file:PATH` or `python:MODULE`."""
    if named.startswith("python:"):
        return f"{named.removeprefix('python:').replace('.', '/')}.py"
    return named.removeprefix("file:")


def values_in_file(text: str, names: Sequence[str], environment: Mapping[str, str], *, is_toml: bool) -> dict[str, str]:
    """What a configuration file in TOML or Python says of these settings, as text; UNKNOWN what is computed.

    A file with an error in it says nothing: the server will not start.
    """
    try:
        found: Mapping[str, object] = tomllib.loads(text) if is_toml else constants_in(text, names, environment)
    except (ValueError, SyntaxError, RecursionError):
        return {}
    return {name: UNKNOWN if found[name] is None else str(found[name]) for name in names if name in found}


def is_in_toml(server: str, named: str) -> bool:
    """Whether a configuration file is in TOML, and not in Python, by what the command line calls it.

    Source: hypercorn/__main__.py, _load_config(); gunicorn/app/base.py, get_config_from_filename(); h2corn/_config.py.
    """
    return server == "h2corn" or (server == "hypercorn" and not named.startswith(("file:", "python:")))


def _variables(known: Sequence[Setting], environment: Mapping[str, str]) -> Iterator[Layer]:
    for each in known:
        for variable in (*reversed(each.weaker_variables), each.variable):
            value = environment.get(variable)
            if value is not None and each.options:
                yield Layer(f"environment {variable}", (each.options[0], value), {})
            elif value is not None:
                yield Layer(f"environment {variable}", (), {each.name: value})


def _gunicorn(
    known: Sequence[Setting], arguments: Sequence[str], environment: Mapping[str, str], read: Read
) -> Iterator[Layer]:
    try:
        given = tuple(shlex.split(environment.get(GUNICORN_ARGUMENTS, "")))
    except ValueError:
        given = ()
    path = option_value(arguments, *_CONFIG) or option_value(given, *_CONFIG) or GUNICORN_FILE
    yield from _config("gunicorn", known, path, environment, read)
    if given:
        yield Layer(GUNICORN_ARGUMENTS, given, {})


def _config(
    server: str, known: Sequence[Setting], named: str | None, environment: Mapping[str, str], read: Read
) -> Iterator[Layer]:
    """What a configuration file says; of one that is named and cannot be read, that it may say anything."""
    if named is None:
        return
    path, kinds = path_of(named), _KINDS.get(server, ())
    text, origin = read(path), f"file {path}"
    if text is not None:
        names = (*(each.name for each in known), *kinds)
        said = values_in_file(text, names, environment, is_toml=is_in_toml(server, named))
    elif named != GUNICORN_FILE:
        said, origin = {each.name: UNKNOWN for each in known}, f"{origin} (which cannot be read)"
    else:
        return
    options = {each.name: each.options[0] for each in known if each.options}
    # A kind that is computed is taken for the usual one: which settings there are depends on it.
    options |= {name: f"--{name.replace('_', '-')}" for name in kinds if said.get(name) != UNKNOWN}
    spelt = [part for name, value in said.items() if name in options for part in (options[name], value)]
    only_here = {each.name: said[each.name] for each in known if not each.options and each.name in said}
    if spelt or only_here:
        yield Layer(origin, tuple(spelt), only_here)


def _kind(server: str, environment: Mapping[str, str]) -> Iterator[Layer]:
    for name in _KINDS[server]:
        variable = f"{server.upper()}_{name.upper()}"
        if variable in environment:
            yield Layer(f"environment {variable}", (f"--{name}", environment[variable]), {})


def _dotenv(server: str, arguments: Sequence[str], environment: Mapping[str, str], read: Read) -> Iterator[Layer]:
    """What --env-file of uvicorn sets: it is read when the options are settled, so that WEB_CONCURRENCY alone counts.

    It sets no variable that is set already (python-dotenv, load_dotenv()). granian reads its --env-files later still.
    """
    path = option_value(arguments, "--env-file") or environment.get("UVICORN_ENV_FILE")
    if server != "uvicorn" or path is None or "WEB_CONCURRENCY" in environment:
        return
    for name, value in re.findall(r"^\s*(?:export\s+)?(\w+)\s*=\s*[\"']?([^\"'\s#]*)", read(path) or "", re.MULTILINE):
        if name == "WEB_CONCURRENCY":
            yield Layer(f"file {path}", ("--workers", value), {})
