"""How a command line ends: with which exit code, and with which words on standard error."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable
from typing import Any

import click

from holdfast import console
from holdfast.console import say, tell
from holdfast.errors import EXIT_ANSWERED, EXIT_INCONCLUSIVE, EXIT_USAGE, HoldfastError
from holdfast.interrupts import Terminated

_EXIT_SIGNALLED = 128


def run_command(command_line: Callable[[], Any]) -> int:  # noqa: PLR0911 - one for each way to end
    """Runs one command line to whatever end it comes to, says so to the person, and gives its exit code."""
    try:
        return int(command_line() or EXIT_ANSWERED)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except HoldfastError as error:
        tell(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        say("Stopped. Nothing is left running.")
        return EXIT_INCONCLUSIVE
    except Terminated as farewell:
        say(f"Stopped by {farewell}. Nothing is left running.")
        return _EXIT_SIGNALLED + farewell.number
    except (console.NobodyReads, SystemExit):  # click's own way to say that nobody reads its help
        return _EXIT_SIGNALLED + signal.SIGPIPE
    except Exception:  # noqa: BLE001 - left to Python it would end with 1, which says "an expectation failed"
        say(traceback.format_exc().rstrip())
        say("holdfast: This is an error in holdfast itself, so there is no verdict. Please report it.")
        return EXIT_INCONCLUSIVE
