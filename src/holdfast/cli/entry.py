"""Where a command line begins: Ctrl-C may come while the rest is still being imported, and so may a fault."""

from __future__ import annotations

import gc
import os
import signal
import sys

from holdfast.errors import EXIT_INCONCLUSIVE, EXIT_INTERNAL

_MAY_BE_SECRET = ("-H", "-J", "--header", "--data", "--first", "--then")
_STOPPED = "Stopped. Nothing is left running.\n"


def main() -> None:
    """Runs one command line and exits with its code."""
    # Where SIGINT was ignored from the start, as in the background of a script, it stays ignored.
    early = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if early:
        signal.signal(signal.SIGINT, _end)
    _hide_secrets()
    # Imports make many objects and hardly any garbage; to look for it took a tenth of their time (measured). It is
    # collected again when the command is imported (cli/main.py).
    gc.disable()
    try:
        from holdfast.cli.main import main as run
    except Exception as error:  # noqa: BLE001 - left to Python it would end with 1, which says "an expectation failed"
        from holdfast.cli.own_fault import report_on

        sys.stderr.write(report_on(error, sys.argv[1:]))
        sys.exit(EXIT_INTERNAL)
    if early:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run()
    except KeyboardInterrupt:
        sys.stderr.write(_STOPPED)
        sys.exit(EXIT_INCONCLUSIVE)
    finally:
        # As it ends, the interpreter looks for garbage once more, in all that was imported: half of its last 0.03 s.
        gc.freeze()


def _hide_secrets() -> None:
    """Before all imports, which take most of the time in which `ps` shows them."""
    own = sys.argv[1 : sys.argv.index("--") if "--" in sys.argv else None]
    # Most command lines have none, and need not wait for what finds it.
    if any(each.startswith(_MAY_BE_SECRET) for each in own):
        from holdfast.cli.process_list import hide_secrets

        hide_secrets(own)


def _end(_number: int, _frame: object) -> None:
    # On the spot, since nothing is started yet; an exception would show all the imports that it came through.
    os.write(2, _STOPPED.encode())
    os._exit(EXIT_INCONCLUSIVE)
