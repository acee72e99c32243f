"""Whether the probed server speaks TLS, and what a person is told when holdfast and the server do not meet in it.

A server is asked in plain HTTP first, unless the person says that it speaks TLS. What a TLS server makes of that
differs: OpenSSL closes the connection without a word, rustls sends an alert, nginx, Apache and Go's server answer 400
in plain HTTP. None of it proves TLS, so the same request is then sent over TLS: a handshake that comes about does.

The certificate is not checked. It says whom a client talks to over a network, and holdfast knows that already: it
started the server, and the kernel says that the server's own processes hold the socket.
"""

from __future__ import annotations

from holdfast.engine.endpoint import NO_TLS, Tls
from holdfast.engine.http1 import NO_ALPN
from holdfast.errors import InconclusiveError
from holdfast.model.address import is_unix
from holdfast.model.experiment import Experiment
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Request

_BAD_REQUEST = 400
_IN_PLAIN = {Outcome.CLOSED, Outcome.RESET, Outcome.MALFORMED}
_LEAVE_OUT = "If it speaks plain HTTP, leave --tls out."


def tls_towards(experiment: Experiment, address: str) -> Tls:
    """How to speak TLS to a server that holdfast has started.

    A server that chooses its certificate, or its site, by SNI gets the name that the Host field has: some reject a
    request in which the two differ (RFC 9110, 7.4).
    """
    field = next((value for name, value in experiment.headers if name.lower() == "host"), "")
    host = field.partition(":")[0] if not field.startswith("[") else ""
    named = host or ("localhost" if is_unix(address) else address)
    return Tls(named, verify=False)


def may_speak_tls(request: Request) -> bool:
    """Whether a server may have treated a plain request so because it expects TLS.

    Args:
        request: sent in plain HTTP; it entered no handler.
    """
    return (request.outcome in _IN_PLAIN and not request.status) or request.status == _BAD_REQUEST


def speaks_tls(request: Request, finding: str | None) -> bool:
    """Whether the server has shown that it speaks TLS, with us or not.

    Args:
        request: sent over TLS.
        finding: why no handshake came about, in words; None where nothing was found.
    """
    # An alert is TLS (RFC 8446, 6).
    return (
        request.sent_ns != NEVER or finding == NO_ALPN or "alert" in (finding or "") or "certificate" in (finding or "")
    )


def no_tls(reached_at: str, request: Request, finding: str | None, log: str) -> InconclusiveError | None:
    """The error for a first request over TLS that was never sent; None if it was.

    Args:
        reached_at: the server's address.
        finding: as in `speaks_tls`.
        log: the end of what the server wrote, as a sentence; "" for nothing.
    """
    if finding is not None and finding.startswith(NO_TLS):
        return _no_handshake(reached_at, request, finding, log)
    if request.sent_ns != NEVER or request.connected_ns == NEVER:
        return None
    if request.outcome in {Outcome.CLOSED, Outcome.RESET}:
        how = "closed" if request.outcome is Outcome.CLOSED else "reset"
        what = f"{reached_at} {how} the connection before the TLS handshake was over."
        return InconclusiveError(what, f"It may not speak TLS.{log}", _LEAVE_OUT)
    if request.outcome is Outcome.PENDING:
        what = f"{reached_at} took the connection, but the TLS handshake did not come to its end."
        return InconclusiveError(what, f"It may not speak TLS, or be busy with something else.{log}", _LEAVE_OUT)
    return None


def _no_handshake(reached_at: str, request: Request, finding: str, log: str) -> InconclusiveError:
    if "no application protocol" in finding:
        return InconclusiveError(
            f"{reached_at} speaks TLS, but not this version of HTTP over it.",
            f"{_sentence(finding)}{log}",
            "HTTP/2 is spoken with --http2, HTTP/1.1 without.",
        )
    if speaks_tls(request, finding):
        return InconclusiveError(
            f"{reached_at} speaks TLS, but not with holdfast.",
            f"{_sentence(finding)}{log}",
            "Allow TLS 1.2 or 1.3 without client certificates for the probe. If it chooses its certificate by name, "
            "say which name is asked for: -H 'Host: NAME'.",
        )
    return InconclusiveError(
        f"{reached_at} does not speak TLS.", f"{_sentence(finding)}{log}", "Leave --tls out: it is plain HTTP."
    )


def _sentence(finding: str) -> str:
    return f"{finding[0].upper()}{finding[1:]}."
