"""Which hook belongs to which framework, and which frameworks this process uses.

Only frameworks that are loaded already count: importing one that the application does not use would change what is
measured.
"""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Dict, List, Tuple

# Framework's module -> its class that leads to views, our module with the hook.
HOOKS: Dict[str, Tuple[str, str]] = {
    "aiohttp.web": ("Application", "aiohttp_hook"),
    "django.core.handlers.base": ("BaseHandler", "django_hook"),
    "flask": ("Flask", "flask_hook"),
    "litestar": ("Litestar", "litestar_hook"),
    "quart": ("Quart", "quart_hook"),
    "robyn": ("Robyn", "robyn_hook"),
    "sanic": ("Sanic", "sanic_hook"),
    "starlette.routing": ("Router", "starlette_hook"),
    "tornado.web": ("Application", "tornado_hook"),
    "fastapi.routing": ("APIRouter", "starlette_hook"),
}

# Classes that call an application by another interface: module -> class, the interface by which it is called itself.
BRIDGES: Dict[str, Tuple[str, str]] = {
    "a2wsgi.asgi": ("ASGIMiddleware", "wsgi"),
    "a2wsgi.wsgi": ("WSGIMiddleware", "asgi"),
    "asgiref.wsgi": ("WsgiToAsgi", "asgi"),
    "hypercorn.app_wrappers": ("WSGIWrapper", "asgi"),
    "starlette.middleware.wsgi": ("WSGIMiddleware", "asgi"),
    "tornado.wsgi": ("WSGIContainer", "tornado"),
    "uvicorn.middleware.wsgi": ("_WSGIMiddleware", "asgi"),
}

# Module and class: a hook surrounds the `__call__` of each; FastAPI's hands on to Starlette's at once.
_NOTING = (
    ("fastapi", "FastAPI"),
    ("django.core.handlers.asgi", "ASGIHandler"),
    ("django.core.handlers.wsgi", "WSGIHandler"),
    ("flask", "Flask"),
    ("litestar", "Litestar"),
    ("quart", "Quart"),
    ("starlette.applications", "Starlette"),
    ("starlette.routing", "Router"),
)


def install() -> None:
    """Installs the hooks of all loaded frameworks; a later call adds those loaded since."""
    for module in (*HOOKS, *BRIDGES):
        if module in sys.modules:
            install_for(module)


def install_for(module: str) -> None:
    """Installs the hook of one loaded module, if there is one for it."""
    if module in HOOKS:
        importlib.import_module("." + HOOKS[module][1], __package__).install()
    if module in BRIDGES:
        name, interface = BRIDGES[module]
        bridge = getattr(sys.modules.get(module), name, None)
        if bridge is not None:
            importlib.import_module(".bridges", __package__).install(bridge, interface)
    if "asyncio" in sys.modules:
        # asyncio would import it anyway, with the first function that it sends to a thread.
        importlib.import_module("concurrent.futures.thread")
        importlib.import_module(".gate", __package__).keep_context_in_threads()


def noting_calls() -> Tuple[object, ...]:
    """The methods of the loaded frameworks that note, before anything else, that a request has come."""
    found = [getattr(sys.modules.get(module), name, None) for module, name in _NOTING]
    return tuple(cls.__call__ for cls in found if cls is not None)


def view_holders() -> Tuple[type, ...]:
    """The classes of the loaded frameworks whose instances lead to views."""
    found: List[type] = []
    for module, (name, _) in HOOKS.items():
        cls = getattr(sys.modules.get(module), name, None)
        if cls is not None:
            found.append(cls)
    return tuple(found)


def leads_to_views() -> bool:
    """Whether this process holds an application of a known framework, inside any kind of middleware."""
    classes = view_holders()
    # type(), not isinstance: a proxy would forward the question, and some raise.
    return bool(classes) and any(issubclass(type(thing), classes) for thing in gc.get_objects())
