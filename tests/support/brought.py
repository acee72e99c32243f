"""Packages that are not in the tests' own environment, fetched where a test needs them."""

from __future__ import annotations

import subprocess
import sys


class NotBroughtError(Exception):
    """A package cannot be fetched here; the message says why."""


def pip(what: str, *arguments: str) -> None:
    """Runs pip.

    Args:
        what: is fetched, for the message.

    Raises:
        NotBroughtError: it failed, or there is none.
    """
    command = [sys.executable, "-m", "pip"]
    if subprocess.run([*command, "--version"], capture_output=True, check=False).returncode:
        command = ["pip"]
    try:
        subprocess.run([*command, *arguments], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        why = getattr(error, "stderr", "") or str(error)
        raise NotBroughtError(f"{what} cannot be downloaded: {why.strip()[-200:]}") from error
