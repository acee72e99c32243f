"""What the machine's other users see of our command line, in `ps`.

The kernel shows them the memory in which it had put the arguments (proc(5), `cmdline`), so what is secret is written
over there, as curl does; the arguments that Python has are copies. Until then, a few hundredths of a second, it can be
seen: `-H @FILE` is for what must not be seen at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from holdfast.cli.own_fault import masked

# proc(5), `stat`: counted from the pid; those after the name are counted from the state, field 3.
_ARGUMENTS_START, _FIRST_AFTER_NAME = 48, 3


def hide_secrets(arguments: Sequence[str]) -> None:
    """Writes over the values of headers, bodies, properties and the like, where that is possible.

    Args:
        arguments: the end of our command line.
    """
    _, secrets = masked(arguments)
    if not any(secrets):
        return
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open("/proc/self/stat", "rb") as stat:
            start = int(stat.read().rpartition(b")")[2].split()[_ARGUMENTS_START - _FIRST_AFTER_NAME])
        with open("/proc/self/cmdline", "rb") as line:
            words = line.read()
        hidden = words
        for secret in sorted({each.encode(errors="surrogateescape") for each in secrets}, key=len, reverse=True):
            hidden = hidden.replace(secret, b"*" * len(secret)) if secret else hidden
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            memory.seek(start)
            memory.write(hidden)
