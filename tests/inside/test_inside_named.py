"""The application that a command line names, for a server that is not known."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.inside.holdfast_inside import named

LOOK = "import sys; sys.path.insert(0, {!r}); from holdfast_inside import named; print(named.on_command_lines())"


def seen(directory, *arguments, before=()):
    inside = str(Path(named.__file__).parents[1])
    command = [*before, sys.executable, "-c", LOOK.format(inside), *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("argument", "found"),
    [
        ("shop.wsgi:app", "'shop.wsgi': ['app']"),
        ("shop:create()", "'shop': ['create']"),
        # As Envoy has it in its configuration, which is one argument.
        ('{"value": "{\\"app\\": \\"shop:app\\"}", "address": "127.0.0.1", "port": 80}', "'shop': ['app']"),
        ("--app=shop:app", "'shop': ['app']"),
    ],
)
def test_an_application_is_found_on_the_command_line(tmp_path, argument, found):
    assert found in seen(tmp_path, argument)


@pytest.mark.parametrize("argument", ["127.0.0.1:8000", "http://shop:app", "a/shop:app", "shop:8000"])
def test_an_address_or_a_path_is_not_taken_for_one(tmp_path, argument):
    assert "shop" not in seen(tmp_path, argument)


def test_a_worker_that_was_started_anew_is_told_on_its_masters_command_line(tmp_path):
    assert "'shop': ['app']" in seen(tmp_path, before=("sh", "-c", '"$@"; true', "shop:app"))


def test_what_is_no_application_is_left_alone():
    def asgi(scope, receive, send):
        return scope, receive, send

    def create():
        return asgi

    def view(name):
        return name

    namespace = {"asgi": asgi, "create": create, "view": view, "os": os, "text": "text"}

    for name in (*namespace, "missing"):
        named.replace(namespace, name, lambda application: ("wrapped", application))

    assert namespace["asgi"] == ("wrapped", asgi)
    assert namespace["create"]() == ("wrapped", asgi)
    assert (namespace["view"], namespace["os"], namespace["text"]) == (view, os, "text")
