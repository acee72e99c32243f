"""Flask's development server with the application of this run: `python -m holdfast_inside.flask_server`.

Runs `app.run(...)` as a script's last line would; for a WSGI application that is not Flask's,
Werkzeug's `run_simple(...)`, which is what `app.run` calls.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Dict, List, Optional

from . import layout
from .trouble import Trouble

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")

SWITCHES = {
    "threaded": ("threaded", True),
    "no-threaded": ("threaded", False),
    "with-threads": ("threaded", True),
    "without-threads": ("threaded", False),
    "debug": ("debug", True),
    "no-debug": ("debug", False),
    "reload": ("use_reloader", True),
    "no-reload": ("use_reloader", False),
    "use-reloader": ("use_reloader", True),
    "debugger": ("use_debugger", True),
    "no-debugger": ("use_debugger", False),
    "use-debugger": ("use_debugger", True),
}
NUMBERS = {"processes": "processes"}


def run_options(arguments: List[str]) -> Dict[str, Any]:
    """The keyword arguments of `app.run` that `arguments` stand for.

    Each may be written as on Flask's command line (`--with-threads`, `--processes 10`) or as in a call
    (`processes=10`, `threaded=False`).

    Raises:
        Trouble: an option is unknown, or its value is not one.
    """
    options: Dict[str, Any] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.lstrip("-").replace("_", "-").partition("=")
        if name in NUMBERS:
            options[NUMBERS[name]] = _number(argument, value if equals else next(rest, ""))
        elif name in SWITCHES:
            keyword, meaning = SWITCHES[name]
            options[keyword] = meaning if not equals else meaning == _truth(argument, value)
        else:
            raise _refused(argument, "There is no such option.")
    return options


def _number(argument: str, value: str) -> int:
    if not value.isdigit() or int(value) < 1:
        raise _refused(argument, f"It needs a whole number from 1 on, not {value!r}.")
    return int(value)


def _truth(argument: str, value: str) -> bool:
    if value.lower() not in _TRUE + _FALSE:
        raise _refused(argument, f"It needs True or False, not {value!r}.")
    return value.lower() in _TRUE


def _refused(argument: str, why: str) -> Trouble:
    known = ", ".join("--" + name for name in ["processes N", *SWITCHES])
    return Trouble(
        "argument",
        f"Flask's development server does not take {argument}.",
        why,
        f"It takes {known}; or as in app.run: processes=N, threaded=False.",
    )


def main(argv: Optional[List[str]] = None) -> int:
    """Serves until it is ended. Returns the exit code: 1 no application, 2 an argument was refused."""
    parser = argparse.ArgumentParser(prog="flask_server", add_help=False, allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    known, rest = parser.parse_known_args(argv)
    try:
        options = run_options(rest)
    except Trouble as refused:
        refused.report()
        sys.stderr.write(f"{refused}\n")
        return 2
    os.environ[layout.INTERFACE_VARIABLE] = "wsgi"
    try:
        from .target import application
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    if options.get("processes", 1) > 1:
        # app.run's own default is threads, and Werkzeug takes either.
        options.setdefault("threaded", False)
    flask = sys.modules.get("flask")
    if flask is not None and isinstance(application, flask.Flask):
        options = {"debug": False, "use_reloader": False, **options}
        application.run(known.host, known.port, **options)
        return 0
    from werkzeug.serving import run_simple

    options.pop("debug", None)
    run_simple(known.host, known.port, application, **options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
