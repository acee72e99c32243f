"""What a person is told of a file that may be run and is no program (execve(2), ENOEXEC)."""

from __future__ import annotations

from holdfast.errors import EnvironmentFailure

_ELF = b"\x7fELF"
_PYTHON = (b"import ", b"from ", b"def ", b"class ", b"async def ")


def no_program(name: str, content: bytes) -> EnvironmentFailure:
    """The error for such a file.

    Args:
        name: as it was given.
        content: its beginning; b"" where it cannot be read, or is empty.
    """
    what = f"{name} could not be started."
    if content.startswith(_ELF):
        return EnvironmentFailure(
            what, "It is a program for another kind of machine.", "Give one that was built for this machine."
        )
    if not content:
        return EnvironmentFailure(what, "It is empty, or cannot be read.", "Check that it is what you mean.")
    if b"\0" in content:
        return EnvironmentFailure(what, "It is neither a program nor a script.", "Check that it is what you mean.")
    python = name.endswith(".py") or any(line.startswith(_PYTHON) for line in content.splitlines())
    line, interpreter = ("#!/usr/bin/env python3", "python") if python else ("#!/bin/sh", "sh")
    return EnvironmentFailure(
        what,
        f"Its first line does not name an interpreter ({line}).",
        f"Write that line, or name the interpreter: holdfast exec -- {interpreter} {name}",
    )
