"""Middleware of every kind, with counters of what really ran."""

from collections import Counter
from inspect import iscoroutinefunction

from django.http import HttpResponse
from django.utils.decorators import sync_and_async_middleware, sync_only_middleware

ran = Counter()


@sync_and_async_middleware
def marking(get_response):
    def marked(response):
        ran["marking"] += 1
        response["X-Marked"] = "yes"
        return response

    async def mark_async(request):
        return marked(await get_response(request))

    def mark(request):
        return marked(get_response(request))

    return mark_async if iscoroutinefunction(get_response) else mark


@sync_only_middleware
def blocking(get_response):
    def block(request):
        ran["blocking"] += 1
        return get_response(request)

    return block


class Inviting:
    async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            # As Django's documentation has it for middleware of both kinds.
            from asgiref.sync import markcoroutinefunction

            markcoroutinefunction(self)

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, _view, _args, _kwargs):
        ran["process_view"] += 1
        return HttpResponse(status=401) if "X-Stranger" in request.headers else None

    def process_exception(self, _request, _exception):
        ran["process_exception"] += 1
