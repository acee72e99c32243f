"""How a value is written in a path, a form or JSON, in texts that are not a JMeter plan's; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

from holdfast.journeys.context import Context
from holdfast.journeys.known import Known
from holdfast.model.http_syntax import IN_PATH


def _percent(arguments: list[str], _context: Context) -> str:
    return quote(arguments[0], safe=IN_PATH)


def _form(arguments: list[str], _context: Context) -> str:
    return quote_plus(arguments[0])


def _json(arguments: list[str], _context: Context) -> str:
    """The text within quotes: `"{name}"`."""
    return json.dumps(arguments[0], ensure_ascii=False)[1:-1]


OF_OUR_OWN: Mapping[str, Known] = {
    "percent": Known(1, 1, _percent),
    "form": Known(1, 1, _form),
    "json": Known(1, 1, _json),
}
