"""Frameworks on top of others, and of their own: each is held in the function that the person wrote.

The number follows from what calls that function:

- gunicorn's gthread worker: `--threads` (gunicorn/workers/gthread.py, init_process).
- a Channels consumer and a coroutine of Gradio run on the loop; Channels hands what is not its own to Django, which
  has a thread for each request (asgiref/sync.py, ThreadSensitiveContext).
- Gradio's page is a `def` view of FastAPI (gradio/routes.py, App.create_app, main): 40 threads of AnyIO
  (anyio/_backends/_asyncio.py, current_default_thread_limiter).
- connexion 3 calls Flask behind a2wsgi with its 10 threads (connexion/apps/flask.py; a2wsgi/wsgi.py).
- Flask-SocketIO's run() is gevent's pywsgi or Werkzeug; without either's patches or threads it is one at a time
  (flask_socketio/__init__.py, run).
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import pytest
from own_commands import Own, run_all, value

PYRAMID = """
from pyramid.config import Configurator
from pyramid.response import Response
from pyramid.view import view_config, view_defaults


@view_config(route_name="function")
def function(request):
    return Response("hello")


@view_defaults(renderer="json", route_name="thing")
class Things:
    def __init__(self, request):
        self.request = request

    @view_config()
    def listed(self):
        return {}


with Configurator() as config:
    config.add_route("function", "/")
    config.add_route("thing", "/thing")
    config.scan(__name__)
    app = config.make_wsgi_app()
"""
RESTFUL = """
from flask import Flask
from flask_restful import Api, Resource

app = Flask(__name__)


class Things(Resource):
    def get(self):
        return {}


Api(app).add_resource(Things, "/")
"""
SMOREST = """
import marshmallow
from flask import Flask
from flask.views import MethodView
from flask_smorest import Api, Blueprint

app = Flask(__name__)
app.config.update(API_TITLE="things", API_VERSION="1", OPENAPI_VERSION="3.0.2")
things = Blueprint("things", "things")


class Thing(marshmallow.Schema):
    name = marshmallow.fields.Str()


@things.route("/")
class Things(MethodView):
    @things.response(200, Thing)
    def get(self):
        return {"name": "hello"}


Api(app).register_blueprint(things)
"""
OF_DJANGO = """
from django.conf import settings

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="a", MORE)
import django

django.setup()
from django.urls import include, path, re_path
"""
WITHOUT_USERS = 'REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None}'
REST = (
    OF_DJANGO.replace("MORE", f'INSTALLED_APPS=["rest_framework"], {WITHOUT_USERS}')
    + """
from django.core.wsgi import get_wsgi_application
from rest_framework.decorators import api_view
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet


class Things(APIView):
    def get(self, request):
        return Response({})


@api_view(["GET"])
def thing(request):
    return Response({})


class Many(ViewSet):
    def list(self, request):
        return Response([])


router = DefaultRouter()
router.register("many", Many, basename="many")
urlpatterns = [path("", Things.as_view()), path("thing", thing), path("of/", include(router.urls))]
app = get_wsgi_application()
"""
)
CHANNELS = (
    OF_DJANGO.replace("MORE", 'INSTALLED_APPS=["channels"]')
    + """
from channels.generic.http import AsyncHttpConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.http import HttpResponse


class Things(AsyncHttpConsumer):
    async def handle(self, body):
        await self.send_response(200, b"hello")


def index(request):
    return HttpResponse("hello")


urlpatterns = [path("", index)]
http = URLRouter([path("things", Things.as_asgi()), re_path("", get_asgi_application())])
app = ProtocolTypeRouter({"http": http})
"""
)
SOCKETIO = """
from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
socketio = SocketIO(app, async_mode=MODE)


@app.get("/")
def index():
    return "hello"


if __name__ == "__main__":
    socketio.run(app, port={port}, allow_unsafe_werkzeug=True)
"""
DASH = """
from dash import Dash, html

dash = Dash(__name__)
dash.layout = html.Div("hello")
app = dash.server
"""
GRADIO = """
import gradio
from fastapi import FastAPI

with gradio.Blocks() as demo:
    gradio.Interface(str, "text", "text")
app = gradio.mount_gradio_app(FastAPI(), demo, path="/")
"""
CONNEXION = """
import connexion

