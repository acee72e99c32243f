"""The built-in applications, served when the user names none."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Dict, NamedTuple, Optional, Tuple

from .load_error import ASYNC_MISSING, LoadError, can_run_async

_ALL = ("sync", "async", "async-blocking")


class _Builtin(NamedTuple):
    """A module in `apps` that has `create(view)`.

    Attributes:
        module: its name.
        requirement: the package that it imports; "" where it needs none.
        views: the kinds of view that it can create, the default first.
    """

    module: str
    requirement: str
    views: Tuple[str, ...] = _ALL


FRAMEWORKS: Dict[str, _Builtin] = {
    "aiohttp": _Builtin("aiohttp_app", "aiohttp", ("async", "async-blocking")),
    "asgi": _Builtin("raw_asgi", "", ("async", "async-blocking")),
    "django": _Builtin("django_app", "django"),
    "fastapi": _Builtin("fastapi_app", "fastapi"),
    "flask": _Builtin("flask_app", "flask"),
    "litestar": _Builtin("litestar_app", "litestar"),
    "quart": _Builtin("quart_app", "quart"),
    "rsgi": _Builtin("raw_rsgi", "", ("async", "async-blocking")),
    "sanic": _Builtin("sanic_app", "sanic"),
    "starlette": _Builtin("starlette_app", "starlette"),
    "tornado": _Builtin("tornado_app", "tornado"),
    "wsgi": _Builtin("raw_wsgi", "", ("sync",)),
}


def load(framework: Optional[str], view: Optional[str]) -> Tuple[object, str]:
    """Creates the built-in application of a framework.

    Args:
        framework: one of FRAMEWORKS; None or "" means Flask.
        view: one of layout.KINDS; None or "" means the framework's default.

    Returns:
        the application, and its name for messages.

    Raises:
        LoadError: there is no such application, its framework is not installed, or it has no such view.
    """
    name = framework or "flask"
    if name not in FRAMEWORKS:
        known = ", ".join(sorted(FRAMEWORKS))
        what = f"holdfast has no built-in application for {name}."
        raise LoadError("framework-unknown", what, f"It has one for each of {known}.", "Choose one of these.")
    wanted = FRAMEWORKS[name]
    if view and view not in wanted.views:
        what = f"The built-in {name} application has no {view} view."
        raise LoadError("view-impossible", what, "It has: {}.".format(", ".join(wanted.views)), "Choose one of these.")
    try:
        module = importlib.import_module(f".apps.{wanted.module}", __package__)
    except ImportError as error:
        what = f"The built-in {name} application needs {wanted.requirement}, which cannot be imported."
        raise LoadError("framework-missing", what, str(error), _install(wanted.requirement)) from error
    if name == "flask" and view and view != "sync" and not can_run_async(sys.modules["flask"].Flask):
        raise LoadError(**ASYNC_MISSING)
    return module.create(view or wanted.views[0]), f"The built-in {name} application"


def _install(requirement: str) -> str:
    # In a server that embeds Python, sys.executable is the server; holdfast sets VIRTUAL_ENV for every server.
    environment = os.environ.get("VIRTUAL_ENV")
    python = os.path.join(environment, "bin", "python") if environment else sys.executable
    command = f"{python} -m pip install"
    if environment and _made_by_uv(environment):
        command = f"uv pip install --python {python}"
    return f"Install it: {command} {requirement}\nOr name an application of your own."


def _made_by_uv(environment: str) -> bool:
    """Whether it has no pip of its own (PEP 405: what made it writes pyvenv.cfg)."""
    try:
        with open(os.path.join(environment, "pyvenv.cfg"), encoding="utf-8") as settings:
            return any(line.partition("=")[0].strip() == "uv" for line in settings)
    except (OSError, UnicodeDecodeError):
        return False
