"""The views whose bodies are called, by what serves them, and how the stops of a loop are timed there."""

from __future__ import annotations

from inside_server import FLASK, HYPERCORN, SERVER_PYTHON, UVICORN

NO_LOOP, STEPS, WHOLE, UNSEEN = "no loop", "steps", "whole", "unseen"
NO_BODY = None


def own_server(name, *options):
    return (SERVER_PYTHON, "-m", f"holdfast_inside.{name}_server", "--host", "127.0.0.1", "--port", "{port}", *options)


OF_DJANGO = {
    "/plain": NO_LOOP,
    "/decorated/7": NO_LOOP,
    "/closure/eve": NO_LOOP,
    "/items": NO_LOOP,
    "/callable": NO_LOOP,
    "/partial": NO_LOOP,
    "/builtin": NO_LOOP,
    "/inner/basket/": NO_LOOP,
    "/async": STEPS,
    "/async-items": STEPS,
}
# What serves it, and path -> how the stops of a loop are timed there.
SERVED = {
    "flask": (
        {"app": "rich.py", "command": FLASK},
        {
            "/plain": NO_LOOP,
            "/decorated/7": NO_LOOP,
            "/closure/eve": NO_LOOP,
            "/items": NO_LOOP,
            "/heir": NO_LOOP,
            "/callable": NO_LOOP,
            "/partial": NO_LOOP,
            "/builtin": NO_LOOP,
            "/generator": NO_LOOP,
            "/streamed": NO_LOOP,
            "/async": STEPS,
            "/missing": NO_BODY,
        },
    ),
    "django-wsgi": (
        {"app": "django_project/shop/wsgi.py", "command": own_server("django"), "interface": "wsgi"},
        OF_DJANGO,
    ),
    "django-asgi": ({"app": "django_project/shop/asgi.py", "command": UVICORN, "interface": "asgi"}, OF_DJANGO),
    "fastapi": (
        {"app": "rich_fastapi.py", "command": UVICORN},
        {
            "/plain": NO_LOOP,
            "/async": STEPS,
            "/items/7": NO_LOOP,
            "/elsewhere": NO_LOOP,
            "/callable": STEPS,
            "/partial": NO_LOOP,
            "/shop/inner/basket": STEPS,
            "/starlette/view": NO_LOOP,
            "/starlette/endpoint": NO_LOOP,
            "/starlette/instance": STEPS,
            "/starlette/once": STEPS,
            "/flask/plain": NO_LOOP,
            "/raw/anything": STEPS,
            "/posted": NO_BODY,
            "/missing": NO_BODY,
        },
    ),
    "quart": (
        {"app": "rich_quart.py", "command": HYPERCORN},
        {
            "/plain": NO_LOOP,
            "/async": STEPS,
            "/decorated/7": STEPS,
            "/items": NO_LOOP,
            "/heir": STEPS,
            "/shop/basket/": STEPS,
            "/pieces": STEPS,
            "/missing": NO_BODY,
        },
    ),
    "litestar": (
        {"app": "rich_litestar.py", "command": UVICORN},
        {
            "/threaded": NO_LOOP,
            "/async": STEPS,
            "/inline": WHOLE,
            "/items/7": NO_LOOP,
            "/routed/shop/basket": STEPS,
            "/flask/plain": NO_LOOP,
            "/raw/anything": STEPS,
            "/missing": NO_BODY,
        },
    ),
    "aiohttp": (
        {"app": "aiohttp_rich.py", "command": own_server("aiohttp")},
        {
            "/plain": STEPS,
            "/decorated/7": STEPS,
            "/items": STEPS,
            "/bound": STEPS,
            "/inner/basket/": STEPS,
            "/blocking": WHOLE,
            "/missing": NO_BODY,
        },
    ),
    "tornado": (
        {"app": "tornado_rich.py:make_app()", "command": own_server("tornado")},
        {
            "/plain": WHOLE,
            "/decorated/7": WHOLE,
            "/heir": WHOLE,
            "/later": STEPS,
            "/generator": UNSEEN,
            "/missing": NO_BODY,
        },
    ),
    "sanic": (
        {"app": "sanic_rich.py", "command": own_server("sanic", "--single-process")},
        {
            "/plain": STEPS,
            "/decorated/7": STEPS,
            "/items": STEPS,
            "/inner/basket": STEPS,
            "/sync": WHOLE,
            "/missing": NO_BODY,
        },
    ),
}
