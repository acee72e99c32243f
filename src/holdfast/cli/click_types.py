"""What the commands have in common: how an option is checked, and where an answer goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from holdfast import console
from holdfast.cli.option_groups import OUTPUT, option
from holdfast.report.layout import Renderable, rendered


def checked(check: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback for click that passes the value through `check`, or each of several values."""

    def callback(_context: click.Context, _parameter: click.Parameter, value: Any) -> Any:  # noqa: ANN401 - click's
        try:
            if isinstance(value, tuple):
                return tuple(check(each) for each in value)
            return None if value is None else check(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return callback


def target_file(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A callback for click that makes sure, before anything is measured, that this file can be written."""
    console.check_target(value)
    return value


def json_option(what: str) -> Callable[[Any], Any]:
    """`--json FILE`.

    Args:
        what: is written, in words.
    """
    help_ = f"Write the {what} as JSON to FILE; - is standard output."
    return option(OUTPUT, "--json", "json_target", metavar="FILE", callback=target_file, help=help_)


def put_out(picture: Callable[[], Renderable], *forms: tuple[str | None, Callable[[], bytes]]) -> None:
    """Writes the answer to the files that were named, and shows it unless one form of it goes to standard output.

    Args:
        picture: makes what a terminal shows; called only if it is shown.
        forms: a file's name, and what makes its content; a form whose name is None is not made.
    """
    try:
        # The files first: the terminal may be gone.
        for target, content in forms:
            if target is not None and target != console.STDOUT:
                console.write_file(target, content())
    finally:
        asked = [content for target, content in forms if target == console.STDOUT]
        if asked:
            console.put(asked[0]())
        else:
            show(picture())


def show(picture: Renderable) -> None:
    """Prints a picture to standard output."""
    console.show(lambda width, styled: rendered(picture, width, styled=styled))
