"""Holds requests at the entry of a WSGI application whose views holdfast does not know."""

from __future__ import annotations

import functools
from typing import Any, Callable, Dict, Iterable

from . import calling, layout, recorder, request

StartResponse = Callable[..., Any]
Application = Callable[[Dict[str, Any], StartResponse], Iterable[bytes]]

HELD_IN = "wsgi entry"


def wrap_entry(application: Application) -> Application:
    """Wraps an application so that this run's requests are held instead of reaching it.

    All other requests pass through with the very objects that the server gave and the application returned, so
    `close()`, `wsgi.file_wrapper` and `exc_info` keep their meaning.
    """

    def entry(environ: Dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        claim = request.wsgi_claim(environ)
        if claim is None:
            return application(environ, start_response)
        recorder.enter(claim.id, HELD_IN, "sync", "entry", claim.entry)
        try:
            recorder.hold_sync(claim.id)
            if calling.wait_until_called(claim.id):
                claim.call = calling.BodyRun(claim.id)
                return claim.call.run(functools.partial(application, environ, start_response))  # type: ignore[no-any-return]
        finally:
            recorder.leave(claim.id)
        start_response("200 OK", list(layout.ANSWER_HEADERS))
        return [layout.BODY]

    return entry
