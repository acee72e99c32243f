"""Options of both commands that send load, `load` and `capacity`: what a request is, what counts as an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdfast.cli.option_groups import CHECKS, REQUESTS, SENDERS, TARGET, option
from holdfast.cli.whole_number import WholeNumber
from holdfast.model.load import MOST_PROCESSES


def allow_remote_option() -> Callable[[Any], Any]:
    """`--allow-remote HOST`, repeatable."""
    return option(
        TARGET,
        "--allow-remote",
        "allowed_hosts",
        multiple=True,
        metavar="HOST",
        help="Allow load on this host; needed for any but loopback (repeatable).",
    )


def method_option() -> Callable[[Any], Any]:
    """`-X METHOD`."""
    help_ = "Use this HTTP method.  [default: GET; POST with --data]"
    return option(REQUESTS, "-X", "--method", metavar="METHOD", help=help_)


def data_option() -> Callable[[Any], Any]:
    """`--data TEXT|@FILE`."""
    return option(REQUESTS, "--data", metavar="TEXT|@FILE", help="Send this body, or the content of FILE.")


def answer_options() -> tuple[Callable[[Any], Any], ...]:
    """`--expect-status` and `--expect-body`."""
    return (
        option(
            CHECKS,
            "--expect-status",
            "expected",
            type=WholeNumber(100, 599),
            multiple=True,
            metavar="STATUS",
            help="Count only this status as an answer (repeatable).  [default: any below 400]",
        ),
        option(
            CHECKS,
            "--expect-body",
            "body_texts",
            multiple=True,
            metavar="TEXT",
            help="Require this text in the body (repeatable).",
        ),
    )


def processes_option() -> Callable[[Any], Any]:
    """`--processes N`."""
    return option(
        SENDERS,
        "--processes",
        type=WholeNumber(1, MOST_PROCESSES),
        metavar="N",
        help="Send from this many processes.  [default: as many as descriptors require]",
    )
