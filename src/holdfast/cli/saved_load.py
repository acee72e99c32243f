"""A saved load run, as the commands that show, write and compare one read it."""

from __future__ import annotations

from holdfast import store
from holdfast.loadtest import saved
from holdfast.loadtest.run import FinishedLoad


def saved_load(number: int) -> FinishedLoad:
    """A saved load run, with its result computed anew.

    Raises:
        UsageError: there is no such run, it is not a load, or another version saved it.
    """
    path = store.default_path()
    head, parts = store.load_parts(number, path)
    try:
        return saved.read(head, parts, store.EventParts(number, path)).numbered(number)
    except saved.UNREADABLE as error:
        raise store.unreadable(number, error) from error
