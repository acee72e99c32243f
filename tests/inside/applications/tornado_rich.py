"""Every way to a handler that a Tornado application has, with counters of what really ran."""

from __future__ import annotations

import functools
import os
from collections import Counter

from tornado import gen, web

ran = Counter()


class Marked(web.RequestHandler):
    def prepare(self):
        ran["marking"] += 1
        self.set_header("X-Marked", "yes")
        if "X-Stranger" in self.request.headers:
            raise web.HTTPError(401)

    def on_finish(self):
        ran["on_finish"] += 1


def login_required(method):
    @functools.wraps(method)
    def checked(self, *args, **kwargs):
        ran["login_required"] += 1
        if self.request.headers.get("X-User") != "ann":
            raise web.HTTPError(403)
        return method(self, *args, **kwargs)

    return checked


class Plain(Marked):
    def get(self):
        ran["body"] += 1
        self.write("plain body\n")


class Decorated(Marked):
    @login_required
    def get(self, number, *, unit="pieces"):
        ran["body"] += 1
        self.write(f"{number} {unit}\n")


class Heir(Plain):
    def get(self):
        super().get()


class Later(Marked):
    @login_required
    async def get(self):
        ran["body"] += 1
        self.write("later\n")


class Generator(Marked):
    @login_required
    @gen.coroutine
    def get(self):
        ran["body"] += 1
        yield gen.sleep(0)
        self.write("generator\n")


class Posted(Marked):
    def post(self):
        self.write("posted\n")


class HoldAt(web.RequestHandler):
    def get(self):
        os.environ["HOLDFAST_PATH"] = self.get_argument("path")


class Report(web.RequestHandler):
    def get(self):
        self.write(dict(ran))


def make_app():
    return web.Application(
        [
            ("/plain", Plain),
            (r"/decorated/(\d+)", Decorated),
            ("/heir", Heir),
            ("/later", Later),
            ("/generator", Generator),
            ("/posted", Posted),
            ("/hold-at", HoldAt),
            ("/ran", Report),
        ]
    )
