"""Sessions with memory, from the command line and from scenario files, against a server that says what it got."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from travelling import Reply, answering

ANSWERED, FAILED, USAGE, INCONCLUSIVE = 0, 1, 2, 3


class Shop:
    """A shop in which a form has a slip, and a basket wants the badge that the form gave."""

    def __init__(self) -> None:
        self.badges = 0

    def __call__(self, method: str, path: str, fields: dict[str, str], body: bytes) -> Reply:
        if path == "/desk":
            return 200, {"X-Turn": "101"}, b'<input name="slip" value="s 1/&">'
        if path == "/enter":
            if body != b"slip=s+1%2F%26":
                return 403, {}, b"no slip"
            self.badges += 1
            return 200, {}, json.dumps({"badge": f"b{self.badges}", "trays": [7, 9]}).encode()
        if path.startswith("/basket"):
            held = re.fullmatch(r"Bearer b\d+", fields.get("authorization", ""))
            return (200 if held else 401), {}, b"basket"
        return 200, {}, f"{method} {path}".encode()


LOG_IN = (
    *("--first", "/desk", "--first", "POST /enter slip={slip}"),
    *("--extract", 'slip=regex:value="([^"]+)"', "--extract", "badge=json:$.badge"),
    *("-H", "Authorization: Bearer {badge}"),
)


def ok(_method: str, _path: str, _fields: dict[str, str], _body: bytes) -> Reply:
    return 200, {}, b""


def loaded(holdfast: Any, *arguments: str | Path) -> tuple[Any, Any]:
    ended = holdfast.run("load", *arguments, "--json", "-")
    return ended, json.loads(ended.out) if ended.out else None


def test_each_client_logs_in_once_and_uses_what_it_got(holdfast):
    with answering(Shop()) as (url, seen):
        ended, result = loaded(holdfast, f"{url}/basket", "--clients", "3", "--requests", "10", *LOG_IN)

    assert ended.exit == ANSWERED, ended.err
    assert result["outcomes"]["answered"] == 16
    assert Counter(seen.paths) == {"/desk": 3, "/enter": 3, "/basket": 10}
    asked = Counter(fields.get("authorization") for _, path, fields, _ in seen.requests if path == "/basket")
    assert asked.keys() == {"Bearer b1", "Bearer b2", "Bearer b3"}
    assert sorted(asked.values()) == [3, 3, 4]
    assert {fields.get("authorization") for _, path, fields, _ in seen.requests if path != "/basket"} == {None}
    (form,) = {fields["content-type"] for _, path, fields, _ in seen.requests if path == "/enter"}
    assert form == "application/x-www-form-urlencoded"
    assert [each["label"] for each in result["steps"]] == ["GET /desk", "POST /enter", "GET /basket"]


def test_a_pass_has_several_requests_with_values_of_the_answers_before(holdfast):
    then = ("--then", "/{turn}/{id}")
    with answering(Shop()) as (url, seen):
        ended, _ = loaded(
            holdfast,
            f"{url}/desk",
            *then,
            "--then",
            'POST /x {"n": {turn}}',
            "--extract",
            "turn=header:X-Turn",
            "--burst",
            "4",
        )

    assert ended.exit == ANSWERED, ended.err
    assert Counter(seen.paths) == {"/desk": 4, "/x": 4, **{f"/101/{number}": 1 for number in range(4)}}
    assert {(fields["content-type"], body) for _, path, fields, body in seen.requests if path == "/x"} == {
        ("application/json", b'{"n": 101}')
    }


def test_a_client_whose_first_request_fails_leaves(holdfast):
    with answering(lambda _method, path, _fields, _body: (403 if path == "/login" else 200, {}, b"")) as (url, seen):
        ended, result = loaded(holdfast, url, "--clients", "3", "--for", "5s", "--first", "POST /login a=b")

    assert ended.exit == FAILED
    assert result["outcomes"]["rejected"] == 3
    assert set(seen.paths) == {"/login"}


def test_a_value_that_is_not_found_fails_the_request_and_is_told(holdfast):
    with answering(Shop()) as (url, seen):
        ended, result = loaded(
            holdfast, f"{url}/a", "--then", "/{no}", "--extract", "no=json:$.no", "--clients", "1", "--requests", "1"
        )

    assert ended.exit == FAILED
    assert (result["outcomes"]["wrong-body"], result["outcomes"]["unsent"]) == (1, 1)
    assert "1 wrong-body, GET /a: no was not found." in result["warnings"]
    assert "1 unsent, GET /{no}: {no} has no value." in result["warnings"]
    assert seen.paths == ["/a"]


def test_redirects_are_followed_and_counted_where_that_is_asked_for(holdfast):
    def hop(_method: str, path: str, _fields: dict[str, str], _body: bytes) -> Reply:
        left = int(path[1:])
        return (302, {"Location": f"/{left - 1}"}, b"") if left else (200, {}, b"there")

    with answering(hop) as (url, seen):
        ended, result = loaded(holdfast, f"{url}/2", "--burst", "2", "--follow", "5")

    assert ended.exit == ANSWERED, ended.err
    assert Counter(seen.paths) == {"/2": 2, "/1": 2, "/0": 2}
    assert result["statuses"] == {"200": 2, "302": 4}


def test_cookies_are_kept_for_each_client(holdfast):
    def counting(_method: str, path: str, fields: dict[str, str], _body: bytes) -> Reply:
        return (200, {"Set-Cookie": f"seat={path[1:]}; Path=/"}, b"") if path != "/" else (200, {}, b"")

    with answering(counting) as (url, seen):
        ended, _ = loaded(holdfast, f"{url}/", "--first", "/{id}", "--clients", "2", "--requests", "6", "--cookies")

    assert ended.exit == ANSWERED, ended.err
    cookies = Counter(fields.get("cookie") for _, path, fields, _ in seen.requests if path == "/")
    assert cookies == {"seat=0": 3, "seat=1": 3}


HOOK = """\
import collections
from beside import SECRET

