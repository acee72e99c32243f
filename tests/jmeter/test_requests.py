"""HTTP Requests of JMeter plans become the requests that JMeter sends.

The expected requests are those that JMeter 5.5 sent for the same plans (tests/oracle).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import pytest
from oracle import jmx_elements as e
from plans.writing import group, inner, plan, text, variables

from holdfast.errors import UsageError
from holdfast.jmeter.reading import JourneysRead, read_journeys
from holdfast.journeys.client import Client, Shared
from holdfast.journeys.sending import sending_of
from holdfast.journeys.steps import Sending
from holdfast.journeys.templates import NoValueError
from holdfast.model.journey import Sequence, Timed
from holdfast.model.journey_request import Request

FILES = {"n.txt": b"a ${note}\n"}


def read(below: str, **properties: str) -> JourneysRead:
    given = {"port": "8000", **properties}
    return read_journeys(plan(group(below)), "test.jmx", read_file=FILES.__getitem__, properties=given)


def requests_of(node: object) -> list[Request]:
    if isinstance(node, Request):
        return [node]
    nodes = node.nodes if isinstance(node, Sequence | Timed) else ()
    return [each for inner in nodes for each in requests_of(inner)]


def sent(below: str, values: Mapping[str, str] | None = None) -> list[Sending]:
    """What the first client sends, as far as no answer is needed for it."""
    journeys = read(below).journeys
    (crew,) = journeys.crews
    client = Client(crew, 0, Shared(journeys))
    client.comes(0)
    client.variables.update(values or {})
    return [sending_of(each, number, client) for number, each in enumerate(requests_of(crew.journey))]


def only(below: str, values: Mapping[str, str] | None = None) -> Sending:
    (request,) = sent(below, values)
    return request


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("/a//b", "/a/b"),
        ("/é", "/%C3%A9"),
        ("/a b?c d", "/a%20b?c%20d"),
        ("/a?é", "/a?%C3%A9"),
        ("/a%2Fb%20c", "/a%2Fb%20c"),
        ("/a?x=[1]", "/a?x=[1]"),
        ("/a#f", "/a"),
        ("no", "/no"),
        ("", "/"),
        ("?q=1", "/?q=1"),
        ("//x/y", "/x/y"),
        ("/${w}", "/w/x"),
        ("${w}", "/w/x"),
    ],
)
def test_a_path_is_sent_as_jmeter_sends_it(written: str, path: str) -> None:
    assert only(e.request(written, name="r"), {"w": "w/x"}).path == path
    assert only(e.request(f"{written}${{__V(nothing,)}}", name="r"), {"w": "w/x"}).path == path


def test_a_variable_may_be_a_whole_url() -> None:
    values = {"base": "http://other:81", "path": "p/q"}

    whole, path = sent(e.request("${base}/x?y=1", domain="") + e.request("${path}/x"), values)

    assert (whole.origin, whole.path) == ("http://other:81", "/x?y=1")
    assert (path.origin, path.path) == ("http://127.0.0.1:8000", "/p/q/x")


def test_a_whole_url_is_taken_as_it_is() -> None:
    request = only(e.request("http://other:81/x?y=1 2", e.arguments(e.argument("z", "1"))))

    assert (request.origin, request.path) == ("http://other:81", "/x?y=1%202")


@pytest.mark.parametrize("path", ["/a|b", "/a?{b}", "/[1]", "/%", "/${nobody}", "/a\u00a0", "/?\u0085"])
def test_what_a_url_cannot_hold_is_not_sent(path: str) -> None:
    with pytest.raises(NoValueError, match="which a URL cannot hold; JMeter sends nothing"):
        only(e.request(path))


def test_arguments_are_encoded_if_they_say_so() -> None:
    arguments = e.arguments(
        e.argument("a b", "1 2", encode=True),
        e.argument("c", "", equals=""),
        e.argument("d", "${w}", encode=True),
        e.argument("", "dropped"),
        e.argument("e", "f%20g"),
    )

    assert only(e.request("/q?z=1", arguments), {"w": "é&"}).path == "/q?z=1&a+b=1+2&c&d=%C3%A9%26&e=f%20g"
    assert only(e.request("/q", arguments, method="HEAD"), {"w": "é&"}).path == "/q"


def test_a_form_is_decoded_first_where_it_is_said_to_be_encoded() -> None:
    arguments = e.arguments(
        e.argument("a", "${w}", encode=True), e.argument("b", "c%20d+é"), e.argument("${nobody}", "1", encode=True)
    )

    request = only(e.request("/f", arguments, method="POST"), {"w": "1 2"})

    assert request.body == b"a=1+2&b=c+d+%C3%A9"
    assert request.headers == (("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),)


def test_a_body_without_names_is_sent_as_it_is() -> None:
    raw = only(e.raw("/r", '{"a": "${w}"}'), {"w": '"'})
    coded = only(e.raw("/r", "é", contentEncoding="ISO-8859-1"))

    assert (raw.body, raw.headers) == (b'{"a": """}', (("Content-Type", "text/plain; charset=UTF-8"),))
    assert coded.body == b"\xe9"


