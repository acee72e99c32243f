"""Requests that come to the server at another path than they were sent with, because a front changes it."""

from __future__ import annotations

import mmap

from holdfast.inside.holdfast_inside import layout


class Elsewhere:
    """Which path requests come at, if it is not the one that is asked for."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data

    def begin(self) -> None:
        """Forgets how earlier requests came, but not the path at which later ones are held too."""
        if not self._read()[1]:
            layout.ELSEWHERE.pack_into(self._data, layout.ELSEWHERE_OFFSET, 0, 0, 0, b"")

    def came(self) -> bool:
        """Whether a request has come at a path at which it is held, so that it has reached the application."""
        return bool(self._read()[0])

    def is_known(self) -> bool:
        """Whether requests have come at another path, none at the one that is asked for, and none is held there."""
        came, also_there, length, _ = self._read()
        return bool(length) and not came and not also_there

    def hold(self) -> None:
        """Lets requests that come at that path be held too."""
        came, _, length, path = self._read()
        layout.ELSEWHERE.pack_into(self._data, layout.ELSEWHERE_OFFSET, came, 1, length, path)

    def _read(self) -> tuple[int, int, int, bytes]:
        return layout.ELSEWHERE.unpack_from(self._data, layout.ELSEWHERE_OFFSET)
