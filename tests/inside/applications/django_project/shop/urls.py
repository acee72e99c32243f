import functools

from django.http import HttpResponse
from django.urls import include, path

from shop import views

urlpatterns = [
    path("plain", views.plain),
    path("decorated/<int:number>", views.decorated),
    path("stubborn", views.persistent),
    path("closure", views.make_closure("hello")),
    path("closure/<name>", views.make_closure("good day")),
    path("items", views.Items.as_view(owner="ann")),
    path("heir", views.Heir.as_view()),
    path("bound", views.Registry().listing),
    path("callable", views.Registry()),
    path("partial", functools.partial(views.decorated, number=3, unit="kilos")),
    path("builtin", HttpResponse),
    path("inner/", include([path("basket/", views.plain)])),
    path("async", views.asynchronous),
    path("async-items", views.Later.as_view()),
    path("posted", views.Posted.as_view()),
    path("cached", views.cached),
    path("hold-at", views.hold_at),
    path("ran", views.report),
]
