"""Options in groups: how `--help` of a command is laid out.

Own, because each command would wait for a library: importing cloup 4.0 takes 2.6 times as long as importing click alone
(median of three processes).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

TARGET = "Target"
SHAPE = "Load shape"
REQUESTS = "Requests"
SESSIONS = "Sessions"
MEASUREMENT = "Measurement"
CHECKS = "Checks"
CONNECTIONS = "Connections"
LIMITS = "Limits"
SENDERS = "Load processes"
ROWS = "Rows"
OUTPUT = "Output"

_NAMES = 26
# Of difflib: --max-ofered is close to --max-offered, but gunicorn's --workers is not close to --framework.
_CLOSE = 0.75

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


class GroupedOption(click.Option):
    """An option that knows its group."""

    def __init__(self, *names: Any, group: str, **attributes: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*names, **attributes)
        self.group = group

    def get_help_extra(self, ctx: click.Context) -> Any:  # noqa: ANN401 - a type of click's that older ones lack
        """The default; not the range, which an error names and a help text need not."""
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        return extra


class GroupedCommand(click.Command):
    """A command whose `--help` shows its options in their groups, in the order in which they are declared.

    Args:
        passes_on: what follows `--` are a server's own arguments.
    """

    def __init__(self, *arguments: Any, passes_on: bool = False, **attributes: Any) -> None:  # noqa: ANN401 - click's
        super().__init__(*arguments, **attributes)
        self._passes_on = passes_on

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, with better advice on an option that does not exist."""
        typed = tuple(args)  # click empties the list
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise unknown_option(error.option_name, ctx, typed if self._passes_on else None) from error
        except click.UsageError as error:
            if self._passes_on and "unexpected extra argument" in error.message:
                advice = "The server's own arguments go after --."
                raise click.UsageError(f"{error.message}. {advice}", ctx=ctx) from error
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes one section for each group; `--help` itself is in the last."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                group = parameter.group if isinstance(parameter, GroupedOption) else OUTPUT
                sections.setdefault(group, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                # Padded, so that the texts of all sections begin in the same column.
                formatter.write_dl([(names.ljust(_NAMES), text) for names, text in records], col_max=_NAMES)


def unknown_option(name: str, context: click.Context, typed: Sequence[str] | None = None) -> click.UsageError:
    """The error for an option that the command does not have.

    Args:
        typed: the words up to `--`, where a server's own options may follow it; None where they may not.
    """
    import difflib

    known = {each.lstrip("-"): each for one in context.command.params for each in one.opts if each.startswith("--")}
    near = difflib.get_close_matches(name.lstrip("-"), known, 1, _CLOSE) if name.startswith("--") else []
    if near:
        return click.UsageError(f"No such option {name!r}. Did you mean {known[near[0]]!r}?", ctx=context)
    if typed is None:
        return click.UsageError(f"No such option {name!r}.", ctx=context)
    at = next((at for at, word in enumerate(typed) if word.startswith(name)), len(typed))
    end = at + 1
    if end < len(typed) and "=" not in typed[at] and not typed[end].startswith("-") and not _may_be_app(typed[end]):
        end += 1
    words = [*typed[:at], *typed[end:], "--", *typed[at:end], *(context.obj or ())]
    return click.UsageError(
        f"holdfast has no option {name}. The server's own options go after --: "
        f"{context.command_path} {shlex.join(words)}",
        ctx=context,
    )


def _may_be_app(word: str) -> bool:
    return word.endswith(".py") or ":" in word.strip(":0123456789.")


def option(group: str, *names: str, **attributes: Any) -> Callable[[_Decorated], _Decorated]:  # noqa: ANN401 - click's
    """`click.option`, in a group."""
    return click.option(*names, cls=GroupedOption, group=group, **attributes)


def declared(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """All these options as one decorator, in this order."""

    def decorate(command: Any) -> Any:  # noqa: ANN401 - a function, or what click has made of it
        for each in reversed(options):
            command = each(command)
        return command

    return decorate
