"""What servers are told to load: `holdfast_inside.target:application`, for WSGI, for ASGI and for the others.

Everything happens at import, so that servers that load the application before they fork do so here
too, and the record is mapped while there are descriptors left.
"""

from __future__ import annotations

import os
from typing import Any, cast

from . import asgi, builtin, django_project, hooks, interface, layout, load, load_error, native, recorder, rsgi, wsgi


# Any: what it is depends on the server that asks for it.
def _application() -> Any:  # noqa: ANN401
    recorder.record()
    wanted = os.environ.get(layout.INTERFACE_VARIABLE, "")
    spec = os.environ.get(layout.APP_VARIABLE)
    if spec:
        loaded, named = django_project.application(spec, wanted) or load.load(spec)
    else:
        # A framework that is the server too can serve no other's.
        framework = wanted if wanted in native.KINDS else os.environ.get(layout.FRAMEWORK_VARIABLE)
        loaded, named = builtin.load(framework, os.environ.get(layout.VIEW_VARIABLE))
    spoken = interface.spoken(loaded, named, wanted)
    hooks.install()
    if spoken == "rsgi":
        return rsgi.HeldAtEntry(loaded)
    if spoken in native.KINDS or hooks.leads_to_views():
        return loaded
    if spoken == "wsgi":
        return wsgi.held_at_entry(cast("wsgi.Application", loaded))
    return asgi.held_at_entry(
        interface.single(loaded) if interface.is_double(loaded) else cast("interface.Asgi", loaded)
    )


try:
    application = _application()
except load_error.Trouble as found:
    found.report()
    raise