def test_files_are_sent_as_they_are_or_as_parts() -> None:
    alone = only(e.request("/r", e.files(("n.txt", "", "text/x")), method="PUT"))
    part = only(e.request("/r", e.arguments(e.argument("a", "1")), e.files(("n.txt", "note", "text/x")), method="POST"))

    assert (alone.body, alone.headers) == (FILES["n.txt"], (("Content-Type", "text/x"),))
    assert part.body is not None
    assert b'name="note"; filename="n.txt"\r\nContent-Type: text/x\r\n' in part.body
    assert part.headers[0][1].startswith("multipart/form-data; boundary=")


def test_the_nearest_manager_s_field_wins_and_a_content_type_is_kept() -> None:
    far = e.header_manager(X_Both="far", Content_Type="text/far", X_Far="1")

    request = only(
        far
        + e.raw("/h", "{}").replace("<hashTree></hashTree>", f"<hashTree>{e.header_manager(x_both='near')}</hashTree>")
    )

    assert dict(request.headers) == {"x-both": "near", "Content-Type": "text/far", "X-Far": "1"}


def test_defaults_fill_what_is_empty_and_their_arguments_come_last() -> None:
    defaults = e.defaults(
        e.arguments(e.argument("late", "1")), domain="h", port="81", path="/d", protocol="https", image_parser="true"
    )

    request = only(defaults + e.request("", e.arguments(e.argument("own", "2")), domain="", port="", name="r"))

    assert (request.origin, request.path) == ("https://h:81", "/d?own=2&late=1")
    assert request.resources is not None


def test_credentials_are_sent_where_the_url_begins_so() -> None:
    manager = e.authorization("http://127.0.0.1:8000/in", "${who}", "dig")

    inside, outside = sent(manager + e.request("/in/a") + e.request("/out"), {"who": "mole"})

    assert inside.headers == (("Authorization", "Basic bW9sZTpkaWc="),)
    assert outside.headers == ()


def test_a_content_type_of_a_manager_is_not_that_of_the_body() -> None:
    own = e.header_manager(Content_Type="text/x") + e.raw("/a", "{}")

    assert (only(own).kept, only(e.raw("/a", "{}")).kept) == ({"content-type"}, frozenset())


def test_java_s_own_client_adds_what_it_accepts() -> None:
    java = e.request("/a", implementation="Java")

    assert only(java).headers == (("Accept", "text/html, image/gif, image/jpeg, */*; q=0.2"),)
    assert only(e.header_manager(Accept="text/x") + java).headers == (("Accept", "text/x"),)
    assert only(e.request("/a", implementation="HttpClient4")).headers == ()


def test_java_s_own_client_sends_bodies_with_post_and_put_alone_and_says_that_they_are_forms() -> None:
    # HTTPJavaImpl.java, PostWriter.java, PutWriter.java; measured with JMeter 5.5.
    found = {
        method: only(e.header_manager(Accept="*/*") + e.raw("/a", "{}", method=method, implementation="Java"))
        for method in ("GET", "POST", "PUT", "DELETE")
    }

    assert {method: each.body for method, each in found.items()} == {
        "GET": None, "POST": b"{}", "PUT": b"{}", "DELETE": None,
    }  # fmt: skip
    assert found["POST"].headers[1:] == (("Content-Type", "application/x-www-form-urlencoded"),)
    assert found["PUT"].headers[1:] == ()


def test_java_s_own_client_sends_paths_as_they_are_written() -> None:
    assert only(e.request("/{a}|b//c?d[]^", implementation="Java")).path == "/{a}|b//c?d[]^"


def test_a_request_without_keep_alive_asks_for_the_end_of_its_connection() -> None:
    assert only(e.request("/a", use_keepalive="false")).headers == (("Connection", "close"),)


