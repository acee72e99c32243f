"""What is said of a certificate that is not trusted: by openssl(1), x509: `notAfter`, and what it is for."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.answering import answering_server

INCONCLUSIVE = 3
HERE = Path(__file__).parent
EXPIRED = HERE / "expired.pem"
"""Key and self-signed certificate of 127.0.0.1, valid in January 2020 and worth nothing."""
OF_LOCALHOST = HERE.parent / "engine" / "localhost.pem"


@pytest.mark.parametrize(
    ("pem", "host", "trusted", "found", "remedy"),
    [
        (EXPIRED, "127.0.0.1", True, "certificate has expired", "Renew it, if this machine's clock is right."),
        (EXPIRED, "localhost", True, "certificate has expired", "Renew it"),
        (OF_LOCALHOST, "127.1", True, "mismatch", "Name the server in the URL as its certificate does."),
        (OF_LOCALHOST, "localhost", False, "certificate", "If it is yours, trust it: SSL_CERT_FILE=FILE"),
    ],
)
def test_the_remedy_is_that_of_what_is_wrong_with_it(holdfast, pem, host, trusted, found, remedy):
    with answering_server(pem) as port:
        ended = holdfast.run("attach", f"https://{host}:{port}/", env={"SSL_CERT_FILE": str(pem)} if trusted else {})

    assert ended.exit == INCONCLUSIVE
    assert "is not trusted" in ended.what
    assert found in ended.err
    assert remedy in ended.err
    assert "--insecure accepts any certificate" in ended.err
