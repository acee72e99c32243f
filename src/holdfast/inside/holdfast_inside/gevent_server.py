"""Starts `gevent.pywsgi.WSGIServer` after `patch_all()`: `python -m holdfast_inside.gevent_server`."""

from __future__ import annotations

import sys
from typing import Any, Dict

from . import options, runner

KNOWN: options.Known = {
    "pool": ("spawn", options.count),
    "spawn": ("spawn", options.count),
    "backlog": ("backlog", options.whole),
}


def _serve(application: Any, host: str, port: int, keywords: Dict[str, Any]) -> None:  # noqa: ANN401 - may be any
    from gevent import pywsgi  # type: ignore[import-untyped]

    pywsgi.WSGIServer((host, port), application, **keywords).serve_forever()


def _patch_everything() -> None:
    from gevent import monkey

    monkey.patch_all()


if __name__ == "__main__":
    # Before the application is loaded, as gevent's documentation requires.
    _patch_everything()
    sys.exit(runner.run("gevent.pywsgi", KNOWN, _serve))
