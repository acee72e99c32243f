"""What a scenario file says, as journeys; and what is told, with line and column, of one that cannot be carried out."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from holdfast.api.scenario_file import read_scenario
from holdfast.api.scenario_shape import shared_out, stays_of
from holdfast.errors import UsageError
from holdfast.model.answers import FunctionCall, HookExtract, JsonExtract, Variable
from holdfast.model.journey import Count, Crew, Delay, If, Loop, Once, OneOf, Stay, TakeRow, While
from holdfast.model.journey_request import Multipart, Request, TextBody
from holdfast.model.shapes import Clients, Stages

SHOP = """\
url = "http://127.0.0.1:8000"
clients = 2
passes = 1

[[group]]
name = "shop"
"""
NS = 1_000_000_000


def crews(directory: Path, text: str, **replaced: str) -> tuple[Crew, ...]:
    file = directory / "shop.toml"
    file.write_text(text)
    return read_scenario(file, replaced, hooks=[str(directory / "own.py")]).journeys.crews


def nodes(directory: Path, steps: str) -> tuple[Any, ...]:
    """The nodes, behind the counter with which each pass begins where a step may look at it."""
    (crew,) = crews(directory, SHOP + steps)
    return tuple(node for node in crew.journey.nodes if not isinstance(node, Count))


def one(directory: Path, step: str) -> Request:
    (request,) = nodes(directory, f"[[group.step]]\n{step}\n")
    return request


def values_of(text: Any, **known: str) -> str:
    """A template with these values, escaped as nothing is."""

    def value(part: Any) -> str:
        return known[part.name] if isinstance(part, Variable) else f"<{part.name} {known[part.arguments[0][0].name]}>"

    return "".join(part if isinstance(part, str) else value(part) for part in text)


def test_a_request_has_method_path_headers_and_what_is_expected(tmp_path: Path) -> None:
    request = one(
        tmp_path,
        """
request = "PUT /ü/{id}?a=b c"
name = "change"
headers = { X-Number = "{id}", Accept = ["a", "b"] }
expect-status = [200, 204]
expect-body = "ok"
expect-match = ["o+", "k"]
follow = 3
body = "n={id}"
extract = { token = "json:$.access_token" }
""",
    )

    assert (request.label, request.method, request.origin) == (("change",), ("PUT",), ("http://127.0.0.1:8000",))
    assert values_of(request.path, id="7") == "/%C3%BC/<percent 7>?a=b%20c"
    assert [(values_of(name), values_of(value, id="7")) for name, value in request.headers] == [
        ("X-Number", "7"),
        ("Accept", "a"),
        ("Accept", "b"),
    ]
    assert (request.expected, request.follow) == (frozenset({200, 204}), 3)
    assert [(each.how, each.texts) for each in request.assertions] == [
        ("contains", (("ok",),)),
        ("finds", (("o+",),)),
        ("finds", (("k",),)),
    ]
    assert request.extracts == (JsonExtract("token", ("$.access_token",)),)
    assert request.body == TextBody(("n=", Variable("id", "{id}")))


@pytest.mark.parametrize(
    ("said", "text", "content_type"),
    [
        ('json = { user = "{id}", n = [1, true], none = "{{x}}" }', None, "application/json"),
        ('form = { "a b" = "c&d", user = ["{id}", 2] }', "a+b=c%26d&user=<form 7>&user=2", None),
    ],
)
def test_bodies_are_written_as_their_type_is(
    tmp_path: Path, said: str, text: str | None, content_type: str | None
) -> None:
    request = one(tmp_path, f'request = "/orders"\n{said}')

    assert isinstance(request.body, TextBody)
    found = values_of(request.body.text, id="7")
    assert found == (text or '{"user": "<json 7>", "n": [1, true], "none": "{x}"}')
    assert request.method == ("POST",)
    assert request.headers == ((("Content-Type",), (content_type or "application/x-www-form-urlencoded",)),)


def test_a_body_may_be_a_file_and_parts_may_be_files(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\xff\x00")
    (tmp_path / "a.json").write_text('{"n": {id}}')

    assert one(tmp_path, 'request = "/x"\nbody-file = "a.bin"').body == b"\xff\x00"
    text = one(tmp_path, 'request = "/x"\nbody-file = "a.json"').body
    assert isinstance(text, TextBody)
    assert values_of(text.text, id="7") == '{"n": 7}'
    parts = one(
        tmp_path,
        'request = "/x"\npart = [{ name = "why", content = "{id}" }, '
        '{ name = "photo", file = "a.bin", type = "image/png" }]',
    ).body
    assert isinstance(parts, Multipart)
    assert [(each.name, each.content, each.file_name, each.media_type) for each in parts.parts] == [
        (("why",), (Variable("id", "{id}"),), None, ()),
        (("photo",), b"\xff\x00", ("a.bin",), ("image/png",)),
    ]


def test_steps_repeat_choose_and_hold_others(tmp_path: Path) -> None:
    found = nodes(
        tmp_path,
        """
