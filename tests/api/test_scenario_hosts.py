"""Which scenarios several hosts can share: those in which no step may look at the number of the pass."""

from __future__ import annotations

import pytest

from holdfast.api.scenario_file import read_scenario
from holdfast.journeys.sharing import shared_by_clients

SHOP = 'url = "http://127.0.0.1:8000"\nclients = 2\npasses = 1\n\n[[group]]\n'
STEP = '[[group.step]]\nrequest = "/"\n'
COUNTED = ["the counter id is one for all clients"]


@pytest.mark.parametrize(
    ("steps", "shares"),
    [
        (STEP + 'extract = { token = "json:$.token" }\n[[group.step]]\nrequest = "/{token}"\n', []),
        (STEP + 'extract = { paid = "json:$.paid" }\n' + STEP + "if = 'paid == 1'\n", []),
        ('[[group.step]]\nrequest = "/{id}"\n', COUNTED),
        (STEP + 'headers = { X = "{id}" }\n', COUNTED),
        (STEP + 'body = "{id}"\n', COUNTED),
        (STEP + "if = 'id == 0'\n", COUNTED),
        ('[[group.step]]\nwhile = \'"{id}" < 3\'\nstep = [{ request = "/" }]\n', COUNTED),
        (STEP + 'hook = "own.py:sign"\n', [*COUNTED, "your own function (--hook) may be about all clients"]),
    ],
)
def test_the_number_of_the_pass_keeps_clients_on_one_host_only_where_a_step_may_look_at_it(tmp_path, steps, shares):
    (tmp_path / "own.py").write_text("def sign(answer, values):\n    return {}\n")
    (tmp_path / "shop.toml").write_text(SHOP + steps)

    journeys = read_scenario(tmp_path / "shop.toml", {}, hooks=[str(tmp_path / "own.py")]).journeys

    found = list(shared_by_clients(journeys, several_hosts=True))
    assert found[:1] == shares[:1]
    assert len(found) == len(shares)
