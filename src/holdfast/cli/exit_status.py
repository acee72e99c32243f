"""How a command line ends: its exit code, and what is said on standard error."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable, Sequence
from typing import Any

import click

from holdfast import console
from holdfast.console import say, tell
from holdfast.errors import EXIT_ANSWERED, EXIT_INCONCLUSIVE, EXIT_INTERNAL, EXIT_USAGE, HoldfastError
from holdfast.interrupts import Terminated

_EXIT_SIGNALLED = 128


def run_command(command_line: Callable[[], Any], arguments: Sequence[str]) -> int:  # noqa: PLR0911 - one for each end
    """Runs one command line, says on standard error why it ended early if it did, and gives its exit code.

    Args:
        arguments: what was typed, for the report on a fault of our own.
    """
    try:
        return int(command_line() or EXIT_ANSWERED)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        words = io.StringIO()
        error.show(words)
        say(words.getvalue().rstrip("\n"))
        return EXIT_USAGE
    except HoldfastError as error:
        if not error.told:
            tell(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as end:
        # Click takes an EOFError for the end of what a person types, and nothing is asked here.
        if isinstance(end.__cause__, EOFError):
            return _own_fault(end.__cause__, arguments)
        say("Stopped. Nothing is left running.")
        return EXIT_INCONCLUSIVE
    except Terminated as farewell:
        say(f"Stopped by {farewell}. Nothing is left running.")
        return _EXIT_SIGNALLED + farewell.number
    except (console.NobodyReads, SystemExit):  # click's own way to say that the reader of its help has gone
        return _EXIT_SIGNALLED + signal.SIGPIPE
    except Exception as error:  # noqa: BLE001 - left to Python it would end with 1, which says "an expectation failed"
        return _own_fault(error, arguments)


def _own_fault(error: BaseException, arguments: Sequence[str]) -> int:
    from holdfast.cli.own_fault import report_on

    say(report_on(error, arguments).rstrip())
    return EXIT_INTERNAL
