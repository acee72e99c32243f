"""Finds and loads the application that the user named."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import os
import sys
import traceback
import types
from typing import Any, Callable, Dict, List, Optional, Tuple, TypeVar

from . import suggest
from .load_error import LoadError

DEFAULT_ATTRIBUTES = ("app", "application")
_LAST_LINES = 6
_SHAPE = "An application is named as module:attr or file.py[:attr]."

_Loaded = TypeVar("_Loaded")
Arguments = Tuple[List[Any], Dict[str, Any]]


def load(spec: str) -> Tuple[object, str]:
    """Loads what `module:attr`, `module`, `file.py` or `file.py:attr` names.

    `attr` may be dotted and may call a factory with literal arguments, `create_app("test")`; without it, `app` and
    then `application` are tried. The working directory is importable, as under `python file.py`.

    Returns:
        the object, and its full name `source:attr`.

    Raises:
        LoadError: it does not exist, or loading it failed.
    """
    # Split at the first colon: a factory's arguments may contain others.
    source, _, attribute = spec.partition(":")
    _make_importable(os.getcwd())
    module = _import_module(source)
    if attribute:
        return _named_attribute(module, source, attribute), f"{source}:{attribute}"
    found, name = _default_attribute(module, source)
    return found, f"{source}:{name}"


def _make_importable(directory: str) -> None:
    if directory not in sys.path:
        sys.path.insert(0, directory)


def _import_module(source: str) -> types.ModuleType:
    if source.endswith(".py") or os.sep in source:
        path = os.path.abspath(source)
        _check_file(source, path)
        return run_loader(source, lambda: _import_file(path))
    if _is_importable(source):
        return run_loader(source, lambda: importlib.import_module(source))
    if os.path.exists(source):
        _check_file(source, os.path.abspath(source))
    raise LoadError(
        "module-missing",
        f"There is no module {source}.",
        f"It is neither in {os.getcwd()} nor installed in the server's environment.",
        suggest.directory_of(source, os.getcwd()) or suggest.file_like(source.partition(".")[0], os.getcwd()),
    )


def _check_file(source: str, path: str) -> None:
    if os.path.isdir(path):
        example = suggest.file_in(source)
        raise LoadError("is-a-directory", f"{source} is a directory.", _SHAPE, f"Name a file in it, such as {example}.")
    directory, name = os.path.split(path)
    if not os.path.exists(path):
        if not os.path.isdir(directory):
            why = f"The directory {directory} does not exist."
            remedy = "Check the path." if os.path.isabs(source) else "Check the path, or run holdfast elsewhere."
            raise LoadError("file-missing", f"{source} does not exist.", why, remedy)
        remedy = suggest.file_like(os.path.splitext(name)[0], directory)
        raise LoadError("file-missing", f"{source} does not exist.", f"Looked in {directory}.", remedy)
    if not name.endswith(".py"):
        raise LoadError("not-python", f"{source} is not a Python file.", _SHAPE, "Name the .py file that defines it.")


def _is_importable(name: str) -> bool:
    try:
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        # find_spec imports the parents of a dotted name; one of those may import a module that is missing.
        return not (name + ".").startswith(f"{error.name}.")
    except ValueError:
        return False  # an empty part in a dotted name
    except BaseException:
        return True  # a parent exists and fails; importing it will show the error
    # A directory without __init__.py has a spec without an origin.
    return found is not None and found.origin is not None


def _import_file(path: str) -> types.ModuleType:
    directory, name = os.path.split(path[: -len(".py")])
    in_package = False
    while os.path.exists(os.path.join(directory, "__init__.py")):
        directory, parent = os.path.split(directory)
        name = f"{parent}.{name}"
        in_package = True
    _make_importable(directory)
    if in_package:
        return importlib.import_module(name)
    if name in sys.modules:
        name = "holdfast_loaded_" + name
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "it ends with .py"
    assert spec.loader is not None, "it ends with .py"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def run_loader(what: str, load_it: Callable[[], _Loaded]) -> _Loaded:
    """Calls `load_it` and returns its result.

    Raises:
        LoadError: `load_it` raised; it names `what` and quotes the traceback.
    """
    # An unguarded app.run() at the end of a script would start a second server here. Flask skips it while this
    # variable is set, as under `flask run` (flask/app.py, Flask.run).
    variable = "FLASK_RUN_FROM_CLI"
    before = os.environ.get(variable)
    os.environ[variable] = "true"
    try:
        return load_it()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        lines = traceback.format_exception(type(error), error, _application_part(error.__traceback__))
        raise LoadError(
            "import-failed",
            f"{what} cannot be loaded.",
            "\n".join("".join(lines).rstrip().splitlines()[-_LAST_LINES:]),
            _remedy(error),
        ) from error
    finally:
        if before is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = before


def _application_part(trace: Optional[types.TracebackType]) -> Optional[types.TracebackType]:
    """The traceback from the application's first line on, without our frames and importlib's before it."""
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if os.path.dirname(path) != os.path.dirname(__file__) and not path.startswith("<frozen importlib"):
            break
        trace = trace.tb_next
    return trace


def _remedy(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.partition(".")[0]
        # In a server that embeds Python, sys.executable is the server; holdfast sets VIRTUAL_ENV for every server.
        where = os.environ.get("VIRTUAL_ENV") or sys.executable
        return f"Install {missing} in {where}, or run the server with another interpreter (--python)."
    return "The error comes from the application: fix it, so that it can be imported."


def _default_attribute(module: types.ModuleType, source: str) -> Tuple[object, str]:
    for name in DEFAULT_ATTRIBUTES:
        if hasattr(module, name):
            return getattr(module, name), name
    near = suggest.attribute(module, "app")
    raise LoadError(
        "attribute-missing",
        f"{source} has neither app nor application.",
        suggest.contents(module),
        f"Did you mean {source}:{near}?" if near else f"Name the application: {source}:NAME.",
    )


def _named_attribute(module: types.ModuleType, source: str, attribute: str) -> object:
    names, arguments = _parse_attribute(source, attribute)
    found: object = module
    for name in names:
        if not hasattr(found, name):
            near = suggest.attribute(found, name)
            raise LoadError(
                "attribute-missing",
                f"{source} has no attribute {name}.",
                suggest.contents(found),
                f"Did you mean {source}:{near}?" if near else "Define it, or name another attribute.",
            )
        found = getattr(found, name)
    if arguments is None:
        return found
    _check_call(found, arguments, source, attribute)
    return run_loader(f"{source}:{attribute}", lambda: _call(found, *arguments))


def _check_call(found: object, arguments: Arguments, source: str, attribute: str) -> None:
    name = attribute.partition("(")[0].strip()
    if not callable(found):
        why = f"Its type is {type(found).__name__}."
        raise LoadError(
            "not-callable", f"{source}:{name} cannot be called.", why, "Name a function that returns the application."
        )
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        return  # some extension types have no signature
    try:
        signature.bind(*arguments[0], **arguments[1])
    except TypeError as error:
        remedy = f"Pass the arguments that it needs: {source}:{name}{signature}"
        if _takes_a_request(signature):
            remedy = f"It looks like the application itself; leave out the parentheses: {source}:{name}"
        what = f"{source}:{attribute} cannot be called with these arguments."
        raise LoadError("attribute-unreadable", what, f"{error}.", remedy) from None


def _takes_a_request(signature: inspect.Signature) -> bool:
    try:
        signature.bind({}, None)
    except TypeError:
        return False
    return True


def _call(factory: Any, positional: List[Any], keywords: Dict[str, Any]) -> object:  # noqa: ANN401 - may be anything
    return factory(*positional, **keywords)


def _parse_attribute(source: str, attribute: str) -> Tuple[List[str], Optional[Arguments]]:
    """The dotted names in `attribute`, and the arguments of its call; None if it is not a call."""
    try:
        tree = ast.parse(attribute, mode="eval").body
        arguments = None
        if isinstance(tree, ast.Call):
            keywords = {str(each.arg): ast.literal_eval(each.value) for each in tree.keywords}
            arguments = [ast.literal_eval(value) for value in tree.args], keywords
            tree = tree.func
        names: List[str] = []
        while isinstance(tree, ast.Attribute):
            names.insert(0, tree.attr)
            tree = tree.value
        if isinstance(tree, ast.Name):
            return [tree.id, *names], arguments
    except (SyntaxError, ValueError):
        pass
    raise LoadError(
        "attribute-unreadable",
        f"{attribute} does not name an attribute of {source}.",
        "It must be a name, a dotted name, or a call with literal arguments.",
        f"Write it like {source}:app, {source}:create_app() or {source}:create_app('test').",
    )
