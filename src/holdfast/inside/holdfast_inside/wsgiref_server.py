"""Starts the standard library's `wsgiref.simple_server`: `python -m holdfast_inside.wsgiref_server`."""

from __future__ import annotations

import sys
from typing import Any, Dict
from wsgiref.simple_server import make_server

from . import options, runner

KNOWN: options.Known = {}


def _serve(application: Any, host: str, port: int, keywords: Dict[str, Any]) -> None:  # noqa: ANN401 - may be any
    del keywords
    make_server(host, port, application).serve_forever()


if __name__ == "__main__":
    sys.exit(runner.run("wsgiref", KNOWN, _serve))
