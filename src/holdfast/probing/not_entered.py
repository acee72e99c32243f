"""What a person is told whose first request was answered before it had come to a view."""

from __future__ import annotations

from holdfast.engine.status_advice import ADVICE, ONLY_HTTP2, advice_on, redirected
from holdfast.errors import InconclusiveError
from holdfast.probing.injection import past_its_view
from holdfast.probing.readiness import log_ends_with, or_raise_limits, what_its_log_says
from holdfast.probing.session import Session

_FIRST_REDIRECT, _FIRST_CLIENT_ERROR, _FIRST_SERVER_ERROR = 300, 400, 500
_LOGGED = frozenset({400, 403})
"""Why a server or a framework finds a request wrong, or its own certificate, is in its log."""


def not_entered(session: Session, status: int, location: str) -> InconclusiveError:
    """The error that a request was answered before it had come to a view.

    Args:
        status: of the answer.
        location: where it leads; "" where it leads nowhere, or does not say.
    """
    why = past_its_view(session)
    remedy = (
        "Send the headers it needs with -H 'Name: value', choose another --path, or measure the running server from "
        "outside (holdfast attach)."
    )
    if status >= _FIRST_SERVER_ERROR and status not in ADVICE:
        why = f"The application, or the server, fails there{what_its_log_says(session.server)}"
        remedy = f"Fix that, or choose another --path{or_raise_limits(session.server)}."
    elif status >= _FIRST_CLIENT_ERROR:
        advice, logged = advice_on(status), log_ends_with(session.server) if status in _LOGGED else ""
        why = f"{advice.why}{logged}"
        remedy = f"{advice.remedy}{' Or choose another --path.' if status in ADVICE else ''}"
        if status == _FIRST_CLIENT_ERROR and not session.experiment.http2:
            remedy += f" {ONLY_HTTP2}"
    elif status >= _FIRST_REDIRECT:
        why, remedy = redirected(location)
    return InconclusiveError(
        f"GET {session.experiment.path} was answered with {status} before any view was entered.", why, remedy
    )
