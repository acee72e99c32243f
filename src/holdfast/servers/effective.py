"""A server's settings with the values in force, where they come from, and the same server with another value. Pure."""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from holdfast.errors import UsageError
from holdfast.model.frozen import frozen
from holdfast.servers.adapter import Setting
from holdfast.servers.address import LOOPBACK, option_value, with_value
from holdfast.servers.command_line import Read
from holdfast.servers.config_layers import Layer, file_of, is_in_toml, layers_of, path_of
from holdfast.servers.uwsgi_layers import INHERITED, with_uwsgi_value

DEFAULT = "default"
_CONSTANT = "it is a constant of the server, or has no option on its command line"
# A listener's backlog is a part of its endpoint there (twisted/internet/endpoints.py, _parseTCP()).
_ENDPOINTS: Mapping[str, tuple[str, ...]] = {"daphne": ("-e", "--endpoint"), "twisted": ("--listen", "--port", "-p")}
_BACKLOG = re.compile(r"(?<!\\):backlog=[^:]*")
# They read their command line with argparse, optparse, getopt or getopt_long, which take the beginning of an option for
# the whole of it; click, which others use, does not.
_ABBREVIATING = frozenset({"gunicorn", "hypercorn", "h2corn", "cheroot", "pyvoy", "waitress", "mod_wsgi", "uwsgi"})
# Options of their own that are the beginning of another.
_OWN_OPTIONS = frozenset({"--cheap"})
# These name the listener in another way, which an endpoint would be added to.
_OTHER_LISTENERS = ("--bind", "-b", "--port", "-p", "-u", "--unix-socket")


@frozen
class SettingInForce:
    """A setting of a server that is to be started.

    Attributes:
        setting: with the value in force; None where it has none, or where it is computed elsewhere.
        origin: "default", "command line", "environment NAME", "GUNICORN_CMD_ARGS" or "file PATH".
        fixed: why it cannot be varied; "" where it can.
    """

    setting: Setting
    origin: str
    fixed: str = ""


@frozen
class Started:
    """A server as something starts it.

    Attributes:
        server: the adapter's name.
        settings: of its adapter.
        arguments: its command line.
        environment: its variables.
        pinned: the variables that the command sets itself, so that none from outside counts.
    """

    server: str
    settings: Callable[[Sequence[str]], tuple[Setting, ...]]
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    pinned: frozenset[str] = frozenset()


@frozen
class Variation:
    """What is to be changed for a setting to have another value.

    Attributes:
        arguments: the server's new command line; FILE in it is the path of the file to write.
        variables: to set.
        text: of a configuration file to write in place of the person's own; None where none is needed.
        suffix: of that file's name.
    """

    arguments: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()
    text: str | None = None
    suffix: str = ""


FILE = "\0file\0"


def spelt_out(server: str, settings: Sequence[Setting], arguments: Sequence[str]) -> tuple[str, ...]:
    """The arguments with abbreviated options of these settings in full, as `--threads` for `--thread`.

    Only where the server takes them. One that is short for several options is refused by the server itself.
    """
    options = {option for each in settings for option in each.options if option.startswith("--")}
    full: list[str] = []
    for each in arguments:
        name, equals, value = each.partition("=")
        meant = [option for option in options if option.startswith(name)] if len(name) > len("--") else []
        is_short = name.startswith("--") and name not in _OWN_OPTIONS and name not in options and len(meant) == 1
        full.append(f"{meant[0]}{equals}{value}" if is_short and server in _ABBREVIATING else each)
    return tuple(full)


def settings_in_force(started: Started, read: Read) -> tuple[SettingInForce, ...]:
    """All settings with their values.

    Args:
        read: the text of a file, by its path as the server is given it.
    """
    layers = layers_of(
        started.server, started.settings(started.arguments), started.arguments, started.environment, read
    )
    together = tuple(part for layer in layers for part in layer.arguments)
    return tuple(_in_force(started, each, layers, together) for each in started.settings(together))


def arguments_in_force(started: Started, read: Read) -> tuple[str, ...]:
    """What all sources together say of these settings, as they would be on the command line; the last one counts."""
    layers = layers_of(
        started.server, started.settings(started.arguments), started.arguments, started.environment, read
    )
    return tuple(part for layer in layers for part in layer.arguments)


def variation(started: Started, found: SettingInForce, value: int, read: Read) -> Variation:
    """How the server is started with another value for a setting, which wins over all that says another.

    Raises:
        UsageError: it cannot be varied; it says why.
    """
    setting, arguments = found.setting, started.arguments
    if found.fixed:
        raise _cannot_vary(setting.name, found.fixed)
    if setting.words:
        return Variation(_switched(arguments, setting.words, on=bool(value)))
    if started.server == "uwsgi":
        return Variation(with_uwsgi_value(arguments, setting.options[0], value))
    if setting.options:
        return Variation(with_value(arguments, setting.options, value))
    if started.server in _ENDPOINTS and setting.name == "backlog":
        return Variation(_with_backlog(arguments, _ENDPOINTS[started.server], value))
    if setting.variable:
        return Variation(arguments, ((setting.variable, str(value)),))
    return _in_file(started, setting.name, value, read)


