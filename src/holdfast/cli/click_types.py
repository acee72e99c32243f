"""What the commands have in common: how an option is checked, and where an answer goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from holdfast import console
from holdfast.cli.option_groups import OUTPUT, REQUESTS, TARGET, option

if TYPE_CHECKING:
    from holdfast.report.layout import Renderable


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


def header_option(check: Callable[[str], tuple[str, str]]) -> Callable[[Any], Any]:
    """`-H 'Name: value'` or `-H @FILE`, repeatable; gives the headers in order.

    Args:
        check: name and value of a header as it is typed. Raises ValueError where it is not one that may be given.
    """

    def callback(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> Any:  # noqa: ANN401
        typed = tuple(line for each in value for line in _lines_of(each))
        return checked(check)(context, parameter, typed)

    return option(
        REQUESTS,
        "-H",
        "--header",
        "headers",
        multiple=True,
        metavar="'NAME: VALUE'|@FILE",
        callback=callback,
        help="Add a header to each request, or one for each line of FILE, which `ps` does not show (repeatable).",
    )


def _lines_of(typed: str) -> list[str]:
    if not typed.startswith("@"):
        return [typed]
    try:
        with open(typed[1:], encoding="utf-8") as file:
            return [line.strip() for line in file if line.strip()]
    except OSError as error:
        raise click.BadParameter(f"{typed[1:]} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{typed[1:]} is not a text in UTF-8.") from error


def json_option(what: str) -> Callable[[Any], Any]:
    """`--json FILE`.

    Args:
        what: is written, in words.
    """
    help_ = f"Write the {what} as JSON to FILE; - is standard output."
    return option(OUTPUT, "--json", "json_target", metavar="FILE", callback=target_file, help=help_)


def quiet_option(help_: str) -> Callable[[Any], Any]:
    """`--quiet`; `help_` is its help."""
    return option(OUTPUT, "--quiet", is_flag=True, help=help_)


def html_option() -> Callable[[Any], Any]:
    """`--html FILE`."""
    help_ = "Write one page with pictures, which works offline, to FILE; - is standard output."
    return option(OUTPUT, "--html", "html_target", metavar="FILE", callback=target_file, help=help_)


def markdown_option(what: str) -> Callable[[Any], Any]:
    """`--markdown FILE`.

    Args:
        what: is written, in words.
    """
    help_ = f"Write {what} to FILE; - is standard output."
    return option(OUTPUT, "--markdown", "markdown_target", metavar="FILE", callback=target_file, help=help_)


def insecure_option() -> Callable[[Any], Any]:
    """`--insecure`."""
    return option(TARGET, "--insecure", is_flag=True, help="Accept any TLS certificate, such as a self-signed one.")


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
    from holdfast.report.layout import rendered

    console.show(lambda width, styled: rendered(picture, width, styled=styled))
