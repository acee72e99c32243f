"""Django's development server: `python -m holdfast_inside.django_server`.

Runs the management command `runserver` of the application's own project, which an installed app such as
`staticfiles` may have replaced, with `--noreload`: a reloader's other process serves nothing.
"""

from __future__ import annotations

import sys
from typing import Any, Dict

from . import options, runner

KNOWN: options.Known = {
    "nothreading": ("use_threading", False),
    "threading": ("use_threading", True),
    "use-threading": ("use_threading", True),
    "noreload": ("use_reloader", False),
    "ipv6": ("use_ipv6", True),
    "skip-checks": ("skip_checks", True),
    "nostatic": ("use_static_handler", False),
    "insecure": ("insecure_serving", True),
}
APPLICATION = "holdfast_inside.target.application"


def _serve(application: Any, host: str, port: int, keywords: Dict[str, Any]) -> None:  # noqa: ANN401 - may be any
    del application
    from django.conf import settings  # type: ignore[import-untyped]
    from django.core.management import call_command  # type: ignore[import-untyped]

    settings.WSGI_APPLICATION = APPLICATION
    # Called from Python it would leave out the checks that it makes on the command line.
    keywords = {"skip_checks": False, **keywords, "use_reloader": False}
    call_command("runserver", f"{host}:{port}", **keywords)


if __name__ == "__main__":
    sys.exit(runner.run("Django's runserver", KNOWN, _serve))
