"""A Django project named by its `manage.py` or by its settings module, where others have an application."""

from __future__ import annotations

import ast
import importlib
import os
import sys
from typing import Iterator, Optional, Tuple

from . import load

SETTINGS_VARIABLE = "DJANGO_SETTINGS_MODULE"


def application(spec: str, interface: str) -> Optional[Tuple[object, str]]:
    """The project's application, and how it was named; None where `spec` names no project.

    Args:
        spec: `manage.py` or any other script that sets DJANGO_SETTINGS_MODULE by `os.environ.setdefault` and
            defines no application; or a module with "settings" among its dotted names, `proj.settings.test`.
        interface: "asgi" gives the application for ASGI, anything else the one for WSGI.

    Raises:
        Trouble: the project cannot be loaded.
    """
    settings = _settings_of_script(spec) if spec.endswith(".py") else None
    if settings is not None:
        # As the script does it: what the person has set counts.
        os.environ.setdefault(SETTINGS_VARIABLE, settings)
        directory = os.path.dirname(os.path.abspath(spec))
    elif ":" not in spec and "settings" in spec.split("."):
        os.environ[SETTINGS_VARIABLE] = spec
        directory = os.getcwd()
    else:
        return None
    if directory not in sys.path:
        sys.path.insert(0, directory)
    return load.guarded(spec, lambda: _made(interface)), spec


def _made(interface: str) -> object:
    kind = "asgi" if interface == "asgi" else "wsgi"
    return getattr(importlib.import_module(f"django.core.{kind}"), f"get_{kind}_application")()


def _settings_of_script(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return None  # whoever loads it will say what is wrong with it
    if set(load.DEFAULT_ATTRIBUTES) & set(_defined(tree)):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setdefault":
            values = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if len(values) == 2 and values[0] == SETTINGS_VARIABLE and isinstance(values[1], str):
                return values[1]
    return None


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)
