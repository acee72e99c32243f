"""What servers are told to load: `holdfast_inside.target:application`.

Everything happens at import, so that servers that load the application before they fork do so here
too, and the record is mapped while there are descriptors left.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Optional

from . import layout, load, recorder, trouble, wsgi


def _application() -> wsgi.Application:
    recorder.record()
    spec = os.environ.get(layout.APP_VARIABLE)
    view = os.environ.get(layout.VIEW_VARIABLE)
    loaded = load.load(spec) if spec else _builtin(view)
    # Importing Flask for an application that does not use it would change what is measured.
    if "flask" in sys.modules:
        from . import flask_hook

        flask_hook.install()
        if _has_flask_application(sys.modules["flask"].Flask):
            return loaded
    return wsgi.held_at_entry(loaded)


def _builtin(view: Optional[str]) -> wsgi.Application:
    try:
        from .apps import flask_app
    except ImportError as error:
        raise trouble.Trouble(
            "framework-missing",
            "The built-in application needs Flask.",
            f"{error} in {sys.executable}",
            "Install flask in the server's environment, or name an application of your own.",
        ) from error
    if view in ("async", "async-blocking") and not trouble.can_run_async(sys.modules["flask"].Flask):
        raise trouble.Trouble(**trouble.ASYNC_MISSING)
    return flask_app.create(view)


def _has_flask_application(flask_class: type) -> bool:
    # The application may be hidden in middleware of any shape. type(), not isinstance: proxies
    # would be asked, and some answer with an error.
    return any(issubclass(type(thing), flask_class) for thing in gc.get_objects())


try:
    application = _application()
except trouble.Trouble as found:
    found.report()
    raise
