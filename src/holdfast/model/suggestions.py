"""What a person may have meant by a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable


def nearest_names(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names that are spelled most like this one, the nearest first; [] where none is similar."""
    import difflib  # noqa: PLC0415 - only a mistake needs it

    return difflib.get_close_matches(name, list(known), n=most)


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that is spelled most like this one; None where none is similar."""
    return next(iter(nearest_names(name, known, 1)), None)


def did_you_mean(name: str, known: Iterable[str], otherwise: str, spelling: str = "{}") -> str:
    """A remedy for an unknown name: the nearest known one, or other advice.

    Args:
        otherwise: the advice where none is similar.
        spelling: how the name is written where the person writes it, as in "--server {}".
    """
    near = nearest_name(name, known)
    return otherwise if near is None else f"Did you mean {spelling.format(near)}?"
