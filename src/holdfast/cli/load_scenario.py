"""Scenario files: read, and turned into what a load sends."""

from __future__ import annotations

from pathlib import Path

import click

from holdfast.api.load_arguments import SHAPE_NAMES, LoadArguments
from holdfast.cli.asked import Asked
from holdfast.cli.load_plan import OF_A_REQUEST, OF_MEMORY, refuse

_SAYS_ITSELF = (
    *SHAPE_NAMES,
    *OF_A_REQUEST,
    *(each for each in OF_MEMORY if each != "hooks"),
    *("for_s", "headers", "expected", "body_texts", "body_patterns", "think", "keep_alive"),
    *("connect_s", "first_byte_s", "timeout_s"),
)


def read_file(context: click.Context, arguments: LoadArguments) -> Asked:
    """Reads the scenario file that is given in place of URL.

    Raises:
        UsageError: it does not exist or cannot be carried out as written, or an option does not go with it.
        EnvironmentFailure: it, or a file that it names, may not be read.
    """
    from holdfast.api.scenario_file import read_scenario

    assert arguments.url is not None
    file = Path(arguments.url)
    refuse(context, file.name, _SAYS_ITSELF)
    read = read_scenario(file, dict(arguments.plan.properties), arguments.run.seed, arguments.memory.hooks)
    return Asked((), read.stop, None, read.journeys, read.thresholds)