def test_cookies_of_the_plan_are_for_their_domain_and_one_without_is_not_sent() -> None:
    found = read(
        e.cookie_manager(
            e.cookie("none", "1", domain=""),
            e.cookie("path", "${found}", domain="shop.example:8443/a"),
            e.cookie("below", "2", domain="Shop.example"),
            e.cookie("address", "3", domain="127.0.0.1"),
        )
        + e.request("/a")
    )

    (crew,) = found.journeys.crews
    assert crew.cookies == (("below", "2", ".shop.example", "/"), ("address", "3", "127.0.0.1", "/"))
    assert [(each.what, each.meaning.split(",")[0]) for each in found.notes] == [
        ("note", "its cookie none has no domain"),
        ("note", "its cookie path is for shop.example:8443/a"),
    ]


def test_a_file_whose_variable_is_empty_is_not_sent() -> None:
    request = only(variables(empty="") + e.request("/r", e.files(("${empty}", "", "text/x")), method="PUT"))

    assert request.body in (None, b"")


def test_a_file_that_is_missing_is_named_with_its_element_and_line() -> None:
    missing = UsageError("gone.txt, which test.jmx names, does not exist.", "Looked in /here.", "Put it there.")

    def read_file(name: str) -> bytes:
        raise missing

    body = e.request("/r", e.files(("gone.txt", "", "")), method="PUT")
    called = e.request("/${__FileToString(gone.txt)}", name="called")
    with pytest.raises(UsageError) as refused:
        read_journeys(plan(group(body + called)), "test.jmx", read_file=read_file, properties={"port": "8000"})

    assert refused.value.what == "test.jmx is not run: it names files that cannot be read."
    assert 'HTTPSamplerProxy "called" (line 1): gone.txt, which test.jmx names, does not exist' in refused.value.why
    assert refused.value.why.count("does not exist. Looked in /here. Put it there.") == 2


def test_redirects_timeouts_and_connections_are_as_the_request_says() -> None:
    request = only(
        e.request("/r", follow_redirects="true", use_keepalive="false", connect_timeout="500", response_timeout="2000")
    )

    assert (request.follow, request.hops_count, request.keep_alive) == (20, False, False)
    assert (request.timeouts.connect_s, request.timeouts.first_byte_s) == (0.5, 2.0)


@pytest.mark.parametrize(
    "said",
    [{"protocol": "ftp"}, {"domain": "http://127.0.0.1"}, {"domain": "a/b"}, {"domain": "a:80"}, {"domain": " a"}],
)
def test_what_is_no_server_is_told_and_fails_each_time_unsent(said: dict[str, str]) -> None:
    (note,) = read(e.request("/r", **said)).notes

    assert note.what == "note"
    assert "nothing is sent, and it counts as failed, as with JMeter" in note.meaning
    with pytest.raises(NoValueError, match="JMeter sends nothing"):
        sent(e.request("/r", **said))


def test_blanks_around_a_port_do_not_count_nor_does_a_port_that_is_no_number() -> None:
    assert only(e.request("/r", port=" 81 ")).origin == "http://127.0.0.1:81"
    assert only(e.request("/r", port="x")).origin == "http://127.0.0.1"