[[group.step]]
request = "/login"
once = true
think = "1s-3s"
extract = { state = { from = "regex:state=(\\\\w+)", default = "none" } }
[[group.step]]
repeat = 3
[[group.step.step]]
request = "/a"
[[group.step.step]]
choose = true
[[group.step.step.step]]
request = "/b"
weight = 3
[[group.step.step.step]]
request = "/c"
[[group.step]]
request = "/d"
if = 'state == "done"'
[[group.step]]
request = "/e"
while = '"{state}" == "busy"'
""",
    )

    login, loop, if_, while_ = found
    assert isinstance(login, Once)
    assert login.nodes[0] == Delay(("1000",), ("2000",), "uniform")
    assert isinstance(loop, Loop)
    assert loop.times == ("3",)
    a, choice = loop.nodes
    assert isinstance(a, Request)
    assert isinstance(choice, OneOf)
    assert (choice.how, choice.weights, len(choice.nodes)) == ("by chance", (3.0, 1.0), 2)
    assert isinstance(if_, If)
    assert if_.condition.text == ('state == "done"',)
    assert isinstance(while_, While)


def test_a_header_of_a_group_is_sent_once_its_value_is_there(tmp_path: Path) -> None:
    (crew,) = crews(
        tmp_path,
        SHOP
        + """
headers = { Authorization = "Bearer {token}", Accept = "*/*" }
[[group.step]]
request = "POST /login"
extract = { token = "json:$.token" }
[[group.step]]
request = "/a"
[[group.step]]
request = "/b"
headers = { authorization = "none" }
""",
    )

    login, first, second = crew.journey.nodes
    assert isinstance(login, Request)
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert [name for (name,), _ in login.headers] == ["Accept"]
    assert [(values_of(name), values_of(value, token="t")) for name, value in first.headers] == [
        ("Authorization", "Bearer t"),
        ("Accept", "*/*"),
    ]
    assert second.headers == ((("Accept",), ("*/*",)), (("authorization",), ("none",)))


def test_clients_are_shared_out_by_weight_and_values_and_rows_are_given(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user,password\nann,1\nbob,2\n")
    visitors, buyers, last = crews(
        tmp_path,
        """