def _in_force(started: Started, setting: Setting, layers: Sequence[Layer], together: Sequence[str]) -> SettingInForce:
    origin = next((each.origin for each in reversed(layers) if _says(started, setting, each)), DEFAULT)
    value = setting.value
    for layer in layers:
        if setting.name in layer.values:
            value = _number(layer.values[setting.name])
    given = option_value(together, *setting.options) if setting.options else None
    if given is not None and _number(given) is None:
        value = None
    return SettingInForce(replace(setting, value=value), origin, _why_fixed(started, setting, origin))


def _says(started: Started, setting: Setting, layer: Layer) -> bool:
    if setting.options and option_value(layer.arguments, *setting.options) is not None:
        return True
    if setting.words or (started.server in _ENDPOINTS and setting.name == "backlog"):
        own = {each.name: each.value for each in started.settings(layer.arguments)}
        return own != {each.name: each.value for each in started.settings(())} and own[setting.name] == setting.value
    return setting.name in layer.values


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _why_fixed(started: Started, setting: Setting, origin: str) -> str:
    if origin.startswith(INHERITED):
        return f"{origin.removeprefix(INHERITED).strip()} is inherited, which uWSGI reads behind everything else"
    if setting.options or setting.words:
        return ""
    if started.server in _ENDPOINTS and setting.name == "backlog":
        endpoint = option_value(started.arguments, *_ENDPOINTS[started.server])
        if endpoint is None and option_value(started.arguments, *_OTHER_LISTENERS) is not None:
            return "the listener is not given as an endpoint, which alone has a backlog"
        return ""
    if setting.variable:
        return f"the command sets {setting.variable} itself" if setting.variable in started.pinned else ""
    return "" if started.server == "hypercorn" and setting.for_streams else _CONSTANT


def _switched(arguments: Sequence[str], words: Sequence[str], *, on: bool) -> tuple[str, ...]:
    wanted = words[on]
    kept = tuple(each for each in arguments if each not in words)
    return (*kept, wanted) if wanted else kept


def _with_backlog(arguments: Sequence[str], names: Sequence[str], value: int) -> tuple[str, ...]:
    given = option_value(arguments, *names) or f"tcp:0:interface={LOOPBACK}"
    if given.isdecimal():
        given = f"tcp:{given}"
    return with_value(arguments, names, f"{_BACKLOG.sub('', given)}:backlog={value}")


def _in_file(started: Started, name: str, value: int, read: Read) -> Variation:
    """A copy of the configuration file with another value, or a file of its own where there is none."""
    named = file_of(started.server, started.arguments)
    if named is None:
        return Variation(
            with_value(started.arguments, ("-c", "--config"), FILE), text=f"{name} = {value}\n", suffix=".toml"
        )
    is_toml = is_in_toml(started.server, named)
    path = path_of(named)
    text = read(path)
    if text is None:
        raise _cannot_vary(name, f"its file {path} cannot be read")
    try:
        changed = toml_with(text, name, value) if is_toml else python_with(text, name, value)
    except ValueError as error:
        raise _cannot_vary(name, f"{path}: {error}") from error
    where = FILE if is_toml else f"file:{FILE}"
    arguments = with_value(started.arguments, ("-c", "--config"), where)
    return Variation(arguments, text=changed, suffix=".toml" if is_toml else ".py")


def python_with(text: str, name: str, value: int) -> str:
    """The text of a Python file that gives a name this value in the end, whatever it said of it."""
    return f"{text.rstrip()}\n{name} = {value}\n"


def toml_with(text: str, name: str, value: int) -> str:
    """The text of a TOML file whose top level gives a key this value.

    Raises:
        ValueError: it is not TOML, or does not give the key its value on a line of its own.
    """
    wanted = {**tomllib.loads(text), name: value}
    lines = text.splitlines()
    own = re.compile(rf"""^\s*["']?{re.escape(name)}["']?\s*=""")
    for left_out in (None, *(at for at, line in enumerate(lines) if own.match(line))):
        # In front, where no table and no value that takes several lines can have begun.
        kept = [line for at, line in enumerate(lines) if at != left_out]
        changed = "\n".join([f"{name} = {value}", *kept]) + "\n"
        with contextlib.suppress(tomllib.TOMLDecodeError):
            if tomllib.loads(changed) == wanted:
                return changed
    raise ValueError(f"{name} is not given on a line of its own")


def _cannot_vary(name: str, why: str) -> UsageError:
    return UsageError(f"{name} cannot be varied: {why}.", "", "Vary another setting, or a limit of the environment.")
