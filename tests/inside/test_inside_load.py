"""Which applications can be named, and what users read if theirs cannot be served."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from inside_server import SERVER_PYTHON

from holdfast.observe.record_reader import RecorderSettings, Recording

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
    "double.py": "class app:\n    def __init__(self, scope): ...\n    async def __call__(self, receive, send): ...\n",
    "later.py": "def app(scope, receive, send):\n    return good(scope, receive, send)\n",
    "coroutine.py": "async def app(environ, start_response): ...\n",
    "either.py": "def app(*arguments): ...\n",
    "made.py": "import functools\ndef made(function):\n    @functools.wraps(function)\n"
    "    def application(environ, start_response): ...\n    return application\n@made\ndef app(request): ...\n",
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

    def run(spec, python=SERVER_PYTHON, framework="flask", options=("-c", "import holdfast_inside.target"), **more):
        with Recording.create(tmp_path / "record", 1) as recording:
            trouble = tmp_path / "trouble"
            own = RecorderSettings(
                record=recording.path,
                token="t",
                trouble=trouble,
                app=spec,
                framework=framework,
                pythonpath="/nowhere",
                **more,
            ).environment()
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
        ("main", "module-missing", ["no module main", "It is in directory. Run holdfast there"]),
        ("web", "module-missing", ["no module web", "Did you mean package.web?"]),
        ("nothing.py", "file-missing", ["nothing.py does not exist", "Run holdfast in the directory"]),
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
        ("number", "not-callable", ["number:app is not an application", "type is int"]),
        ("coroutine", "not-an-application", ["neither a WSGI nor an ASGI application"]),
        ("factory:create_app", "not-an-application", ["call it: factory:create_app()"]),
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
    assert "number:app is not an application" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("spec", "interface"),
    [
        ("good", "wsgi"),
        ("asgi", "asgi"),
        ("double", "asgi"),
        ("later", "asgi"),
        ("either", "wsgi"),
        ("either", "asgi"),
        ("made", "wsgi"),
        (None, "wsgi"),
    ],
)
def test_an_application_is_served_by_the_interface_that_it_speaks(tried, spec, interface):
    assert tried(spec, interface=interface)[0] == {}


@pytest.mark.parametrize(
    ("spec", "interface", "spoken", "asked"),
    [
        ("good", "asgi", "a WSGI", "ASGI"),
        ("asgi", "wsgi", "an ASGI", "WSGI"),
        ("double", "wsgi", "an ASGI", "WSGI"),
    ],
)
def test_an_application_for_the_other_interface_is_refused(tried, spec, interface, spoken, asked):
    trouble, ended = tried(spec, interface=interface)

    assert ended.returncode == 1
    assert trouble["kind"] == "wrong-interface"
    assert trouble["what"] == f"{spec}:app is {spoken} application, but this server speaks {asked}."
    assert f"Use {spoken} server" in trouble["remedy"]
    assert f"write {spoken.split()[1].lower()}:{spec}:app." in trouble["remedy"]


# What each framework is called where it is installed from.
BUILT_IN = {"fastapi": "fastapi", "flask": "flask", "litestar": "litestar", "quart": "quart", "starlette": "starlette"}


@pytest.mark.parametrize("framework", BUILT_IN)
def test_a_built_in_application_needs_its_framework_and_says_how_to_get_it(tried, framework, tmp_path, monkeypatch):
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n")
    # -S: without the packages of the environment.
    options = ("-S", "-c", "import holdfast_inside.target")
    trouble, ended = tried(None, framework=framework, options=options)

    assert ended.returncode == 1
    assert trouble["kind"] == "framework-missing"
    assert f"{tmp_path}/bin/python -m pip install {BUILT_IN[framework]}" in trouble["remedy"]


def test_an_environment_that_uv_made_is_told_uvs_command(tried, tmp_path, monkeypatch):
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    # PEP 405: what makes an environment writes this file, and uv its own name into it.
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.9.0\n")

    trouble, _ended = tried(None, options=("-S", "-c", "import holdfast_inside.target"))

    assert f"uv pip install --python {tmp_path}/bin/python {BUILT_IN['flask']}" in trouble["remedy"]


@pytest.mark.parametrize(
    ("framework", "view", "kind", "says"),
    [
        ("wsgi", "async", "view-impossible", "It has: sync."),
        ("asgi", "sync", "view-impossible", "It has: async, async-blocking."),
        ("zope", None, "framework-unknown", "fastapi, flask"),
    ],
)
def test_a_built_in_application_that_cannot_be_is_refused(tried, framework, view, kind, says):
    trouble, ended = tried(None, framework=framework, view=view)

    assert ended.returncode == 1
    assert trouble["kind"] == kind
    assert says in trouble["why"]


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
