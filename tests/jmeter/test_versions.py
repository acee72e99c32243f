"""What versions of JMeter do differently is as in the one that saved the plan."""

from __future__ import annotations

import pytest
from oracle import jmx_elements as e
from plans.writing import group, plan
from test_requests import requests_of

from holdfast.jmeter.reading import read_journeys
from holdfast.journeys.client import Client, Shared
from holdfast.journeys.sending import sending_of
from holdfast.model.journey import Journeys


def read(below: str, version: str) -> Journeys:
    content = plan(group(below)).replace(b'jmeter="5.6.3"', f'jmeter="{version}"'.encode())
    return read_journeys(content, "test.jmx", read_file={}.__getitem__, properties={"port": "8000"}).journeys


@pytest.mark.parametrize(("version", "name"), [("5.6.3", b'name="\xc3\xbc\\"\\\\"'), ("5.5", b'name="?\\"\\\\"')])
def test_a_part_of_a_form_is_named_as_by_the_version_which_saved_the_plan(version: str, name: bytes) -> None:
    """As by JMeter 5.5 (tests/oracle, names-of-parts-of-5.5); since 5.6 it has any characters (its change 6010)."""
    form = e.request("/r", e.arguments(e.argument("${n}", "1")), method="POST", DO_MULTIPART_POST="true")
    journeys = read(form, version)
    client = Client(journeys.crews[0], 0, Shared(journeys))
    client.variables["n"] = 'ü"\\'
    (request,) = requests_of(journeys.crews[0].journey)

    assert name in (sending_of(request, 0, client).body or b"")


@pytest.mark.parametrize(("version", "charset"), [("5.6.3", "utf-8"), ("5.5", "iso-8859-1"), ("", "iso-8859-1")])
def test_an_answer_without_a_charset_is_read_as_by_the_version_which_saved_the_plan(version: str, charset: str) -> None:
    journeys = read(e.request("/r", below=e.regex("a", "(.)")), version)

    assert [crew.charset for crew in journeys.crews] == [charset]
