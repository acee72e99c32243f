"""The built-in Django project: settings, URLs and a view in one file.

It has no middleware and no database, so a request costs only what Django itself costs.
"""

from __future__ import annotations

import os
from typing import Any, Optional

import django  # type: ignore[import-untyped]
from django.conf import settings  # type: ignore[import-untyped]
from django.http import HttpRequest, HttpResponse  # type: ignore[import-untyped]
from django.urls import re_path  # type: ignore[import-untyped]

from .. import layout  # noqa: TID252 - in the server it is a package of its own


def index(request: HttpRequest) -> HttpResponse:
    """Answers every path with "hello"."""
    del request
    return HttpResponse("hello\n", content_type="text/plain")


async def async_index(request: HttpRequest) -> HttpResponse:
    """Answers like `index`, as a coroutine."""
    return index(request)


async_index.__qualname__ = index.__qualname__


def create(view: Optional[str] = None) -> Any:  # noqa: ANN401 - for WSGI or for ASGI
    """Configures Django and returns an application for this run's interface that answers every path.

    Call it once per process: Django's settings are global.

    Args:
        view: "sync" (also None), "async" or "async-blocking"; the last two both give an `async def` view.
    """
    answering = async_index if view in ("async", "async-blocking") else index
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=(re_path("", answering),),
        SECRET_KEY="answers everybody the same",  # noqa: S106 - nothing is signed with it
    )
    django.setup(set_prefix=False)
    if os.environ.get(layout.INTERFACE_VARIABLE) == "asgi":
        from django.core.asgi import get_asgi_application  # type: ignore[import-untyped]

        return get_asgi_application()
    from django.core.wsgi import get_wsgi_application  # type: ignore[import-untyped]

    return get_wsgi_application()
