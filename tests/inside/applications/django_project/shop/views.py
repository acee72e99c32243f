"""Every way to a view that a Django project has, with counters of what really ran."""

import functools
import os

from django.http import HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_page

from shop.middleware import ran


def login_required(view):
    @functools.wraps(view)
    def checked(request, *args, **kwargs):
        ran["login_required"] += 1
        if request.headers.get("X-User") != "ann":
            return HttpResponse("log in first\n", status=403)
        return view(request, *args, **kwargs)

    return checked


def stubborn(view):
    """Repeats a view that raises, whatever it raises."""

    @functools.wraps(view)
    def repeated(request):
        while True:
            try:
                return view(request)
            except BaseException:  # noqa: BLE001 - the fault that is shown
                ran["stubborn"] += 1

    return repeated


def waited(view):
    @functools.wraps(view)
    async def awaiting(*args, **kwargs):
        ran["waited"] += 1
        return await view(*args, **kwargs)

    return awaiting


def plain(request):
    ran["body"] += 1
    return HttpResponse("plain body\n")


@login_required
def decorated(request, number, *, unit="pieces"):
    ran["body"] += 1
    return HttpResponse(f"{number} {unit}\n")


@stubborn
def persistent(request):
    ran["body"] += 1
    return HttpResponse("persistent body\n")


def make_closure(greeting):
    calls = 0

    def closure(request, name="world"):
        nonlocal calls
        calls += 1
        ran["body"] += 1
        return HttpResponse(f"{greeting}, {name}\n")

    return closure


@method_decorator(login_required, name="dispatch")
class Items(View):
    owner = "nobody"

    def get(self, _request):
        ran["body"] += 1
        return HttpResponse(f"items of {self.owner}\n")


class Shelf(View):
    def text(self):
        return "shelf"

    @method_decorator(login_required)
    def get(self, _request):
        ran["body"] += 1
        return HttpResponse(self.text() + "\n")


class Heir(Shelf):
    def text(self):
        return "heir of " + super().text()


class Registry:
    def listing(self, _request):
        ran["body"] += 1
        return HttpResponse("listing\n")

    def __call__(self, _request):
        ran["body"] += 1
        return HttpResponse("called\n")


@waited
async def asynchronous(request):
    ran["body"] += 1
    return HttpResponse("async body\n")


class Later(View):
    async def get(self, _request):
        ran["body"] += 1
        return HttpResponse("later\n")


class Posted(View):
    def post(self, _request):
        return HttpResponse("posted\n")


@cache_page(60)
def cached(request):
    ran["body"] += 1
    return HttpResponse("cached body\n")


def hold_at(request):
    os.environ["HOLDFAST_PATH"] = request.GET["path"]
    return HttpResponse("from now on\n")


def report(request):
    return JsonResponse(ran)
