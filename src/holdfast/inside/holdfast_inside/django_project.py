"""Loads a Django project that the user named by its `manage.py` or settings module instead of an application."""

from __future__ import annotations

import ast
import importlib
import os
import sys
from typing import Iterator, Optional, Tuple

from . import load

SETTINGS_VARIABLE = "DJANGO_SETTINGS_MODULE"


def load_application(spec: str, interface: str) -> Optional[Tuple[object, str]]:
    """Loads the project's application.

    Sets DJANGO_SETTINGS_MODULE and makes the project's directory importable.

    Args:
        spec: `manage.py` or any other script that sets DJANGO_SETTINGS_MODULE by `os.environ.setdefault` and
            defines no application; or a module with "settings" among its dotted names, `proj.settings.test`.
        interface: "asgi" loads the ASGI application, anything else the WSGI one.

    Returns:
        the application and `spec`; None if `spec` does not name a project.

    Raises:
        LoadError: the project cannot be loaded.
    """
    settings = _settings_of_script(spec) if spec.endswith(".py") else None
    if settings is not None:
        # Like the script: a value from the user's environment wins.
        os.environ.setdefault(SETTINGS_VARIABLE, settings)
        directory = os.path.dirname(os.path.abspath(spec))
    elif ":" not in spec and "settings" in spec.split("."):
        os.environ[SETTINGS_VARIABLE] = spec
        directory = os.getcwd()
    else:
        return None
    if directory not in sys.path:
        sys.path.insert(0, directory)
    return load.run_loader(spec, lambda: _make_application(interface)), spec


def _make_application(interface: str) -> object:
    kind = "asgi" if interface == "asgi" else "wsgi"
    return getattr(importlib.import_module(f"django.core.{kind}"), f"get_{kind}_application")()


def _settings_of_script(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return None  # load.load() reports what is wrong with the file
    if set(load.DEFAULT_ATTRIBUTES) & set(_defined_names(tree)):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setdefault":
            values = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if len(values) == 2 and values[0] == SETTINGS_VARIABLE and isinstance(values[1], str):
                return values[1]
    return None


def _defined_names(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)