calls = collections.Counter()

def sign(answer, values):
    calls["all"] += 1
    return {"signed": f"{SECRET}-{answer.status}-{len(answer.body)}-{values['id']}", "count": calls["all"]}

def fails(answer, values):
    if answer.url.endswith("/0"):
        return {}
    raise KeyError("slip")

def wrong(answer, values):
    return ["a"]

def nothing(answer, values):
    return {"signed": None}

def slow(answer, values):
    end = __import__("time").monotonic() + 0.06
    while __import__("time").monotonic() < end:
        pass
"""


def test_a_hook_is_given_the_answer_and_the_values_and_returns_more(holdfast, tmp_path):
    (tmp_path / "own.py").write_text(HOOK)
    (tmp_path / "beside.py").write_text('SECRET = "s"\n')
    with answering(Shop()) as (url, seen):
        hook = ("--hook", "own.py:sign", "--then", "/{signed}/{count}")
        ended, _ = loaded(holdfast, f"{url}/a", *hook, "--clients", "1", "--requests", "2")

        assert ended.exit == ANSWERED, ended.err
        assert seen.paths == ["/a", "/s-200-6-0/1", "/a", "/s-200-6-1/3"]

        slow, result = loaded(holdfast, f"{url}/a", "--hook", "own.py:slow", "--clients", "1", "--requests", "1")
        (tmp_path / "a.toml").write_text(
            f"url = '{url}'\nclients = 1\npasses = 1\n[[group]]\nhook = 'own.py:sign'\n[[group.step]]\nrequest = '/b'\n"
            "[[group.step]]\nrequest = '/{signed}'\n"
        )
        unnamed = holdfast.run("load", "a.toml")
        assert (unnamed.exit, "The command does not name own.py" in unnamed.err) == (USAGE, True), unnamed.err
        named = holdfast.run("load", "a.toml", "--hook", "own.py")
        assert (named.exit, seen.paths[-2:]) == (ANSWERED, ["/b", "/s-200-6-0"]), named.err
        (told,) = [each for each in result["warnings"] if each.startswith("Hooks took ")]
        assert re.match(r"Hooks took \d+% of the load's time, and \d+ ms at the longest", told)
        # It computes for 60 ms. Without a core it takes longer, and may be the limit then.
        assert slow.exit == (INCONCLUSIVE if "So much of the latencies is not the server's." in told else ANSWERED)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("fails", "A hook raised for 3 of 4 answers, the first time at own.py:13: KeyError: 'slip'."),
        (
            "wrong",
            "A hook raised for 4 of 4 answers, the first time at own.py: TypeError: it returned list, not a mapping",
        ),
        ("nothing", "TypeError: it returned NoneType for signed, not a text or a number; leave out what has no value"),
    ],
)
def test_a_hook_that_raises_is_counted_told_and_ends_the_load_with_another_code(holdfast, tmp_path, function, says):
    (tmp_path / "own.py").write_text(HOOK)
    (tmp_path / "beside.py").write_text('SECRET = "s"\n')
    with answering(Shop()) as (url, _):
        arguments = ("--clients", "1", "--requests", "4", "--hook", f"own.py:{function}")
        ended, result = loaded(holdfast, f"{url}/{{id}}", *arguments)

    assert ended.exit == INCONCLUSIVE
    assert any(says in each for each in result["warnings"]), result["warnings"]


def much_to_match(_method: str, _path: str, _fields: dict[str, str], _body: bytes) -> Reply:
    return 200, {}, b"a" * 40 + b"!"


@pytest.mark.parametrize("key", ["expect-match = '^(a+)+$'", "extract = { v = 'regex:^(a+)+$' }"])
def test_a_pattern_that_does_not_end_is_not_the_servers_fault(holdfast, tmp_path, key):
    with answering(much_to_match) as (url, _):
        (tmp_path / "s.toml").write_text(
            f'url = "{url}"\nclients = 1\npasses = 3\n[[group]]\n[[group.step]]\nrequest = "/"\n{key}\n'
        )
        ended, result = loaded(holdfast, "s.toml")

    assert ended.exit == INCONCLUSIVE
    assert result["outcomes"]["failed"] == 3, result["outcomes"]
    assert any("did not come to an end in time" in each for each in result["warnings"]), result["warnings"]


def test_clients_that_go_round_without_anything_to_do_are_told(holdfast, tmp_path):
    with answering(ok) as (url, _):
        (tmp_path / "s.toml").write_text(
            f"url = '{url}'\nclients = 2\nfor = '1500ms'\n[values]\nx = '1'\n[[group]]\n[[group.step]]\nrequest = '/'\n"
            "[[group.step]]\nwhile = 'x == 1'\n[[group.step.step]]\nif = 'x == 2'\nrequest = '/never'\n"
        )
        ended, result = loaded(holdfast, "s.toml")
        _, waited = loaded(holdfast, url, "--clients", "2", "--for", "1500ms", "--think", "1200ms", "--cookies")

    told = "2 clients went round in a loop that has nothing to do"
    assert any(each.startswith(told) for each in result["warnings"]), ended.out
    assert not any("nothing to do" in each for each in waited["warnings"])


def test_what_cannot_be_carried_out_is_refused_before_anything_is_sent(holdfast, tmp_path):
    (tmp_path / "broken.py").write_text("def sign(answer, values):\n    return {\n")
    (tmp_path / "raises.py").write_text("import nothing_like_it\n")
    (tmp_path / "later.py").write_text("async def sign(answer, values):\n    return {}\n")
    (tmp_path / "a.toml").write_text("[[group]]\nclients = 1\npasses = 1\n")
    with answering(Shop()) as (url, seen):
        burst = ("--burst", "1")
        mistakes = [
            ((f"{url}/{{token}}", *burst, "--extract", "token=json:$.t"), "Nothing comes before GET /{token}"),
            ((url, *burst, "--extract", "token=json:$.t"), "Nothing uses {token}"),
            ((url, *burst, "--extract", "token=json:t"), "it begins with $"),
            ((url, *burst, "--extract", "json:$.t"), "does not name a value"),
            ((url, *burst, "--extract", "a b=json:$.t"), "does not name a value"),
            ((url, *burst, "--extract", "t=jason:$.t"), "Did you mean json:?"),
            ((url, *burst, "--extract", "t=regex:("), "is not a regular expression"),
            ((url, *burst, "--extract", "t=boundary:ab"), "two texts with ... in between"),
            ((url, *burst, "--then", "/{tokn}", "--extract", "token=json:$.t"), "{tokn} in /{tokn} has no value"),
            ((url, *burst, "--then", "POST"), "'POST' is not a request"),
            ((url, *burst, "--hook", "own.py:sign"), "own.py is not a file"),
            ((url, *burst, "--hook", "later.py:sign"), "later.py is a coroutine function"),
            ((url, *burst, "--hook", "sign"), "does not name a function in a file"),
            ((url, *burst, "--hook", "broken.py:sign"), "broken.py:2: SyntaxError"),
            ((url, *burst, "--hook", "raises.py:sign"), "raises.py:1: ModuleNotFoundError"),
            ((f"{url}/{{id}}", *burst, "--cookies", "--cluster", "local:2"), "because the counter id is one for all"),
            (("a.toml", *burst), "--burst does not go with a.toml"),
            (("a.toml",), "a.toml, line 1, column 1"),
            (("missing.toml",), "missing.toml does not exist"),
            (("a.toml", "--har", "a.har"), "exclude each other"),
            ((url, *burst, "--cookies", "--threshold", "label('GET /x').p99<1s"), "The load has no label 'GET /x'."),
            (
                (url, *burst, "--cookies", "--threshold", "label('GET /, redirected').p99<1s"),
                "The load has no label 'GET /, redirected'.",
            ),
            (("a.toml", "-J", "base=x"), "There is no value 'base'"),
        ]
        ended = holdfast.run_together([("load", *arguments) for arguments, _ in mistakes])
        for (arguments, says), each in zip(mistakes, ended, strict=True):
            assert (each.exit, says in each.err) == (USAGE, True), (arguments, each.err)
        assert seen.paths == []


def test_a_scenario_sends_what_it_says(holdfast, tmp_path):
    (tmp_path / "users.csv").write_text("user\nann\nbob\n")
    (tmp_path / "shop.toml").write_text(
        """
