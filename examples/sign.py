"""A hook for `holdfast load --hook sign.py:sign`: a signature that no regular expression could find."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from holdfast.model.answers import Answer


def sign(answer: Answer, values: Mapping[str, str]) -> dict[str, str]:
    """Makes {signature} of the token in the answer to a log-in; other answers have none."""
    token = json.loads(answer.body).get("token")
    if token is None:
        return {}
    return {"signature": hashlib.sha256(f"{token} {values['id']}".encode()).hexdigest()}
