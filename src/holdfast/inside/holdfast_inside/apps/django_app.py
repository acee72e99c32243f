"""The Django project that is served where the person names none: settings, URLs and a view in one file.

No middleware, no database: what a request costs here is Django's own.
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
    """Answers every path."""
    del request
    return HttpResponse("hello\n", content_type="text/plain")


async def async_index(request: HttpRequest) -> HttpResponse:
    """The same, as a coroutine."""
    return index(request)


async_index.__qualname__ = index.__qualname__


def create(view: Optional[str] = None) -> Any:  # noqa: ANN401 - for WSGI or for ASGI
    """An application for this run's interface that answers every path.

    To be called once in a process: Django's settings are its globals.

    Args:
        view: "sync" (also None), "async" or "async-blocking"; both async ones have an `async def` view.
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
