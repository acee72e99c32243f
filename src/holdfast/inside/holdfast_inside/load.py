"""Finds and loads the application that a person named."""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import inspect
import os
import sys
import traceback
import types
from typing import Any, Callable, Dict, List, Optional, Tuple

from .trouble import Trouble

DEFAULT_ATTRIBUTES = ("app", "application")
_LAST_LINES = 6
_MOST_NAMES = 8


def load(spec: str) -> Any:
    """The WSGI application `module:attr`, `module`, `file.py` or `file.py:attr`.

    `attr` may be dotted and may call a factory with literal arguments, `create_app("test")`; left out,
    it is `app`, then `application`. The working directory is importable, as under `python file.py`.

    Raises:
        Trouble: there is no such thing, or it cannot be loaded, or it is no WSGI application.
    """
    source, attribute = split(spec)
    _make_importable(os.getcwd())
    module = _module(source, attribute)
    found = _attribute(module, source, attribute)
    _check_wsgi(found, source, attribute or "app")
    return found


def split(spec: str) -> Tuple[str, Optional[str]]:
    """`spec` in its two parts; None where no attribute is named."""
    # The first colon: a factory's arguments may hold others.
    source, _, attribute = spec.partition(":")
    return source, attribute or None


def _make_importable(directory: str) -> None:
    if directory not in sys.path:
        sys.path.insert(0, directory)


def _module(source: str, attribute: Optional[str]) -> types.ModuleType:
    if source.endswith(".py") or os.sep in source:
        return _guarded(source, lambda: _from_file(source))
    if os.path.isdir(source) and attribute is None and not _is_importable(source):
        raise _directory(source)
    if os.path.isfile(source):
        raise _not_python(source)
    if not _is_importable(source):
        raise Trouble(
            "module-missing",
            "There is no module {}.".format(source),
            "It is neither in {} nor installed in the server's environment.".format(os.getcwd()),
            _near_files(source),
        )
    return _guarded(source, lambda: importlib.import_module(source))


def _is_importable(name: str) -> bool:
    try:
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        # Of a dotted name the parents are imported; one of them may itself lack something.
        if error.name is not None and (name + ".").startswith(error.name + "."):
            return False
        return True
    except Exception:  # noqa: BLE001 - the parent exists and fails; importing it shows how
        return True
    # Without an origin it is a directory that has no __init__.py.
    return found is not None and found.origin is not None


