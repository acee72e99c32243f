"""What a person may have meant by a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that is spelled most like this one; None where none is similar."""
    import difflib  # noqa: PLC0415 - only a mistake needs it

    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def did_you_mean(name: str, known: Iterable[str], otherwise: str, spelling: str = "{}") -> str:
    """A remedy for an unknown name: the nearest known one, or other advice.

    Args:
        otherwise: the advice where none is similar.
        spelling: how the name is written where the person writes it, as in "--server {}".
    """
    near = nearest_name(name, known)
    return otherwise if near is None else f"Did you mean {spelling.format(near)}?"
