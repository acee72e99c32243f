"""Starts Django's development server: `python -m holdfast_inside.django_server`.

Runs the project's own `runserver` command, which an installed app such as `staticfiles` may have replaced. Always
with `--noreload`: the reloader's extra process serves no requests.
"""

from __future__ import annotations

import sys
from typing import Any, Dict

from . import options, runner

KNOWN: options.Known = {
    "nothreading": ("--nothreading", True),
    "threading": ("--nothreading", False),
    "use-threading": ("--nothreading", False),
    "noreload": ("--noreload", True),
    "use-reloader": ("--noreload", False),
    "ipv6": ("--ipv6", True),
    "skip-checks": ("--skip-checks", True),
    "nostatic": ("--nostatic", True),
    "insecure": ("--insecure", True),
}
APPLICATION = "holdfast_inside.target.application"


def _serve(application: Any, host: str, port: int, keywords: Dict[str, Any]) -> None:  # noqa: ANN401 - may be any
    del application
    from django.conf import settings  # type: ignore[import-untyped]
    from django.core.management import execute_from_command_line  # type: ignore[import-untyped]

    settings.WSGI_APPLICATION = APPLICATION
    given = {**keywords, "--noreload": True}
    flags = [flag for flag, is_set in given.items() if is_set]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    execute_from_command_line(["manage.py", "runserver", address, *flags])


if __name__ == "__main__":
    sys.exit(runner.run("Django's runserver", KNOWN, _serve))
