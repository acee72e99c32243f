"""A plan's requests go to other servers than it names, or are left out, and both are told first."""

from __future__ import annotations

import pytest

from holdfast.errors import UsageError
from holdfast.model.answers import FunctionCall, Template, Variable
from holdfast.model.journey import Crew, Journeys, Loop, OneOf, Sequence, Stay
from holdfast.model.journey_request import Request
from holdfast.model.scenario import Group, Step
from holdfast.model.shapes import Burst
from holdfast.plans.elsewhere import Elsewhere, groups_elsewhere, journeys_elsewhere
from holdfast.plans.origins import mapped, origins

HERE, THERE = "http://127.0.0.1:8000", "http://127.0.0.1:8001"


def request(*origin: str | Variable | FunctionCall, label: str = "r") -> Request:
    return Request((label,), origin, ("/",))


SHOP = request("http", "://", "shop.example")
SECURE = request("https", "://", Variable("host"), ":", FunctionCall("__P", (("port",), ("443",))))
STATIC = request("HTTPS", "://", "Static.Example")
DYNAMIC = request("http", "://", Variable("found"), label="found")


def elsewhere(*nodes: Request, url: str | None = None, maps: tuple[str, ...] = (), port: str = "") -> Elsewhere:
    """The first two are in a loop, and one of the two is chosen."""
    inside = (Loop(("2",), (OneOf("by chance", nodes[:2], weights=(1.0, 2.0)),)), *nodes[2:])
    cookies = (("tongue", "nl", ".Shop.example", "/"), ("seat", "1", "other.example", "/"))
    crew = Crew("shop", Sequence(inside), (Stay(0),), (("host", "shop.example"),), cookies=cookies)
    properties = (("port", port),) if port else ()
    values: dict[str, Template] = {"host": ("elsewhere",)}
    return journeys_elsewhere(
        Journeys((crew,), properties=properties), values, origins(url, tuple(map(mapped, maps))), "plan.jmx"
    )


def origins_of(found: Elsewhere) -> list[str]:
    assert found.journeys is not None
    loop, *others = found.journeys.crews[0].journey.nodes
    assert isinstance(loop, Loop)
    (choice,) = loop.nodes
    assert isinstance(choice, OneOf)
    nodes = (*choice.nodes, *others)
    return ["".join(map(str, each.origin)) if isinstance(each, Request) else "left out" for each in nodes]


def test_a_url_takes_the_place_of_a_server_that_is_not_named() -> None:
    found = elsewhere(request("http://"), request("http://"), url=HERE)

    assert origins_of(found) == [HERE] * 2
    assert found.choice == f"plan.jmx: 2 requests to no named server are sent to {HERE}."


def test_a_cookie_for_a_domain_goes_where_the_requests_to_hosts_below_it_go() -> None:
    found = elsewhere(request("http://www.shop.example"), request("http://other.example"), url=HERE)

    assert found.journeys is not None
    assert [domain for _, _, domain, _ in found.journeys.crews[0].cookies] == ["127.0.0.1", "127.0.0.1"]


def test_a_url_replaces_the_servers_of_all_requests() -> None:
    found = elsewhere(SHOP, SECURE, STATIC, DYNAMIC, url=HERE)

    assert origins_of(found) == [HERE] * 4
    assert found.journeys is not None
    assert [domain for _, _, domain, _ in found.journeys.crews[0].cookies] == ["127.0.0.1", "other.example"]
    assert found.choice == (
        f"plan.jmx: 4 requests are sent to {HERE} instead of http://shop.example (1), https://shop.example (1), "
        "https://static.example (1), servers that only the running plan knows (1)."
    )


def test_what_is_not_mapped_is_left_out_and_stays_a_choice_of_its_own() -> None:
    found = elsewhere(SHOP, SECURE, STATIC, maps=(f"https://shop.example={HERE}", f"static.example={THERE}"))

    assert origins_of(found) == ["left out", HERE, THERE]
    assert found.left_out == ("http://shop.example",)
    assert found.choice.endswith("; 1 is left out, to http://shop.example.")


def test_a_url_goes_with_maps_for_the_other_servers() -> None:
    found = elsewhere(SHOP, SECURE, STATIC, url=HERE, maps=(f"static.example={THERE}",))

    assert origins_of(found) == [HERE, HERE, THERE]


def test_a_property_and_a_value_of_the_plan_say_which_server_it_is() -> None:
    found = elsewhere(SHOP, SECURE, port="8443", maps=(f"shop.example:8443={HERE}", "shop.example"))

    assert origins_of(found) == ["http://shop.example", HERE]


def test_a_server_that_is_not_known_beforehand_cannot_be_mapped() -> None:
    with pytest.raises(UsageError, match='the server of "found" is only known while the plan runs'):
        elsewhere(SHOP, DYNAMIC, maps=("shop.example",))
    with pytest.raises(UsageError, match=r"matches nothing in plan\.jmx"):
        elsewhere(SHOP, STATIC, maps=("shop.exampl",))


def test_groups_that_are_fixed_beforehand_go_elsewhere_too() -> None:
    groups = [Group(name, name, (Step("/", "/"),) * 2, Burst(1)) for name in ("http://a.example", "http://b.example")]
    found = groups_elsewhere(groups, origins(None, (mapped(f"a.example={HERE}"),)), "plan.jmx")

    assert [(each.name, each.url) for each in found.groups] == [(HERE, HERE)]
    assert found.choice == (
        f"plan.jmx: 2 requests to http://a.example are sent to {HERE}; 2 are left out, to http://b.example."
    )
