"""What a person reads whose application cannot be served, and what can be named."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from inside_server import SERVER_PYTHON

from holdfast.observe.recorded import Recording, inside_environment

FILES = {
    "good.py": "def app(environ, start_response): ...\n",
    "late.py": "def application(environ, start_response): ...\n",
    "deep.py": "class site:\n    class wsgi:\n        app = staticmethod(lambda environ, start_response: [])\n",
    "factory.py": "def create_app(name='x', *, debug=False):\n"
    "    assert name != 'bad', 'a bad name'\n"
    "    return lambda environ, start_response: [name, debug]\n",
    "empty.py": "import os\nVERSION = 3\n",
    "number.py": "app = 3\n",
    "asgi.py": "async def app(scope, receive, send): ...\n",
    "lacking.py": "import a_module_that_nobody_has\n",
    "broken.py": "def app(:\n",
    "quits.py": "import sys\nsys.exit('no configuration')\n",
    "my-app.py": "def app(environ, start_response): ...\n",
    "shadow/json.py": "def app(environ, start_response): ...\n",
    "sibling.py": "import good\napp = good.app\n",
    "package/__init__.py": "",
    "package/web.py": "from . import views\napp = views.app\n",
    "package/views.py": "def app(environ, start_response): ...\n",
    "directory/main.py": "from beside import app\n",
    "directory/beside.py": "def app(environ, start_response): ...\n",
    "app.txt": "",
}


@pytest.fixture
def tried(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def run(spec, python=SERVER_PYTHON, view=None, options=("-c", "import holdfast_inside.target")):
        with Recording.create(tmp_path / "record", 1) as recording:
            trouble = tmp_path / "trouble"
            own = inside_environment(
                record=recording.path, token="t", trouble=trouble, app=spec, view=view, pythonpath="/nowhere"
            )
            ended = subprocess.run(
                [python, *options],
                env={**os.environ, **own},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            (tmp_path / "record").unlink()
        return json.loads(trouble.read_text()) if trouble.exists() else {}, ended

    return run


def test_an_application_is_found_however_it_is_named(tried):
    for spec in (
        "good",
        "good:app",
        "good.py",
        "./good.py:app",
        "late",
        "deep:site.wsgi.app",
        "factory:create_app()",
        "factory.py:create_app('a:b', debug=True)",
        "my-app.py",
        "shadow/json.py",
        "sibling",
        "package.web",
        "package/web.py",
        "directory/main.py",
    ):
        assert tried(spec)[0] == {}, spec


@pytest.mark.parametrize(
    ("spec", "kind", "says"),
    [
        ("goood", "module-missing", ["no module goood", "Did you mean good.py?"]),
        ("package.nothing", "module-missing", ["no module package.nothing"]),
        ("nothing.py", "file-missing", ["no file nothing.py", "Run holdfast in the directory"]),
        ("goo.py", "file-missing", ["Did you mean good.py?"]),
        ("directory", "is-a-directory", ["directory is a directory", "directory/main.py"]),
        ("directory/", "is-a-directory", ["such as"]),
        ("app.txt", "not-python", ["app.txt is not a Python file"]),
        ("./app.txt", "not-python", ["Name the .py file"]),
        ("good:ap", "attribute-missing", ["good has no attribute ap", "Did you mean good:app?"]),
        ("factory", "attribute-missing", ["neither app nor application", "Did you mean factory:create_app()?"]),
        ("empty", "attribute-missing", ["Nothing in it looks like an application"]),
        ("good:app.inner", "attribute-missing", ["good has no attribute inner"]),
        ("good:app[0]", "attribute-unreadable", ["good:create_app('test')"]),
        ("good:app(", "attribute-unreadable", ["must be a name"]),
        ("factory:create_app(open)", "attribute-unreadable", ["literal arguments"]),
        ("number", "not-callable", ["number:app is no application", "of type int"]),
        ("asgi", "not-wsgi", ["asgi:app is no WSGI application", "ASGI"]),
        ("factory:create_app", "not-wsgi", ["call it: factory:create_app()"]),
        ("lacking", "import-failed", ["lacking cannot be loaded", "Install a_module_that_nobody_has in"]),
        ("broken.py", "import-failed", ["SyntaxError"]),
        ("quits.py", "import-failed", ["SystemExit: no configuration"]),
        ("factory:create_app('bad')", "import-failed", ["AssertionError: a bad name"]),
        ("number:app()", "not-callable", ["number:app cannot be called", "int"]),
    ],
)
def test_an_application_that_cannot_be_served_is_named_with_cause_and_remedy(tried, spec, kind, says):
    trouble, ended = tried(spec)

    told = "\n".join([trouble["what"], trouble["why"], trouble["remedy"]])
    assert ended.returncode == 1
    assert trouble["kind"] == kind
    assert all(trouble.values())
    for words in says:
        assert words in told
        assert words in ended.stderr


def test_the_development_server_ends_with_the_same_words_and_no_traceback(tried):
    _, ended = tried("number", options=("-m", "holdfast_inside.flask_server"))

    assert ended.returncode == 1
    assert "number:app is no application" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_built_in_application_needs_flask_and_says_so(tried, tmp_path):
    # -S: without the packages of the environment.
    trouble, ended = tried(None, options=("-S", "-c", "import holdfast_inside.target"))

    assert ended.returncode == 1
    assert trouble["kind"] == "framework-missing"
    assert "Install flask" in trouble["remedy"]


def test_async_views_without_asgiref_are_refused_before_the_first_request(tried, tmp_path):
    hide = (
        "import sys, importlib.util\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'asgiref' else found(name, *more)\n"
        "import holdfast_inside.target"
    )
    trouble, ended = tried(None, view="async", options=("-c", hide))

    assert ended.returncode == 1
    assert trouble["kind"] == "async-missing"
    assert "flask[async]" in trouble["remedy"]
