"""Finds and loads the application that a person named."""

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
from .load_error import Trouble

DEFAULT_ATTRIBUTES = ("app", "application")
_LAST_LINES = 6
_SHAPE = "An application is module:attr or file.py[:attr]."

_Loaded = TypeVar("_Loaded")
Arguments = Tuple[List[Any], Dict[str, Any]]


def load(spec: str) -> Tuple[object, str]:
    """What `module:attr`, `module`, `file.py` or `file.py:attr` names, and that name in full.

    `attr` may be dotted and may call a factory with literal arguments, `create_app("test")`; left out,
    it is `app`, then `application`. The working directory is importable, as under `python file.py`.

    Raises:
        Trouble: there is no such thing, or it cannot be loaded.
    """
    # The first colon: a factory's arguments may hold others.
    source, _, attribute = spec.partition(":")
    _make_importable(os.getcwd())
    module = _module(source)
    found, name = _default(module, source) if not attribute else (_named(module, source, attribute), attribute)
    return found, f"{source}:{name}"


def _make_importable(directory: str) -> None:
    if directory not in sys.path:
        sys.path.insert(0, directory)


def _module(source: str) -> types.ModuleType:
    if source.endswith(".py") or os.sep in source:
        path = os.path.abspath(source)
        _check_file(source, path)
        return guarded(source, lambda: _from_file(path))
    if _is_importable(source):
        return guarded(source, lambda: importlib.import_module(source))
    if os.path.exists(source):
        _check_file(source, os.path.abspath(source))
    raise Trouble(
        "module-missing",
        f"There is no module {source}.",
        f"It is neither in {os.getcwd()} nor installed in the server's environment.",
        suggest.file_like(source.partition(".")[0], os.getcwd()),
    )


def _check_file(source: str, path: str) -> None:
    if os.path.isdir(path):
        example = suggest.file_in(source)
        raise Trouble("is-a-directory", f"{source} is a directory.", _SHAPE, f"Name a file in it, such as {example}.")
    directory, name = os.path.split(path)
    if not os.path.exists(path):
        remedy = suggest.file_like(os.path.splitext(name)[0], directory)
        raise Trouble("file-missing", f"There is no file {source}.", f"Looked in {directory}.", remedy)
    if not name.endswith(".py"):
        raise Trouble("not-python", f"{source} is not a Python file.", _SHAPE, "Name the .py file that defines it.")


def _is_importable(name: str) -> bool:
    try:
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        # Of a dotted name the parents are imported; one of them may itself lack something.
        return not (name + ".").startswith(f"{error.name}.")
    except ValueError:
        return False  # an empty part in a dotted name
    except BaseException:
        return True  # a parent exists and fails; importing it shows how
    # Without an origin it is a directory that has no __init__.py.
    return found is not None and found.origin is not None


def _from_file(path: str) -> types.ModuleType:
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


def guarded(what: str, load_it: Callable[[], _Loaded]) -> _Loaded:
    """What `load_it` returns; whatever goes wrong in it is raised as Trouble about `what`."""
    # An unguarded app.run() at the end of a script would start a server of its own here. Flask leaves
    # it out while this is set, as it does under its command line (flask/app.py, Flask.run).
    variable = "FLASK_RUN_FROM_CLI"
    before = os.environ.get(variable)
    os.environ[variable] = "true"
    try:
        return load_it()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        lines = traceback.format_exception(type(error), error, _own_part(error.__traceback__))
        raise Trouble(
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


def _own_part(trace: Optional[types.TracebackType]) -> Optional[types.TracebackType]:
    """The traceback from the application's first line on; ours and importlib's in front of it tell nobody anything."""
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if os.path.dirname(path) != os.path.dirname(__file__) and not path.startswith("<frozen importlib"):
            break
        trace = trace.tb_next
    return trace


def _remedy(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.partition(".")[0]
        # A server that embeds Python does not know its interpreter; holdfast sets the variable for all of them.
        where = os.environ.get("VIRTUAL_ENV") or sys.executable
        return f"Install {missing} in {where}, or let another interpreter run the server (--python)."
    return "The error is the application's own: it must load before it can be probed."


def _default(module: types.ModuleType, source: str) -> Tuple[object, str]:
    for name in DEFAULT_ATTRIBUTES:
        if hasattr(module, name):
            return getattr(module, name), name
    near = suggest.attribute(module, "app")
    raise Trouble(
        "attribute-missing",
        f"{source} has neither app nor application.",
        suggest.contents(module),
        f"Did you mean {source}:{near}?" if near else f"Name the application: {source}:NAME",
    )


def _named(module: types.ModuleType, source: str, attribute: str) -> object:
    names, arguments = _parsed(source, attribute)
    found: object = module
    for name in names:
        if not hasattr(found, name):
            near = suggest.attribute(found, name)
            raise Trouble(
                "attribute-missing",
                f"{source} has no attribute {name}.",
                suggest.contents(found),
                f"Did you mean {source}:{near}?" if near else "Define it, or name another.",
            )
        found = getattr(found, name)
    if arguments is None:
        return found
    _check_call(found, arguments, source, attribute)
    return guarded(f"{source}:{attribute}", lambda: _call(found, *arguments))


def _check_call(found: object, arguments: Arguments, source: str, attribute: str) -> None:
    name = attribute.partition("(")[0].strip()
    if not callable(found):
        why = f"It is of type {type(found).__name__}."
        raise Trouble(
            "not-callable", f"{source}:{name} cannot be called.", why, "Name a function that makes the application."
        )
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        return  # no signature to be had, as of some extension types
    try:
        signature.bind(*arguments[0], **arguments[1])
    except TypeError as error:
        remedy = f"Give it the arguments that it needs: {source}:{name}{signature}"
        if _takes_a_request(signature):
            remedy = f"Leave the () out: {source}:{name}"
        what = f"{source}:{attribute} cannot be called like that."
        raise Trouble("attribute-unreadable", what, f"{error}.", remedy) from None


def _takes_a_request(signature: inspect.Signature) -> bool:
    try:
        signature.bind({}, None)
    except TypeError:
        return False
    return True


def _call(factory: Any, positional: List[Any], keywords: Dict[str, Any]) -> object:  # noqa: ANN401 - may be anything
    return factory(*positional, **keywords)


def _parsed(source: str, attribute: str) -> Tuple[List[str], Optional[Arguments]]:
    """The dotted names, and a factory's arguments; None where it is not called."""
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
    raise Trouble(
        "attribute-unreadable",
        f"{attribute} does not name an attribute of {source}.",
        "It must be a name, dotted names, or a call with literal arguments.",
        f"For example {source}:app, {source}:create_app() or {source}:create_app('test').",
    )
