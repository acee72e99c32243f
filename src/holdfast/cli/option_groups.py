"""Options in groups: how `--help` of a command is laid out.

Own, because each command would wait for a library: importing cloup 4.0 takes 2.6 times as long as importing click alone
(median of three processes).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

TARGET = "Target"
SHAPE = "Load shape"
REQUESTS = "Requests"
MEASUREMENT = "Measurement"
CHECKS = "Checks"
CONNECTIONS = "Connections"
LIMITS = "Limits"
SENDERS = "Load processes"
ROWS = "Rows"
OUTPUT = "Output"

_NAMES = 26

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
    """A command whose `--help` shows its options in their groups, in the order in which they are declared."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes one section for each group; `--help` itself stands in the last."""
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
