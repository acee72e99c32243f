"""What a server writes to its standard output and error: a file of which the beginning and the end are kept.

It lies in memory (`rundir`), where a container may have 64 MB for everything. A pipe would bound its length, but a
reader that is late stops the server that writes into it. So the server writes into a file, and the part between the
beginning and the end is given back to the system from time to time. The server does not notice: the offsets stay, and
the part reads as zeros (fallocate(2), FALLOC_FL_PUNCH_HOLE).
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

# Control sequences for terminals (ECMA-48, 5.4): colours in the server's log.
_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")

_WORDS_BYTES = 8192
KEPT_BYTES = 65_536
"""At the beginning, and again at the end."""
CUT_AT_BYTES = 4 * 1024 * 1024
"""It is cut each time that it has grown by this much."""
_KEEP_SIZE, _PUNCH_HOLE = 1, 2  # linux/falloc.h


class ServerLog:
    """The file. Invariant: its first and last KEPT_BYTES are there, whatever was cut.

    Attributes:
        cut_bytes: how much of it is gone.
    """

    def __init__(self, path: Path) -> None:
        """Makes an empty file that its user alone can read.

        Raises:
            OSError: it cannot be made.
        """
        self.path = path
        self.cut_bytes = 0
        # The application's own words are in it, and with --nproc its directory is open to another user.
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def fileno(self) -> int:
        """The descriptor that the server writes to."""
        return self._descriptor

    @property
    def size_bytes(self) -> int:
        """How much was written to it."""
        return os.fstat(self._descriptor).st_size

    def close(self) -> None:
        """Lets go of the descriptor; the file stays."""
        os.close(self._descriptor)

    def cut(self) -> None:
        """Gives back what lies between its beginning and its end, where it has grown much. Else costs one fstat(2)."""
        end = os.fstat(self._descriptor).st_size - KEPT_BYTES
        if end - KEPT_BYTES - self.cut_bytes < CUT_AT_BYTES:
            return
        import ctypes  # noqa: PLC0415 - 5 ms that few runs need

        punch = ctypes.CDLL(None, use_errno=True).fallocate
        punch.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
        start = KEPT_BYTES + self.cut_bytes
        # A file system that cannot do it (NFS) is on a disk.
        if punch(self._descriptor, _KEEP_SIZE | _PUNCH_HOLE, start, end - start) == 0:
            self.cut_bytes = end - KEPT_BYTES

    def first_words(self) -> str:
        """Its beginning, at most 8 KiB: a server that refuses an argument says so before it lists its options."""
        return self._words(last=False)

    def last_words(self) -> str:
        """Its end, at most 8 KiB, without terminal escapes."""
        return self._words(last=True)

    def found(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """What the first group of a pattern matches in its beginning and its end, each text once, in order."""
        with contextlib.suppress(OSError), self.path.open("rb") as log:
            text = log.read(KEPT_BYTES)
            log.seek(max(KEPT_BYTES, self.size_bytes - KEPT_BYTES))
            text += log.read()
            return tuple(dict.fromkeys(each[1] for each in pattern.finditer(text.decode(errors="replace"))))
        return ()

    def _words(self, *, last: bool) -> str:
        with contextlib.suppress(OSError), self.path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - _WORDS_BYTES) if last else 0)
            text = log.read(_WORDS_BYTES).decode(errors="replace")
            text = _ESCAPE.sub("", text)
            return "".join(c for c in text if c.isprintable() or c in "\n\t").strip()
        return ""
