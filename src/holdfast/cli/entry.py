"""Where the program begins: what is imported takes a third of a second, and Ctrl-C may come in the midst of it."""

from __future__ import annotations

import os
import signal
import sys

_INCONCLUSIVE = 3
_STOPPED = "Stopped. Nothing is left running.\n"


def main() -> None:
    """Runs one command line and exits with its code."""
    # Who was started with SIGINT ignored, as in the background of a script, leaves it so.
    early = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if early:
        signal.signal(signal.SIGINT, _end)
    from holdfast.cli.main import main as run  # noqa: PLC0415 - see above

    if early:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run()
    except KeyboardInterrupt:
        sys.stderr.write(_STOPPED)
        sys.exit(_INCONCLUSIVE)


def _end(_number: int, _frame: object) -> None:
    # On the spot, since nothing is started yet; an exception would be shown with all the imports that it came through.
    os.write(2, _STOPPED.encode())
    os._exit(_INCONCLUSIVE)
