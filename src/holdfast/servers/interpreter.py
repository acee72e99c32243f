"""Finds the Python environment in which the server is installed; starts interpreters to ask them."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePath

from holdfast.errors import EnvironmentFailure, NotInstalledError
from holdfast.model.frozen import frozen
from holdfast.servers.adapter import FRAMEWORK_PACKAGES, Adapter, Package
from holdfast.servers.ownership import why_not_ours

_ASK_S = 20.0
_SHOWN = 200
_OWN_WANT = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM})

# Asked of every candidate: which of the packages it can import (found, not imported: an
# import would run the package's code) and their versions.
# What `-c` puts in front, the working directory, goes first of all: a project's own email.py or types.py would be
# imported in the place of the standard library's, and so run.
# importlib.metadata takes two thirds of the time of all of this to import (60 of 85 ms), so it is asked only for what
# is not found as it would find it: in the first directory of the path that has it, named as recorded or, in older
# installations, as built (packaging.python.org, "Recording installed projects").
_QUESTION = """
import sys
sys.path[:] = [each for each in sys.path if each]
import importlib.util, json, os, re

def plain(name):
    return re.sub("[-_.]+", "_", name).lower()

def recorded():
    for folder in sys.path:
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for ending in (".dist-info", ".egg-info"):
            for name in names:
                if name.endswith(ending):
                    yield plain(name[:-len(ending)].partition("-")[0]), os.path.join(folder, name)

places = {}
for name, place in recorded():
    places.setdefault(name, place)

def version(distribution):
    place = places.get(plain(distribution))
    for path in (os.path.join(place, "METADATA"), os.path.join(place, "PKG-INFO"), place) if place else ():
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                for line in file:
                    if line.lower().startswith("version:"):
                        return line.partition(":")[2].strip()
                    if not line.strip():
                        break
        except OSError:
            continue
    from importlib import metadata
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None

found = {}
python = sys.version.split()[0]
for module, distribution in json.loads(sys.argv[1]):
    if importlib.util.find_spec(module) is None:
        continue
    known = version(distribution) if distribution else python
    if known is None:
        # Two distributions may bring one module; the version is that of the one which is there.
        found.setdefault(module, "")
    else:
        found[module] = known
