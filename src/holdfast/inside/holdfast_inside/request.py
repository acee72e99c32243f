"""Tells this run's own requests from everybody else's."""

from __future__ import annotations

import os
from typing import Any, Dict, Optional
from urllib.parse import unquote_to_bytes

from . import layout, recorder

ENVIRON_KEY = "holdfast.claim"
_ENVIRON_HEADER = "HTTP_" + layout.HEADER_FIELD.upper().replace("-", "_")
_LONGEST_ID = 9


class Claim:
    """One request that carries the token: its slot, and the thread on which the server handed it over."""

    __slots__ = ("entry", "held", "id")

    def __init__(self, id: int, entry: recorder.Thread) -> None:
        self.id = id
        self.entry = entry
        self.held = False


def wsgi_claim(environ: Dict[str, Any]) -> Optional[Claim]:
    """The claim of a WSGI request; None is a request to be passed through untouched.

    The first call for a request decides and notes the calling thread as its entry; later calls
    return the same.
    """
    known = environ.get(ENVIRON_KEY)
    if known is not None:
        return known  # type: ignore[no-any-return]
    value = environ.get(_ENVIRON_HEADER)
    if not value:
        return None
    id = parse(value, os.environ.get(layout.TOKEN_VARIABLE, ""), recorder.record().slots)
    if id is None or not _is_held_path(environ):
        return None
    claim = environ[ENVIRON_KEY] = Claim(id, recorder.entry_thread())
    return claim


def parse(value: str, token: str, slots: int) -> Optional[int]:
    """The id in a header's value `<token>/<id>`; None unless the token is right and the slot exists."""
    given, _, digits = value.rpartition("/")
    if not token or given != token:
        return None
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _LONGEST_ID:
        return None
    id = int(digits)
    return id if id < slots else None


def _is_held_path(environ: Dict[str, Any]) -> bool:
    wanted, question, query = (os.environ.get(layout.PATH_VARIABLE) or "/").partition("?")
    if question and environ.get("QUERY_STRING", "") != query:
        return False
    # PEP 3333: the path's bytes, unquoted, read as Latin-1. A mounted application has the first part
    # of the path in SCRIPT_NAME; a server may also be told to add a SCRIPT_NAME that the client did not send.
    path = unquote_to_bytes(wanted).decode("latin-1")
    inner = environ.get("PATH_INFO", "")
    return path in (environ.get("SCRIPT_NAME", "") + inner, inner or "/")
