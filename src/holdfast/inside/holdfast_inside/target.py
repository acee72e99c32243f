"""The application that servers load, `holdfast_inside.target:application`, for every interface.

Importing this module loads the user's application. So servers that load before they fork do so here too, and the
record is mapped while there are descriptors left.
"""

from __future__ import annotations

import os
import sys
from typing import Any, cast

from . import (
    asgi,
    builtin,
    django_project,
    entry_wrappers,
    find_views,
    hooks,
    interface,
    layout,
    load,
    load_error,
    native,
    noting,
    recorder,
    rsgi,
    wsgi,
)


# Any: its type depends on the server's interface.
def _load_application() -> Any:  # noqa: ANN401
    recorder.record()
    wanted = os.environ.get(layout.INTERFACE_VARIABLE, "")
    spec = os.environ.get(layout.APP_VARIABLE)
    if spec:
        loaded, named = django_project.load_application(spec, wanted) or load.load(spec)
    else:
        # A framework's own server can serve only that framework's applications.
        framework = wanted if wanted in native.APPLICATIONS else os.environ.get(layout.FRAMEWORK_VARIABLE)
        loaded, named = builtin.load(framework, os.environ.get(layout.VIEW_VARIABLE))
    spoken = interface.choose(loaded, named, wanted)
    hooks.install()
    for name in entry_wrappers.REPLACED:
        if name in sys.modules:
            entry_wrappers.note_replaced(name)
    if spoken == "rsgi":
        return rsgi.HeldAtEntry(loaded)
    if spoken in native.APPLICATIONS:
        return loaded
    if find_views.is_known(loaded):
        return noting.noted(loaded, spoken)
    if spoken == "wsgi":
        return wsgi.wrap_entry(cast("wsgi.Application", loaded), by_server=True)
    single = interface.is_double_callable(loaded)
    return asgi.wrap_entry(
        interface.single_callable(loaded) if single else cast("interface.Asgi", loaded), by_server=True
    )


try:
    application = _load_application()
except load_error.LoadError as found:
    found.report()
    raise