print(json.dumps({"python": python, "prefix": sys.prefix, "base": sys.base_prefix, "found": found}))
"""


@frozen
class Interpreter:
    """A Python that has the server.

    Attributes:
        version: of the server's package; "" where the package does not say.
        virtual_env: root of its virtual environment; None if it is not one.
        scripts: executables of the server, by name.
        frameworks: those whose built-in application can run there.
    """

    path: str
    python: str
    version: str
    virtual_env: str | None
    scripts: dict[str, str]
    frameworks: frozenset[str] = frozenset()


@frozen
class Answer:
    """What an interpreter answered.

    Attributes:
        found: versions of its packages, by module; "" where a package does not say.
    """

    python: str
    prefix: str
    base: str
    found: dict[str, str]


_Wanted = tuple[tuple[str, str], ...]  # modules, and the distributions that bring them

_ASKED: dict[str, tuple[_Wanted, Answer]] = {}
"""What was asked of each interpreter, and its answer: a study asks once for all its rows (0.1 to 0.2 s of a core each).
"""

_ASKING: dict[tuple[str, _Wanted], subprocess.Popen[bytes]] = {}
"""What interpreters are being asked by `asked_ahead`."""


def find_interpreter(adapter: Adapter, asked_for: str | None, cwd: PurePath) -> Interpreter:
    """The first interpreter that has the adapter's package.

    In this order: the one asked for; the active virtual environment; `.venv` in `cwd`, unless another user may have
    written it; the one that runs holdfast; `python3` on PATH.

    Raises:
        NotInstalledError: none of them has it.
        EnvironmentFailure: the one asked for cannot be run.
    """
    looked: list[str] = []
    first = "python"
    for path, answer in answers(_packages(adapter), asked_for, cwd):
        if answer is None:
            looked.append(f"{path} (which cannot be run)")
            continue
        first = path if first == "python" else first
        looked.append(path)
        package, scripts = has(answer, path, adapter)
        if package is not None:
            virtual_env = answer.prefix if answer.prefix != answer.base else None
            frameworks = frozenset(name for name, each in FRAMEWORK_PACKAGES.items() if each.module in answer.found)
            version = answer.found[package.module]
            return Interpreter(path, answer.python, version, virtual_env, scripts, frameworks)
    if asked_for is None and (why_not := _why_not_taken(_own_environment(cwd))):
        looked.append(f"{_own_environment(cwd)} (which was not run: {why_not.rstrip('.')})")
    requirement = adapter.packages[0].requirement
    raise NotInstalledError(
        f"{requirement} is not installed where holdfast looked for it.",
        "Looked in: " + ", ".join(looked) + ".",
        f"{install_command(first, requirement)}   (or name another environment's interpreter with --python)",
    )


def install_command(interpreter: str, requirement: str, *, with_path: bool = True) -> str:
    """The command that installs a package for an interpreter. An environment that uv made has no pip of its own.

    Args:
        with_path: False leaves out which interpreter it is, for a reader on another machine.
    """
    try:
        settings = (Path(interpreter).parent.parent / "pyvenv.cfg").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        settings = ""
    if any(line.partition("=")[0].strip() == "uv" for line in settings.splitlines()):
        return f"uv pip install {f'--python {interpreter} ' if with_path else ''}{requirement}"
    return f"{interpreter if with_path else 'python'} -m pip install {requirement}"


@contextlib.contextmanager
def asked_ahead(adapter: Adapter, asked_for: str | None, cwd: PurePath) -> Iterator[None]:
    """Asks the interpreter that `find_interpreter` will ask first, which answers while something else is done.

    If it cannot be asked, `find_interpreter` says so. An answer that nothing waited for is lost with the block.
    """
    with contextlib.suppress(EnvironmentFailure, OSError, StopIteration):
        path = _named(asked_for) if asked_for else next(_candidates(Path(cwd)))
        wanted = _wanted(_packages(adapter))
        if _asked_before(path, wanted) is None:
            _ASKING[path, wanted] = _begin_to_ask(path, wanted)
    try:
        yield
    finally:
        while _ASKING:
            _, asking = _ASKING.popitem()
            asking.kill()
            asking.communicate()


def _packages(adapter: Adapter) -> list[Package]:
    return [*adapter.packages, *FRAMEWORK_PACKAGES.values()]


def _wanted(packages: Iterable[Package]) -> _Wanted:
    return tuple(dict.fromkeys((package.module, package.distribution) for package in packages))


def answers(packages: Iterable[Package], asked_for: str | None, cwd: PurePath) -> Iterator[tuple[str, Answer | None]]:
    """Every interpreter in that order and what it has of `packages`, None if it cannot be run; each environment once.

    Raises:
        EnvironmentFailure: the one asked for cannot be run.
    """
    wanted = _wanted(packages)
    seen: set[str] = set()
    for path in [_named(asked_for)] if asked_for else _candidates(Path(cwd)):
        answer = _asked_before(path, wanted)
        if answer is None and (answer := _ask(path, wanted, required=asked_for is not None)) is not None:
            _ASKED[path] = wanted, answer
        if answer is None or answer.prefix not in seen:
            seen.add(answer.prefix if answer else "")
            yield path, answer


def has(answer: Answer, interpreter: str, adapter: Adapter) -> tuple[Package | None, dict[str, str]]:
    """The adapter's package that this interpreter can start, None if it has none; and its scripts."""
    scripts = _scripts(adapter, interpreter, answer.prefix)
    for package in adapter.packages:
        if package.module in answer.found and (scripts or not adapter.executables):
            return package, scripts
    return None, scripts


def _named(asked_for: str) -> str:
    path = asked_for if os.sep in asked_for else shutil.which(asked_for)
    if path is None or not os.path.isfile(path):
        what = "is a directory" if path is not None and os.path.isdir(path) else "does not exist"
        raise EnvironmentFailure(
            f"The interpreter {asked_for!r} {what}.",
            "--python names neither an executable file nor a command on PATH.",
            "Give the path of a virtual environment's python, such as .venv/bin/python.",
        )
    return str(Path(path).absolute())


