"""What the processes of a server run, for words about them; the kernel's and their own account of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import PurePath

from holdfast.model.frozen import frozen

# What follows the version says how it was built: t without the GIL, d for debugging (sys.abiflags).
_INTERPRETER = re.compile(r"^(python|pypy)[\d.]*[tdmu]*$")
# Of an interpreter, of libpython, and of extension modules, some of which each server has loaded (PEP 703, PEP 803).
_WITHOUT_GIL = re.compile(r"python3\.\d+td?(\.so.*)?$|\.cpython-3\d+td?-|\.abi3t\.")
_TAKES_VALUE = frozenset("WX")
# What else a title may be made of: "gunicorn: master [shop:app]".
_TITLE_ENDS = re.compile(r"[\s:]")


@frozen
class Program:
    """One process.

    Attributes:
        file: the program's file; "" where it may not be read.
        arguments: the first one is the name by which it was called; a process can write something else there.
        environment: as it was when the program began; None where it may not be read, or is not there any more.
        overwritten: the process has put a title of its own where its environment was (as setproctitle does).
        maps: paths of the files that are mapped into it.
    """

    pid: int
    file: str
    arguments: tuple[str, ...]
    environment: dict[str, str] | None
    maps: frozenset[str]
    overwritten: bool = False


def read_program(pid: int) -> Program | None:
    """What a process runs; None where it has ended."""
    arguments = _text(f"/proc/{pid}/cmdline")
    if arguments is None:
        return None
    try:
        file = os.readlink(f"/proc/{pid}/exe")
    except OSError:
        file = ""
    environ = _text(f"/proc/{pid}/environ")
    variables = None
    if environ is not None:
        variables = dict(each.partition("=")[::2] for each in environ.split("\0") if "=" in each)
    # One that was cleared is empty, and one that was overwritten is as long as it was, or ends with zeros at least.
    overwritten = bool(environ) and not variables
    lines = (_text(f"/proc/{pid}/maps") or "").splitlines()
    # address, permissions, offset, device, inode, path (proc(5)); a path may hold spaces.
    fields = (line.split(maxsplit=5) for line in lines)
    maps = frozenset(each[5] for each in fields if len(each) == 6)
    return Program(
        pid,
        file,
        tuple(arguments.rstrip("\0").split("\0")),
        None if overwritten else variables,
        maps,
        overwritten=overwritten,
    )


def read_arguments(pid: int) -> tuple[str, ...]:
    """The command line of a process; () where it has ended, or is one of the kernel's."""
    text = _text(f"/proc/{pid}/cmdline")
    return tuple(text.rstrip("\0").split("\0")) if text else ()


def sees_file(pid: int, path: str | PathLike[str]) -> bool | None:
    """Whether a process finds at this absolute path the file that we find there; None where that may not be looked at.

    It does not where its root directory or what is mounted is another (mount_namespaces(7)). Source: proc(5), `root`.
    """
    try:
        ours = os.stat(path)
        os.stat(f"/proc/{pid}/root/")
    except OSError:
        return None
    try:
        theirs = os.stat(f"/proc/{pid}/root{os.fspath(path)}")
    except FileNotFoundError:
        return False
    except OSError:
        return None
    return (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino)


def read_command_lines(pids: Iterable[int]) -> tuple[tuple[str, ...], ...]:
    """The arguments of each of these processes that still runs."""
    return tuple(filter(None, map(read_arguments, pids)))


def is_python(program: Program) -> bool:
    """Whether it is an interpreter, or has one in it."""
    names = [PurePath(each).name for each in (program.file, *program.maps)]
    return any(_INTERPRETER.match(name) or name.startswith("libpython") for name in names)


def is_built_without_gil(program: Program) -> bool:
    """Whether it is, or has in it, an interpreter that was built to do without its lock; it may run with it.

    Where only a name tells, as of an interpreter that is called python3.14, it is not known, and False.
    """
    return any(_WITHOUT_GIL.search(PurePath(each).name) for each in (program.file, *program.maps))


def is_interpreter(program: Program) -> bool:
    """Whether it is Python itself, so that its arguments say what it runs."""
    return _INTERPRETER.match(PurePath(program.file).name) is not None


def switches(arguments: Sequence[str]) -> str:
    """The letters of an interpreter's own options, "IS" of `python -I -S app.py`; "" of any other program."""
    return _own_options(arguments)[0]


def name_of(arguments: Sequence[str]) -> str | None:
    """What a person calls it: of an interpreter the module or file that it runs; None where that says nothing."""
    if not arguments:
        return None
    program = PurePath(_TITLE_ENDS.split(arguments[0])[0]).name
    if not _INTERPRETER.match(program):
        return program or None
    letters, rest = _own_options(arguments)
    if not rest or letters.endswith("c"):
        return None
    return rest[0].removesuffix(".__main__") if letters.endswith("m") else PurePath(rest[0]).name


def _own_options(arguments: Sequence[str]) -> tuple[str, Sequence[str]]:
    """An interpreter's options, and what follows: a file, or of -m and -c what they are given (they are the last)."""
    if not arguments or not _INTERPRETER.match(PurePath(arguments[0]).name):
        return "", ()
    letters = ""
    rest = list(arguments[1:])
    while rest and rest[0].startswith("-") and rest[0] != "-":
        option = rest.pop(0)
        if option.startswith("--"):
            continue
        for at, letter in enumerate(option[1:], 1):
            letters += letter
            if letter in "mc":
                return letters, ([option[at + 1 :]] if option[at + 1 :] else []) + rest
            if letter in _TAKES_VALUE:
                if not option[at + 1 :] and rest:
                    rest.pop(0)
                break
    return letters, rest


def _text(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "surrogateescape")
    except OSError:
        return None
