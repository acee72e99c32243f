"""What the commands have in common: how an option is checked, and where an answer goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from rich.console import RenderableType

from holdfast import console


def checked(check: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback of click's that lets `check` look at the value, or at each of several."""

    def callback(_context: click.Context, _parameter: click.Parameter, value: Any) -> Any:  # noqa: ANN401 - click's
        try:
            if isinstance(value, tuple):
                return tuple(check(each) for each in value)
            return None if value is None else check(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return callback


def target_file(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A callback of click's that looks whether this file can be written."""
    console.check_target(value)
    return value


def put_out(picture: RenderableType, *forms: tuple[str | None, bytes]) -> None:
    """Writes the answer where it was asked for, and shows it unless one form of it has taken standard output.

    Args:
        forms: a target and its content each; None is not asked for.
    """
    try:
        # The files first: the terminal may be gone.
        for target, content in forms:
            if target is not None and target != console.STDOUT:
                console.write_file(target, content)
    finally:
        asked = [content for target, content in forms if target == console.STDOUT]
        if asked:
            console.put(asked[0])
        else:
            console.show(picture)
