"""Views of the REST framework: a class, a function and a set."""

import os

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["rest_framework"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "UNAUTHENTICATED_USER": None,
        "EXCEPTION_HANDLER": "django_rest.swallowing",
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 - needs the settings
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework.viewsets import ViewSet  # noqa: E402


def swallowing(error, context):
    """Answers whatever goes wrong, as many projects do."""
    return Response({"error": repr(error)}, status=500)


class Items(APIView):
    def get(self, _request):
        return Response({"ran": "class"})


@api_view(["GET"])
def listing(request):
    return Response({"ran": "function"})


class Shelf(ViewSet):
    def list(self, _request):
        return Response({"ran": "set"})


def hold_at(request):
    os.environ["HOLDFAST_PATH"] = request.GET["path"]
    return HttpResponse("from now on\n")


urlpatterns = [
    path("hold-at", hold_at),
    path("class", Items.as_view()),
    path("function", listing),
    path("set", Shelf.as_view({"get": "list"})),
]
application = get_wsgi_application()