thresholds = "errors<1%"
[values]
base = "http://127.0.0.1:1"
[[group]]
name = "buyers"
url = "{base}"
clients = 2
passes = 3
rows = { file = "users.csv", per = "client" }
headers = { Authorization = "Bearer {badge}" }
[[group.step]]
request = "/desk"
once = true
extract = { slip = 'regex:value="([^"]+)"' }
[[group.step]]
request = "POST /enter"
once = true
form = { slip = "{slip}" }
extract = { badge = "json:$.badge", tray = { from = "json:$.trays[*]", match = 2 } }
[[group.step]]
repeat = 2
[[group.step.step]]
request = "PUT /basket/{tray}"
json = { user = "{user}", quote = '"{slip}"' }
if = 'tray == "9"'
[[group.step]]
request = "/never"
if = 'tray == "7"'
[[group]]
stage = "after"
url = "{base}"
[[group.step]]
request = "/reset"
thresholds = ["max<60s", "errors<=0"]
"""
    )
    with answering(Shop()) as (url, seen):
        ended, result = loaded(holdfast, "shop.toml", "-J", f"base={url}")

    assert ended.exit == ANSWERED, ended.err
    assert [(each["text"], each["held"]) for each in result["thresholds"]] == [
        ("errors<1%", True),
        ("label('GET /reset').max<60s", True),
        ("label('GET /reset').errors<=0", True),
    ]
    assert Counter(seen.paths) == {"/desk": 2, "/enter": 2, "/basket/9": 12, "/reset": 1}
    assert seen.paths[-1] == "/reset"
    bodies = Counter(body for _, path, _, body in seen.requests if path == "/basket/9")
    assert bodies == {f'{{"user": "{user}", "quote": "\\"s 1/&\\""}}'.encode(): 6 for user in ("ann", "bob")}


def test_a_recording_goes_to_several_servers_and_its_clients_keep_cookies(holdfast, tmp_path):
    recording = Path(__file__).parents[1] / "plans" / "har" / "02-redirects-over-3-hosts.har"
    with answering(ok) as (one, seen), answering(ok) as (other, also_seen):
        maps = (f"--map=http://shop.example={other}", f"--map=shop.example={one}", f"--map=www.shop.example={one}")
        ended, result = loaded(holdfast, "--har", recording, *maps, "--cookies")

    assert ended.exit == ANSWERED, ended.err
    assert also_seen.paths == ["/"]
    assert [(method, path, body) for method, path, _, body in seen.requests] == [
        ("GET", "/", b""),
        ("GET", "/start", b""),
        ("GET", "/start/nl", b""),
        ("POST", "/basket", b'{"jar":3}'),
        ("POST", "/basket", b'{"jar":3}'),
    ]
    assert result["outcomes"]["answered"] == 6
    assert seen.connections == 1
