"""Applications whose middleware takes something before the view and gives it back only when it hears of a reply.

Nothing gives it back where what a view raises is not an Exception: Falcon calls process_response() only then
(falcon/app.py and falcon/asgi/app.py, __call__), Microdot and Litestar call `after_request` for a reply only
(microdot/microdot.py, dispatch_request(); litestar/routes and litestar/handlers, after_request), Pyramid tells
NewResponse only of a reply (pyramid/router.py, invoke_request()), Django REST framework calls finalize_response() for
a reply or an Exception (rest_framework/views.py, dispatch()).
"""

FALCON = """
import threading
import falcon

class Connections:
    def __init__(self):
        self.free = threading.Semaphore(3)

    def process_request(self, request, response):
        self.free.acquire()

    def process_response(self, request, response, resource, succeeded):
        self.free.release()

class Orders:
    def on_get(self, request, response):
        response.text = "orders"

app = falcon.App(middleware=[Connections()])
app.add_route("/", Orders())
"""

FALCON_ASYNC = """
import asyncio
import falcon.asgi

class Connections:
    def __init__(self):
        self.free = asyncio.Semaphore(20)

    async def process_request(self, request, response):
        await self.free.acquire()

    async def process_response(self, request, response, resource, succeeded):
        self.free.release()

class Orders:
    async def on_get(self, request, response):
        response.text = "orders"

app = falcon.asgi.App(middleware=[Connections()])
app.add_route("/", Orders())
"""

MICRODOT = """
import asyncio
from microdot.asgi import Microdot

app = Microdot()
free = asyncio.Semaphore(4)

@app.before_request
async def take(request):
    await free.acquire()

@app.after_request
async def give_back(request, response):
    free.release()
    return response

@app.get("/")
async def orders(request):
    return "orders"
"""

LITESTAR = """
import asyncio
from litestar import Litestar, Request, Response, get

free = asyncio.Semaphore(4)

async def take(request: Request) -> None:
    await free.acquire()

async def give_back(response: Response) -> Response:
    free.release()
    return response

@get("/")
async def orders() -> dict[str, int]:
    return {"orders": 0}

app = Litestar([orders], before_request=take, after_request=give_back)
"""

PYRAMID = """
import threading
from pyramid.config import Configurator
from pyramid.events import NewRequest, NewResponse
from pyramid.response import Response

free = threading.Semaphore(3)

def take(event):
    free.acquire()

def give_back(event):
    free.release()

def orders(request):
    return Response("orders")

with Configurator() as config:
    config.add_subscriber(take, NewRequest)
    config.add_subscriber(give_back, NewResponse)
    config.add_route("orders", "/")
    config.add_view(orders, route_name="orders")
    app = config.make_wsgi_app()
"""

# As CherryPy does it (cherrypy/_cptree.py, release_serving()): what ends is the request that the thread began last.
SERVING = """
import threading

current = threading.local()


class App:
    def __init__(self, page, began, ended):
        self.page, self.began, self.ended = page, began, ended

    def __call__(self, environ, start_response):
        current.request = environ
        self.began()
        body = self.page().encode() if environ["PATH_INFO"] == "/" else b"missing"
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Reply(self, body)


class Reply:
    def __init__(self, app, body):
        self.app, self.body = app, body

    def __iter__(self):
        return iter([self.body])

    def close(self):
        if current.__dict__.pop("request", None) is not None:
            self.app.ended()
"""
SERVED = """
import threading
from serving import App

free = threading.Semaphore(2)


def take():
    free.acquire()


def give_back():
    free.release()


def index():
    return "hello"


app = App(index, take, give_back)
"""

# Its process_view() calls the view itself, as one that looks into a cache or holds a lock does.
DJANGO = """
import threading
from django.conf import settings

settings.configure(SECRET_KEY="k", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[__name__ + ".Limiting"])

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

free = threading.Semaphore(3)

class Limiting:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        with free:
            return view(request, *args, **kwargs)

def orders(request):
    return HttpResponse("orders")

urlpatterns = [path("", orders)]
app = get_wsgi_application()
"""

REST = """
import threading
from django.conf import settings

settings.configure(
    SECRET_KEY="k",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None},
)

from django.core.wsgi import get_wsgi_application
from django.urls import path

app = get_wsgi_application()

from rest_framework.response import Response
from rest_framework.views import APIView

free = threading.Semaphore(3)

class Orders(APIView):
    def initial(self, *args, **kwargs):
        free.acquire()
        super().initial(*args, **kwargs)

    def finalize_response(self, *args, **kwargs):
        free.release()
        return super().finalize_response(*args, **kwargs)

    def get(self, request):
        return Response({"orders": []})

urlpatterns = [path("", Orders.as_view())]
"""

# Bottle asks a plug-in for a wrapper when the route is called first (bottle.py, Route._make_callback).
BOTTLE = """
import threading
import bottle

app = bottle.Bottle()
free = threading.Semaphore(3)

class Limiting:
    name, api = "limiting", 2

    def apply(self, callback, route):
        def limited(*args, **kwargs):
            with free:
                return callback(*args, **kwargs)
        return limited

app.install(Limiting())

@app.get("/")
def orders():
    return "orders"
"""