clients = 10
for = "2s"
ramp-up = "1s"
cookies = true
rows = "users.csv"
[values]
base = "http://127.0.0.1:1"
kind = "clay"
[[group]]
name = "visitors"
weight = 3
url = "{base}"
[[group.step]]
request = "/{kind}/{user}"
[[group]]
name = "buyers"
on-failure = "next pass"
[group.values]
kind = "glass"
[[group.step]]
request = "{base}/x?{kind}"
[[group]]
stage = "after"
url = "http://127.0.0.1:2"
[[group.step]]
request = "/reset"
""",
        base="http://127.0.0.1:9",
    )

    assert [len(each.stays) for each in (visitors, buyers, last)] == [8, 2, 1]
    assert visitors.stays[1] == Stay(NS // 8, 2 * NS, None)
    assert last.stays == (Stay(0, None, 1),)
    assert (visitors.keeps_cookies, buyers.on_failure, last.stage) == (True, "next pass", "after")
    rows = visitors.journey.nodes[0]
    assert isinstance(rows, TakeRow)
    assert (rows.names, rows.rows, rows.shared_by) == (("user", "password"), (("ann", "1"), ("bob", "2")), "load")
    request = visitors.journey.nodes[1]
    assert isinstance(request, Request)
    assert request.origin == ("http://127.0.0.1:9",)
    bought = buyers.journey.nodes[1]
    assert isinstance(bought, Request)
    assert (bought.origin, values_of(bought.path, kind="glass")) == (("http://127.0.0.1:9",), "/x?<percent glass>")
    assert dict(buyers.values)["kind"] == "glass"


def test_parts_of_a_shape_add_up_to_it() -> None:
    generator = random.Random(7)
    for _ in range(200):
        clients = generator.randint(10, 500)
        weights = [generator.uniform(1, 9) for _ in range(generator.randint(1, 5))]
        parts = shared_out(Clients(clients, requests=3 * clients), weights)

        assert sum(each.clients or 0 for each in parts) == clients
        assert sum(each.passes or 0 for each in parts) == 3 * clients
        assert sum(len(stays_of(each, 0)) for each in parts) == clients
        assert sum(stay.passes or 0 for each in parts for stay in stays_of(each, 0)) == 3 * clients
    halves = shared_out(Stages(((100.0, 2.0),)), [1, 1])
    assert [len(stays_of(each, 0)) for each in halves] == [100, 100]


def test_thresholds_are_of_the_load_or_of_a_label(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(
        'thresholds = "errors<1%"\nstop = "errors>50%"\n'
        + SHOP
        + '[[group.step]]\nrequest = "/a"\nthresholds = ["p99<1s", "max<2s"]\n'
    )
    read = read_scenario(file, {})

    of_label = ["label('GET /a').p99<1s", "label('GET /a').max<2s"]
    assert [each.text for each in read.thresholds] == ["errors<1%", *of_label]
    assert read.stop.error_share == 0.5


def test_what_a_hook_sets_is_not_known_beforehand(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def sign(answer, values): return {}\n")
    first, second = nodes(
        tmp_path,
        'headers = { X-Sign = "{sign}" }\n[[group.step]]\nrequest = "/a"\nhook = "own.py:sign"\n'
        '[[group.step]]\nrequest = "/{anything}"\n',
    )

    assert first.extracts == (HookExtract(str(tmp_path / "own.py"), "sign"),)
    assert (first.headers, [name for (name,), _ in second.headers]) == ((), ["X-Sign"])
    assert second.path[1] == FunctionCall("percent", ((Variable("anything", "{anything}"),),), "{anything}")


STEP = '[[group.step]]\nrequest = "/"\n'


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("a = \n", "", "at line 1, column 5"),
        ("clients = 1\n", "", "has no groups"),
        (SHOP + 'nmae = "x"\n' + STEP, "line 7, column 1", "there is no 'nmae' in a group. Did you mean name?"),
        (SHOP, "line 5, column 1", "It has no steps"),
        (SHOP + "[[group.step]]\n", "line 7, column 1", "either a request or holds steps"),
        (SHOP + '[[group.step]]\nreqest = "/"\n', "line 8, column 1", "no 'reqest' in a step. Did you mean request?"),
        (SHOP + STEP + 'method = "GET"\n', "line 9, column 1", "there is no 'method' in a step"),
        (SHOP + STEP + "follow = true\n", "line 9, column 1", "whole number from 0 to 50"),
        (SHOP + STEP + "follow = 99\n", "line 9, column 1", "whole number from 0 to 50"),
        (SHOP + STEP + 'think = "soon"\n', "line 9, column 1", "'soon' is not a duration"),
        (SHOP + STEP + 'thresholds = ["p99<1s", "p98<1s"]\n', "line 9, column 1", "there is no 'p98'"),
        (SHOP + STEP + 'thresholds = "rate>1/s"\n', "line 9, column 1", "a rate is of the whole load"),
        (SHOP + STEP + "expect-status = [200, 20]\n", "line 9, column 1", "status from 100 to 599"),
        (SHOP + STEP + 'body = "a"\njson = {}\n', "line 10, column 1", "each the whole body"),
        (SHOP + STEP + 'extract = { a = "jsn:$.a" }\n', "line 9, column 13", "Did you mean json:?"),
        (SHOP + STEP + 'extract = { a = "json:a" }\n', "line 9, column 13", "not a JSON path"),
        (SHOP + STEP + "extract = { a = 'json:$.a[' }\n", "line 9, column 13", "cannot be read"),
        (SHOP + STEP + "extract = { a = 'css:[[' }\n", "line 9, column 13", "cannot be read as css"),
        (SHOP + STEP + "extract = { a = 'xpath://a[' }\n", "line 9, column 13", "cannot be read as xpath"),
        (SHOP + STEP + 'headers = { "a b" = "x" }\n', "line 9, column 13", "not the name of a header field"),
        (SHOP + STEP + 'headers = { A = "x\\ny" }\n', "line 9, column 13", "holds a line break"),
        (SHOP + STEP + "extract = { a = 'regex:(' }\n", "line 9, column 13", "not a regular expression"),
        (SHOP + STEP + 'headers = { Content-Length = "1" }\n', "line 9, column 13", "follows from the body"),
        (SHOP + STEP + 'hook = "own.py:sign"\n', "line 9, column 1", "own.py is not a file in"),
        (SHOP + STEP + 'hook = "own"\n', "line 9, column 1", "does not name a function in a file"),
        (SHOP + STEP + '[[group.step]]\nrequest = "b"\n', "line 10, column 1", "it begins with a slash"),
        (SHOP + STEP + "weight = 2\n", "line 9, column 1", "weights are of steps to choose from"),
        (SHOP + STEP + "json = nan\n", "line 9, column 1", "JSON has no number nan or inf"),
        (SHOP + STEP + 'body = """\n# "a" \\"""\n', "line 9, column 8", "does not end"),
        ("a = 'x'  # it's\nb = \"\"\nc = '''\n''\n", "line 3, column 5", "does not end"),
        ("a = " + "[" * 100_000, "", "nested too deeply"),
        (SHOP + '[[group.step]]\nrequest = "/{token}"\n', "line 8, column 1", "nothing before this step sets it"),
        (
            SHOP + '[[group.step]]\nrequest = "/{token}"\nextract = { token = "json:$.t" }\n',
            "line 8, column 1",
            'the step "/{token}" sets it, which comes after',
        ),
        (
            SHOP + STEP + 'extract = { token = "json:$.t" }\n[[group.step]]\nrequest = "/{tokn}"\n',
            "line 11",
            "{token}?",
        ),
        (SHOP + STEP + 'body-file = "missing.json"\n', "line 9, column 1", "does not exist"),
        ('rows = "missing.csv"\n' + SHOP + STEP, "line 1, column 1", "does not exist"),
        ("poisson = true\n" + SHOP + STEP, "line 4, column 1", "poisson goes with rate or stages"),
        ("requests = 1\n" + SHOP + STEP, "line 4, column 1", "exclude each other"),
        (SHOP + "weight = 2\nclients = 1\npasses = 1\n" + STEP, "line 7, column 1", "a load shape of its own"),
        ('clients = 1\nfor = "1s"\n' + f"[[group]]\n{STEP}[[group]]\n{STEP}", "line 1", "too little for 2 groups"),
        (f"[[group]]\n{STEP}", "line 1, column 1", "no load shape"),
        (f'for = "1s"\n[[group]]\nrate = "5/s"\n{STEP}', "line 1, column 1", "in the same table"),
        (f"clients = 1\npasses = 1\n[[group]]\n{STEP}", "line 5, column 1", "to which server"),
        (SHOP + STEP + f'[[group]]\nname = "shop"\nclients = 1\npasses = 1\n{STEP}', "line 10, column 1", "Two groups"),
        (SHOP + 'url = "http://127.0.0.1/a"\n' + STEP, "line 7, column 1", "has a path"),
        (SHOP + 'on-failure = "ignore"\n' + STEP, "line 7, column 1", "not one of continue"),
        (SHOP + STEP + "if = 'state = 1'\n", "line 9, column 1", "'=' is not understood at character 7"),
        (SHOP + STEP + "if = 'state == \"id\"'\n", "line 9, column 1", "{state} has no value there"),
        (SHOP + STEP + "if = 'id == 1'\nwhile = 'id == 2'\n", "line 10, column 1", "exclude each other"),
        (SHOP + STEP + "while = '1 == 1'\n", "line 9, column 1", "holds whatever happens, and nothing ends the load"),
        ("[values]\nx = true\n", "line 2, column 1", "a text or a number"),
    ],
)
def test_what_cannot_be_carried_out_is_told_with_its_place(tmp_path: Path, text: str, where: str, says: str) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_scenario(file, {})

    words = f"{caught.value.what} {caught.value.why} {caught.value.remedy}"
    assert where in words
    assert says in words.replace("Known are: " + words.partition("Known are: ")[2].partition(". ")[0] + ". ", ""), words


def test_a_value_that_the_file_lacks_cannot_be_replaced(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no value 'bse'") as caught:
        crews(tmp_path, '[values]\nbase = "x"\n', bse="y")
    assert caught.value.remedy == "Did you mean base?"


@pytest.mark.parametrize(
    ("condition", "end"),
    [("1 == 1", 'for = "1s"'), ("1 == 2", "passes = 1"), ("id < 3", "passes = 1"), ("'{id}' != 'x'", "passes = 1")],
)
def test_a_while_that_holds_whatever_happens_needs_an_end_of_the_load_and_others_do_not(tmp_path, condition, end):
    (tmp_path / "a.toml").write_text(SHOP.replace("passes = 1", end) + STEP + f'while = "{condition}"\n')

    (crew,) = read_scenario(tmp_path / "a.toml", {}).journeys.crews

    assert isinstance(crew.journey.nodes[-1], While)
