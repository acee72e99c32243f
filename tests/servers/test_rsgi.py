"""RSGI applications are held at their entry, and refused where they are none."""

from __future__ import annotations

import sys

import pytest

from holdfast.errors import HoldfastError
from holdfast.infer.judge import judge
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.probing.experiment import run

APPLICATIONS = """
started = []

class Object:
    def __rsgi_init__(self, loop):
        started.append(loop)

    async def __rsgi__(self, scope, protocol):
        protocol.response_str(200 if started else 500, [], "object")

objekt = Object()

async def function(scope, protocol):
    protocol.response_empty(204, [])

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return []
"""


def probed(tmp_path, app=None, **options):
    if app:
        (tmp_path / "apps.py").write_text(APPLICATIONS)
    experiment = Experiment(
        ProbeTarget(
            "granian", app=app, arguments=("--interface", "rsgi", "--backpressure", "3"), python=sys.executable
        ),
        max_offered=20,
        cwd=str(tmp_path),
        **options,
    )
    return judge(run(experiment, Interrupts()))


@pytest.mark.conformance
@pytest.mark.parametrize("app", [None, "apps:objekt", "apps:function"])
def test_an_application_is_held_at_its_entry_as_many_times_as_the_server_calls_it_at_once(tmp_path, app):
    verdict = probed(tmp_path, app)

    assert verdict.target.held_in == "rsgi entry"
    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (3, True)
    assert verdict.model.kind == "event-loop"


def test_an_object_that_is_not_an_rsgi_application_is_refused(tmp_path):
    with pytest.raises(HoldfastError, match="is not an RSGI application"):
        probed(tmp_path, "apps:wsgi")