@pytest.mark.parametrize(
    ("below", "why"),
    [
        (e.request("/r", domain=""), "names no server"),
        (e.request("/r", method="FETCH"), "which JMeter does not send"),
        (e.request("/r", e.files(("${name}", "", "")), method="PUT"), "has to know before the load begins"),
        (e.request("/r", below=e.regex("a", "(?<=x)y")), "JMeter's own matcher cannot read"),
        (e.request("/r", below=e.json("a;b", "$.a")), "2 variables, 1 paths"),
        (e.request("/r", below=e.css("a", "p:eq(1)")), "jsoup"),
        (e.request("/r", below=e.response_assertion("response_data_as_document", 2, "x")), "turned into a text"),
        (e.authorization("http://", "a", "b", "KERBEROS") + e.request("/r"), "takes tickets"),
        (e.request("/${__P(a,b,c)}"), "__P has 3 arguments"),
        (e.request("/${__shelfMark(7)}"), "__shelfMark"),
    ],
)
def test_what_would_be_sent_otherwise_is_refused_by_name(below: str, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(below)

    assert why in f"{refused.value.what} {refused.value.why}"
    assert "(line " in refused.value.why


def test_a_request_without_a_server_is_told_and_fails_unsent_among_others_that_have_one() -> None:
    found = read(e.request("/r", domain="", name="nameless") + e.request("/s"))

    (note,) = found.notes
    assert note.name == "nameless"
    assert "it names no server" in note.meaning
    assert "counts as failed, as with JMeter" in note.meaning


def test_a_form_with_a_file_without_a_type_is_told_and_fails_unsent() -> None:
    (note,) = read(e.request("/r", e.files(("n.txt", "note", "")), method="POST")).notes

    assert "'n.txt', a file of its form, has no MIME type: nothing is sent" in note.meaning


def test_a_server_need_not_be_named_where_another_takes_its_place() -> None:
    plan_ = plan(group(e.request("/r", domain="")))

    assert read_journeys(plan_, "test.jmx", read_file=FILES.__getitem__, properties={"port": "8000"}, elsewhere=True)


def test_what_is_done_otherwise_is_told() -> None:
    notes = read(e.request("/r", proxyHost="p", image_parser="true", concurrentDwn="true") + variables(a="1")).notes

    assert {each.meaning for each in notes} == {
        "it is sent directly to its server, not to the proxy",
        "its embedded resources are fetched one after the other",
    }


def test_a_selector_without_its_library_is_refused_with_the_extra_s_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lxml", None)

    with pytest.raises(UsageError, match="is not run") as refused:
        read(e.request("/r", below=e.css("a", "p.of-this-test-alone")))

    assert "pip install 'holdfast-probe[markup]'" in refused.value.why


@pytest.mark.parametrize(("version", "body"), [("5.6.3", "é✓".encode()), ("5.5", b"\xe9?"), ("2.13 r1", b"\xe9?")])
def test_a_body_without_an_encoding_is_that_of_the_version_which_saved_the_plan(version: str, body: bytes) -> None:
    content = plan(group(e.raw("/r", "é✓"))).replace(b'jmeter="5.6.3"', f'jmeter="{version}"'.encode())

    (crew,) = read_journeys(content, "t.jmx", read_file=FILES.__getitem__, properties={"port": "1"}).journeys.crews

    assert requests_of(crew.journey)[0].body == body


def _jars(below: str) -> list[tuple[str, ...]]:
    """The names of the cookies that each crew of a plan begins with."""
    read_plan = read_journeys(plan(below), "t.jmx", read_file=FILES.__getitem__, properties={"port": "1"})
    return [tuple(name for name, *_ in crew.cookies) for crew in read_plan.journeys.crews]


def test_of_several_cookie_managers_the_last_of_the_outermost_level_counts() -> None:
    # What JMeter 5.5 sent for the same plans.
    def jar(name: str) -> str:
        return e.cookie_manager(e.cookie(name, name))

    inner = e.controller("GenericController", jar("inner") + jar("second") + e.request("/b", below=jar("own")))
    alone = e.controller("GenericController", jar("inner") + e.request("/b"))

    assert _jars(jar("plan") + group(jar("group") + e.request("/a") + inner)) == [("plan",)]
    assert _jars(group(jar("group") + e.request("/a") + inner)) == [("group",)]
    assert _jars(group(inner)) == [("second",)]
    with pytest.raises(UsageError) as refused:
        _jars(group(alone + e.request("/outside")))
    assert "it applies to some of the group's requests only" in refused.value.why


@pytest.mark.parametrize("path", ["$.", "$.user..", "$user", ""])
def test_a_json_path_that_jayway_cannot_read_finds_nothing(path: str) -> None:
    (note,) = read(e.request("/r", below=e.json("a", path))).notes

    assert "is not a JSON path, and finds nothing, as in JMeter" in note.meaning


def test_a_match_number_that_is_no_number_counts_as_0_except_in_json() -> None:
    (note,) = read(e.request("/r", below=e.regex("a", "(.)", match="value"))).notes

    assert "its match number is 'value', not a number, which counts as 0, as in JMeter" in note.meaning
    with pytest.raises(UsageError):
        read(e.request("/r", below=e.json("a", "$.b", match="m1")))


def test_an_argument_that_names_no_sign_between_name_and_value_has_none() -> None:
    # JMeter 5.5 sent /r?flag for such a plan, as it saves recorded ones.
    flag = inner("flag", "HTTPArgument", text("Argument.name", "flag"), text("HTTPArgument.always_encode", "false"))

    assert only(e.request("/r", e.arguments(flag))).path == "/r?flag"


def test_a_policy_that_sends_cookies_in_another_form_is_refused() -> None:
    with pytest.raises(UsageError, match="is not run") as refused:
        read(e.cookie_manager(policy="rfc2965") + e.request("/r"))

    assert "sends cookies in another form" in refused.value.why