def _from_file(source: str) -> types.ModuleType:
    path = os.path.abspath(source)
    if os.path.isdir(path):
        raise _directory(source)
    if not os.path.exists(path):
        raise Trouble(
            "file-missing",
            "There is no file {}.".format(source),
            "Looked in {}.".format(os.path.dirname(path)),
            _near_files(os.path.splitext(os.path.basename(path))[0], os.path.dirname(path)),
        )
    if not path.endswith(".py"):
        raise _not_python(source)
    directory, name = os.path.split(path[: -len(".py")])
    in_package = False
    while os.path.exists(os.path.join(directory, "__init__.py")):
        directory, parent = os.path.split(directory)
        name = "{}.{}".format(parent, name)
        in_package = True
    _make_importable(directory)
    if in_package:
        return importlib.import_module(name)
    if name in sys.modules:
        name = "holdfast_loaded_" + name
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise _not_python(source)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _guarded(source: str, load_it: Callable[[], Any]) -> Any:
    # An unguarded app.run() at the end of a script would start a server of its own here. Flask leaves
    # it out while this is set, as it does under its command line (flask/app.py, Flask.run).
    variable = "FLASK_RUN_FROM_CLI"
    before = os.environ.get(variable)
    os.environ[variable] = "true"
    try:
        return load_it()
    except (Trouble, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise Trouble(
            "import-failed",
            "{} cannot be loaded.".format(source),
            _end_of_traceback(error),
            "Make it importable in the server's environment: the error is raised while it is loaded.",
        ) from error
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before


def _end_of_traceback(error: BaseException) -> str:
    lines = "".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip().splitlines()
    return "\n".join(lines[-_LAST_LINES:])


def _attribute(module: types.ModuleType, source: str, attribute: Optional[str]) -> Any:
    if attribute is None:
        for name in DEFAULT_ATTRIBUTES:
            if hasattr(module, name):
                return getattr(module, name)
        raise Trouble(
            "attribute-missing",
            "{} has neither app nor application.".format(source),
            _what_is_there(module),
            "Name the application: {}:{}".format(source, (_candidates(module) or ["NAME"])[0]),
        )
    names, arguments = _parsed(source, attribute)
    found: Any = module
    for name in names:
        if not hasattr(found, name):
            near = difflib.get_close_matches(name, _callables(found), 1) or _candidates(found)[:1]
            raise Trouble(
                "attribute-missing",
                "{} has no attribute {}.".format(source, name),
                _what_is_there(found),
                "Did you mean {}:{}?".format(source, near[0]) if near else "Define it, or name another.",
            )
        found = getattr(found, name)
    if arguments is None:
        return found
    factory, (args, kwargs) = found, arguments
    if not callable(factory):
        raise Trouble(
            "not-callable",
            "{}:{} cannot be called.".format(source, ".".join(names)),
            "It is {}, not a factory.".format(_described(factory)),
            "Leave out the parentheses if it is the application itself.",
        )
    return _guarded("{}:{}".format(source, attribute), lambda: factory(*args, **kwargs))


def _parsed(source: str, attribute: str) -> Tuple[List[str], Optional[Tuple[List[Any], Dict[str, Any]]]]:
    """The dotted names, and a factory's arguments; None where it is not called."""
    try:
        tree = ast.parse(attribute, mode="eval").body
        arguments = None
        if isinstance(tree, ast.Call):
            arguments = (
                [ast.literal_eval(value) for value in tree.args],
                {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in tree.keywords},
            )
            tree = tree.func
        names: List[str] = []
        while isinstance(tree, ast.Attribute):
            names.insert(0, tree.attr)
            tree = tree.value
        if not isinstance(tree, ast.Name):
            raise ValueError(attribute)  # noqa: TRY301, TRY004 - one message for everything unreadable
    except (SyntaxError, ValueError):
        raise Trouble(
            "attribute-unreadable",
            "{} does not name an attribute of {}.".format(attribute, source),
            "It must be a name, dotted names, or a call with literal arguments.",
            "For example {0}:app, {0}:create_app() or {0}:create_app('test').".format(source),
        ) from None
    return [tree.id, *names], arguments


def _check_wsgi(found: Any, source: str, attribute: str) -> None:
    if not callable(found):
        raise Trouble(
            "not-callable",
            "{}:{} is no application: it cannot be called.".format(source, attribute),
            "It is {}.".format(_described(found)),
            "Name a WSGI application, for example a Flask object.",
        )
    try:
        inspect.signature(found).bind({}, None)
    except ValueError:
        return  # no signature to be had, as of some extension types
    except TypeError:
        call = getattr(type(found), "__call__", None)  # noqa: B004 - the function itself is wanted
        if inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(call):
            why = "It is an ASGI application, and this server serves WSGI."
            remedy = "Name a WSGI application, or choose an ASGI server."
        else:
            why = "A server calls an application with two arguments, and it does not take two."
            remedy = "If it is a factory, call it: {}:{}()".format(source, attribute)
        raise Trouble(
            "not-callable", "{}:{} is no WSGI application.".format(source, attribute), why, remedy
        ) from None


def _described(thing: Any) -> str:
    return "of type {}".format(type(thing).__name__)


def _callables(holder: Any) -> List[str]:
    return [
        name for name, value in vars(holder).items() if not name.startswith("_") and callable(value)
    ] if hasattr(holder, "__dict__") else []


def _candidates(holder: Any) -> List[str]:
    """Names that look like an application: objects that can be called before functions, own before imported."""
    own = getattr(holder, "__name__", None)
    names = []
    for name in _callables(holder):
        value = getattr(holder, name)
        if isinstance(value, type):
            continue
        if isinstance(value, types.FunctionType):
            if value.__module__ == own:
                names.append((1, name + "()" if "create" in name or "make" in name else name))
        elif not isinstance(value, types.BuiltinFunctionType):
            names.append((0, name))
    return [name for _, name in sorted(names)]


def _what_is_there(holder: Any) -> str:
    names = _candidates(holder)
    if not names:
        return "Nothing in it looks like an application."
    more = ", ..." if len(names) > _MOST_NAMES else ""
    return "It has {}{}.".format(", ".join(names[:_MOST_NAMES]), more)


def _near_files(name: str, directory: str = ".") -> str:
    try:
        stems = [entry[:-3] for entry in os.listdir(directory) if entry.endswith(".py")]
    except OSError:
        stems = []
    near = difflib.get_close_matches(name.split(".")[0], stems, 1)
    if near:
        return "Did you mean {}?".format(near[0])
    return "Run holdfast in the directory that holds it."


def _directory(source: str) -> Trouble:
    inside = sorted(entry for entry in os.listdir(source) if entry.endswith(".py"))
    example = os.path.join(source, inside[0] if inside else "app.py")
    return Trouble(
        "is-a-directory",
        "{} is a directory.".format(source),
        "An application is module:attr or file.py[:attr].",
        "Name a file in it, for example {}.".format(example),
    )


def _not_python(source: str) -> Trouble:
    return Trouble(
        "not-python",
        "{} is not a Python file.".format(source),
        "An application is module:attr or file.py[:attr].",
        "Name the .py file that defines it.",
    )
