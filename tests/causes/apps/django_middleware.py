"""A Django application whose middleware lets 3 requests of a process through at once."""

import threading

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

turn = threading.Semaphore(3)


class OneOfThree:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with turn:
            return self.get_response(request)


def index(_request):
    return HttpResponse("here")


urlpatterns = [path("", index)]
if not settings.configured:
    settings.configure(
        SECRET_KEY="of a test",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=[f"{__name__}.OneOfThree"],
    )
app = get_wsgi_application()
