"""Where the commands `holdfast` and `holdfast-probe` begin, outside the package whose name is not ours alone.

The package registry has another distribution called `holdfast`, and it installs a package of the same name. Installed
into the same environment, each overwrites files of the other, and uninstalling one takes files from the other. This
file belongs to us alone, so it can still say so.
"""

from __future__ import annotations

import os
import sys

_OURS = "holdfast-probe"
_EXIT_ENVIRONMENT = 4


def main() -> None:
    """Runs one command line and exits with its code; with 4 if the package that would be run is not wholly ours."""
    why = foreign_holdfast(sys.path, os.path.dirname(os.path.realpath(__file__)))
    if why is None:
        try:
            from holdfast import __distribution__, __version__  # noqa: PLC0415 - the package may be another one
        except ImportError:
            __distribution__ = __version__ = ""
        if __distribution__ != _OURS:
            why = "Its files were overwritten or removed, as happens when another distribution has the same package."
    if why is not None:
        sys.stderr.write(
            f"holdfast: This installation of {_OURS} is damaged.\n"
            f"  {why}\n"
            f"  Run: {sys.executable} -m pip uninstall holdfast\n"
            f"  Then: {sys.executable} -m pip install --force-reinstall {_OURS}\n"
        )
        sys.exit(_EXIT_ENVIRONMENT)
    if sys.argv[1:] == ["--version"] and _written(f"holdfast, version {__version__}\n"):
        return
    if not _is_linux():
        sys.stderr.write(
            "holdfast: holdfast runs on Linux only.\n"
            f"  It measures by what Linux alone has: /proc, epoll, sock_diag. This system is {sys.platform}.\n"
            "  Run it where the server will run, or in a Linux container or virtual machine.\n"
        )
        sys.exit(_EXIT_ENVIRONMENT)
    from holdfast.cli.entry import main as run  # noqa: PLC0415 - not before it is known to be ours

    run()


def _is_linux() -> bool:
    import select  # noqa: PLC0415 - `--version` does without

    return sys.platform == "linux" and hasattr(select, "epoll")


def foreign_holdfast(path: list[str], own: str) -> str | None:
    """Why the package `holdfast` that would be imported is not, or not only, ours; None where it seems to be.

    Reads directories instead of asking `importlib.metadata`, which takes longer than all else that `--version` does.

    Args:
        path: `sys.path`.
        own: the directory of this file.
    """
    # As the import system does: a directory without __init__.py counts only where there is none with one.
    place = next((each for each in path if os.path.isfile(os.path.join(each, "holdfast", "__init__.py"))), own)
    try:
        names = os.listdir(place or ".")
    except OSError:
        return None
    foreign = [name for name in names if name.startswith("holdfast-") and name.endswith((".dist-info", ".egg-info"))]
    if foreign:
        called = foreign[0].rpartition(".")[0].replace("-", " ", 1)
        return f"Another distribution, {called}, is installed in {place} and has the same package."
    if os.path.realpath(place) != own:
        return f"The package holdfast in {place} is not ours and hides ours in {own}."
    return None


def _written(text: str) -> bool:
    """Writes to standard output with nothing else imported; where that fails, the ordinary way can say why."""
    try:
        os.write(1, text.encode())
    except OSError:
        return False
    return True
