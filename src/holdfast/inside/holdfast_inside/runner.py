"""Runs a `NAME_server` module: parses its arguments, loads this run's application, gives the exit code."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Callable, Dict, List, Optional

from . import layout, options
from .load_error import LoadError

REFUSED = 2
NO_APPLICATION = 1


def run(
    server: str,
    known: options.Known,
    serve: Callable[[Any, str, int, Dict[str, Any]], None],
    argv: Optional[List[str]] = None,
    interface: str = "wsgi",
) -> int:
    """Serves this run's application until the server ends.

    Args:
        server: its name for messages.
        known: the options that it takes besides `--host` and `--port`.
        serve: called with application, host, port and the keywords from `known`; returns when the server has ended.
        argv: the arguments; None means those of the command line.
        interface: how the server calls the application, one of layout.INTERFACES.

    Returns:
        the exit code: 0; NO_APPLICATION if it could not be loaded; REFUSED if an argument is wrong.
    """
    parser = argparse.ArgumentParser(prog=server, add_help=False, allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    address, rest = parser.parse_known_args(argv)
    try:
        keywords = options.parse(server, rest, known)
    except LoadError as refused:
        refused.report()
        sys.stderr.write(f"{refused}\n")
        return REFUSED
    os.environ[layout.INTERFACE_VARIABLE] = interface
    try:
        from .target import application
    except LoadError as error:
        sys.stderr.write(f"{error}\n")
        return NO_APPLICATION
    serve(application, address.host, address.port, keywords)
    return 0
