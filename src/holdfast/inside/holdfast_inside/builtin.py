"""The applications that are served where the person names none."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Dict, NamedTuple, Optional, Tuple

from .load_error import ASYNC_MISSING, Trouble, can_run_async

_ALL = ("sync", "async", "async-blocking")


class _Builtin(NamedTuple):
    """A module of `apps` with a `create(view)`; what it needs, and the views that it can have, the usual first."""

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
    """The built-in application of a framework, and what to call it in a message.

    Args:
        framework: one of FRAMEWORKS; empty is Flask's.
        view: one of layout.KINDS; empty is the framework's usual one.

    Raises:
        Trouble: there is no such application, its framework is not installed, or it has no such view.
    """
    name = framework or "flask"
    if name not in FRAMEWORKS:
        known = ", ".join(sorted(FRAMEWORKS))
        what = f"There is no built-in application of {name}."
        raise Trouble("framework-unknown", what, f"There are those of {known}.", "Name one of these.")
    wanted = FRAMEWORKS[name]
    if view and view not in wanted.views:
        what = f"The built-in application of {name} has no {view} view."
        raise Trouble("view-impossible", what, "It has: {}.".format(", ".join(wanted.views)), "Ask for one of these.")
    try:
        module = importlib.import_module(f".apps.{wanted.module}", __package__)
    except ImportError as error:
        what = f"The built-in application of {name} needs {wanted.requirement}."
        raise Trouble("framework-missing", what, str(error), _install(wanted.requirement)) from error
    if name == "flask" and view and view != "sync" and not can_run_async(sys.modules["flask"].Flask):
        raise Trouble(**ASYNC_MISSING)
    return module.create(view or wanted.views[0]), f"The built-in application of {name}"


def _install(requirement: str) -> str:
    # A server that embeds Python does not know its interpreter; holdfast sets the variable for all of them.
    environment = os.environ.get("VIRTUAL_ENV")
    python = os.path.join(environment, "bin", "python") if environment else sys.executable
    return f"{python} -m pip install {requirement}   (or name an application of your own)"
