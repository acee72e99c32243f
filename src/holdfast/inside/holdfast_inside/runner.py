"""What the modules `NAME_server` have in common: arguments, the application of this run, exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Callable, Dict, List, Optional

from . import layout, options
from .load_error import Trouble

Serve = Callable[..., None]

REFUSED = 2
NO_APPLICATION = 1


def run(
    server: str,
    known: options.Known,
    serve: Callable[[Any, str, int, Dict[str, Any]], None],
    argv: Optional[List[str]] = None,
    interface: str = "wsgi",
) -> int:
    """Serves the application of this run until the server is ended.

    Args:
        server: its name in words, for messages.
        known: the options that it takes besides `--host` and `--port`.
        serve: called with application, host, port and the keywords of `known`; returns at the server's end.
        argv: None is the command line.
        interface: what the server calls the application by, as in layout.INTERFACES.

    Returns:
        the exit code: 0, or 1 if there is no application, or 2 if an argument was refused.
    """
    parser = argparse.ArgumentParser(prog=server, add_help=False, allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    address, rest = parser.parse_known_args(argv)
    try:
        keywords = options.taken(server, rest, known)
    except Trouble as refused:
        refused.report()
        sys.stderr.write(f"{refused}\n")
        return REFUSED
    os.environ[layout.INTERFACE_VARIABLE] = interface
    try:
        from .target import application
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return NO_APPLICATION
    serve(application, address.host, address.port, keywords)
    return 0