def _candidates(cwd: Path) -> Iterator[str]:
    active = os.environ.get("VIRTUAL_ENV")
    places = [Path(active) / "bin" / "python"] if active else []
    own = _own_environment(cwd)
    places += [own] if _why_not_taken(own) is None else []
    places += [Path(sys.executable)]
    on_path = shutil.which("python3")
    places += [Path(on_path)] if on_path else []
    seen = set()
    for place in places:
        path = str(place.absolute())
        if path not in seen and os.access(path, os.X_OK):
            seen.add(path)
            yield path


def _own_environment(cwd: PurePath) -> Path:
    return Path(cwd, ".venv", "bin", "python")


def _why_not_taken(interpreter: Path) -> str | None:
    """Why another user may decide what the interpreter of a directory runs; None where none does, or there is none."""
    with contextlib.suppress(OSError):
        return why_not_ours(interpreter) or why_not_ours(interpreter.parent)
    return None


def _asked_before(path: str, wanted: _Wanted) -> Answer | None:
    """What an interpreter has answered to this process, if it was asked for all of these packages."""
    asked, answer = _ASKED.get(path, ((), None))
    if answer is None or not {*wanted} <= {*asked}:
        return None
    modules = {module for module, _ in wanted}
    return replace(answer, found={name: version for name, version in answer.found.items() if name in modules})


def _begin_to_ask(path: str, wanted: _Wanted) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [path, "-c", _QUESTION, json.dumps(wanted)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # In its own session: the terminal's Ctrl-C is meant for us, and would look like a broken interpreter.
        start_new_session=True,
    )


def _said(asking: subprocess.Popen[bytes]) -> bytes:
    """What the interpreter printed.

    Raises:
        subprocess.SubprocessError: it took too long, or failed.
    """
    try:
        said, errors = asking.communicate(timeout=_ASK_S)
    except BaseException:
        asking.kill()
        asking.communicate()
        raise
    if asking.returncode:
        raise subprocess.CalledProcessError(asking.returncode, asking.args, said, errors)
    return said


def _ask(path: str, wanted: _Wanted, *, required: bool) -> Answer | None:
    try:
        ahead = _ASKING.pop((path, wanted)) if (path, wanted) in _ASKING else None
        return _understood(_said(_begin_to_ask(path, wanted) if ahead is None else ahead))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        if getattr(error, "errno", None) in _OWN_WANT:
            raise EnvironmentFailure(
                "holdfast could not start another process.",
                str(error),
                "Raise the limits under which holdfast itself runs (ulimit -n, ulimit -u).",
            ) from error
        if not required:
            return None
        raise EnvironmentFailure(
            f"{path} could not be run as a Python interpreter.",
            _last_line(getattr(error, "stderr", None)) or _last_line(str(error).encode()),
            "Give the path of a virtual environment's python (3.8 or newer) with --python.",
        ) from error


def _understood(said: bytes) -> Answer:
    """What a program printed when it was asked.

    Raises:
        ValueError: it is not an answer, so the program is not a Python interpreter.
    """
    match json.loads(said):
        case {"python": str(python), "prefix": str(prefix), "base": str(base), "found": dict(found)}:
            return Answer(python, prefix, base, found)
    raise ValueError("It printed something else than it was asked for.")


def _last_line(said: bytes | None) -> str:
    lines = (said or b"").decode(errors="replace").strip().splitlines()
    return lines[-1][-_SHOWN:] if lines else ""


def _scripts(adapter: Adapter, interpreter: str, prefix: str) -> dict[str, str]:
    # The folder of the interpreter as it was named comes first: a virtual environment's python
    # is a symbolic link, and its neighbours are the environment's own scripts.
    folders = os.pathsep.join([str(Path(interpreter).parent), str(Path(prefix) / "bin")])
    found = {name: shutil.which(name, path=folders) for name in adapter.executables}
    return {name: path for name, path in found.items() if path is not None}
