"""`holdfast servers`: what could be measured here."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from holdfast.cli.answer import working_directory
from holdfast.cli.click_types import json_option, put_out
from holdfast.cli.option_groups import TARGET, GroupedCommand, declared, option
from holdfast.errors import EXIT_ANSWERED
from holdfast.report.json import servers_json
from holdfast.report.servers import render_servers
from holdfast.servers.registry import ADAPTERS, brought_adapters
from holdfast.servers.survey import survey

_EXAMPLES = """\b
Examples:
  holdfast servers
  holdfast servers --python .venv/bin/python
"""


@click.command("servers", cls=GroupedCommand, epilog=_EXAMPLES)
@declared(
    option(
        TARGET,
        "--python",
        metavar="PATH",
        help="Look into this interpreter's environment.  [default: the active one and the usual ones]",
    ),
    json_option("list"),
)
def servers(python: str | None, json_target: str | None) -> int:
    """List the servers that holdfast can start.

    Shows which of them are installed, and how to install the others.
    """
    brought, broken = brought_adapters()
    installed = survey({**ADAPTERS, **brought}, broken, python, Path(working_directory()))
    put_out(partial(render_servers, installed), (json_target, partial(servers_json, installed)))
    return EXIT_ANSWERED