app = connexion.FlaskApp(__name__, specification_dir=".")
app.add_api("openapi.yaml", validate_responses=True)
"""
OF_CONNEXION = {
    "app.py": CONNEXION,
    "things.py": "def listed():\n    return {}\n",
    "openapi.yaml": """
openapi: 3.0.0
info: {title: things, version: "1"}
paths:
  /:
    get:
      operationId: things.listed
      responses:
        "200": {description: things, content: {application/json: {schema: {type: object}}}}
""",
}


@dataclass(frozen=True, slots=True)
class Framework:
    """One application.

    Attributes:
        modules: without one of them it is skipped. Dash and Gradio bring too much to be installed for all tests.
    """

    modules: tuple[str, ...]
    own: Own


def gthread(module: str, files: dict[str, str], held_in: str, path: str = "/") -> Framework:
    command = ("gunicorn", "--threads", "3", "--bind", "127.0.0.1:{port}", "app:app")
    says = {"target.held_in": held_in, "ceiling.in_service": 3, "ceiling.bounded": True, "model.kind": "thread-pool"}
    return Framework((module,), Own(f"{module} {held_in}", command, files, says, options=("--path", path)))


def uvicorn(module: str, files: dict[str, str], held_in: str, path: str = "/", **says: object) -> Framework:
    fields = {name.replace("__", "."): wanted for name, wanted in says.items()}
    command = ("uvicorn", "--port", "{port}", "app:app")
    own = Own(f"{module} {held_in}", command, files, {"target.held_in": held_in, **fields}, options=("--path", path))
    return Framework((module,), own)


def script(id: str, modules: tuple[str, ...], app: str) -> Framework:
    says = {"target.held_in": "flask view index()", "ceiling.in_service": 1, "ceiling.bounded": True}
    return Framework(modules, Own(id, ("python", "app.py"), {"app.py": app}, says))


APPLICATIONS = (
    gthread("pyramid", {"app.py": PYRAMID}, "wsgi view function()"),
    gthread("pyramid", {"app.py": PYRAMID}, "wsgi view Things.listed()", "/thing"),
    gthread("flask_restful", {"app.py": RESTFUL}, "flask view Things.get()"),
    gthread("flask_smorest", {"app.py": SMOREST}, "flask view Things.get()"),
    gthread("rest_framework", {"app.py": REST}, "django view Things.get()"),
    gthread("rest_framework", {"app.py": REST}, "django view thing()", "/thing"),
    gthread("rest_framework", {"app.py": REST}, "django view Many.list()", "/of/many/"),
    gthread("dash", {"app.py": DASH}, "flask view Dash.serve_layout()", "/_dash-layout"),
    gthread("flask_socketio", {"app.py": SOCKETIO.replace("MODE", '"threading"')}, "flask view index()"),
    script("Flask-SocketIO on gevent", ("flask_socketio", "gevent"), SOCKETIO.replace("MODE", '"gevent"')),
    uvicorn(
        "channels",
        {"app.py": CHANNELS},
        "asgi async view Things.handle()",
        "/things",
        ceiling__in_service=50,
        ceiling__bounded=False,
        model__kind="event-loop",
    ),
    uvicorn(
        "channels",
        {"app.py": CHANNELS},
        "django view index()",
        ceiling__in_service=50,
        ceiling__bounded=False,
        model__kind="thread-per-request",
    ),
    uvicorn(
        "connexion",
        OF_CONNEXION,
        "flask view listed()",
        ceiling__in_service=10,
        ceiling__bounded=True,
        model__kind="event-loop+thread-pool",
    ),
    uvicorn(
        "gradio",
        {"app.py": GRADIO},
        "fastapi view main()",
        ceiling__in_service=40,
        ceiling__bounded=True,
        model__kind="event-loop+thread-pool",
    ),
)


def missing(framework: Framework) -> list[str]:
    return [each for each in framework.modules if importlib.util.find_spec(each) is None]


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, [each.own for each in APPLICATIONS if not missing(each)])


@pytest.mark.servers
@pytest.mark.parametrize("framework", APPLICATIONS, ids=lambda each: each.own.id)
def test_a_framework_is_held_in_the_view(done, framework):
    if lacking := missing(framework):
        pytest.skip(f"not installed: {', '.join(lacking)}")
    result = done[framework.own.id]

    assert result.ended.exit == framework.own.exit, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in framework.own.says} == dict(framework.own.says)
    assert not any("There is no view" in each for each in verdict["warnings"])
