"""What requests take from the last page by themselves.

Expected: apache/jmeter 5.5, org.apache.jmeter.protocol.http.modifier, and what plans of tests/oracle sent.
"""

from __future__ import annotations

import pytest
from journeys.known_client import known_client

from holdfast.journeys.functions_request import NOWHERE
from holdfast.journeys.functions_rewriting import OF_REWRITING, PARAMETER, SESSION, SESSION_PATH, SET_PATH
from holdfast.journeys.links import Followed, followed
from holdfast.journeys.references import template_of
from holdfast.journeys.sending import sending_of
from holdfast.journeys.templates import NoValueError
from holdfast.model.answers import Answer, FunctionCall
from holdfast.model.journey_request import Links, Request

PAGE = (
    '<a href="/jars/7?kind=clay&n=1">7</a><a href="http://other.example/jars/8">8</a>'
    '<form action="/find"><input name="q" value="lid"><input name="page" value="2"></form>'
)


def answered(text: str, url: str = "http://127.0.0.1:8000/jars") -> Answer:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
    return Answer(url=url, answered=True, status=200, message="OK", head=head, body=text.encode())


@pytest.mark.parametrize(
    ("text", "flags", "value"),
    [
        ('<a href="/x;sid=a%2Fb?y">', "", "a%2Fb?y"),
        ('<a href="/x;sid=a%2Fb&y">', "d", "a/b"),
        ("/x?sid=1;y", "", "1"),
        ('<input name="sid" type="hidden" value="h 1">', "", "h 1"),
        ("<INPUT VALUE='t' ID=i NAME='sid'>", "", "t"),
        ("<p>", "", ""),
    ],
)
def test_the_id_of_a_session_is_found_in_links_and_fields(text: str, flags: str, value: str) -> None:
    client = known_client(answer=answered(text))

    assert OF_REWRITING[SESSION](["1", "sid", flags], client) == value


def test_an_id_is_kept_for_pages_without_one_if_that_is_asked_for() -> None:
    clients = [known_client(), known_client(client=2)]

    def found(text: str, flags: str, modifier: str = "1", number: int = 1) -> str:
        client = clients[number - 1]
        client.answer = answered(text)
        return OF_REWRITING[SESSION]([modifier, "sid", flags], client)

    assert found(";sid=a", "k") == "a"
    assert found("", "k") == "a"
    assert found("", "") == ""
    assert found("", "k", modifier="2") == ""
    assert found("", "k", number=2) == ""


@pytest.mark.parametrize(
    ("path", "flags", "sent"),
    [
        ("/p", "p", "/p;sid=a?b"),
        ("/p", "pq", "/p;sid=a"),
        ("/p;sid=old?q=1", "pq", "/p?q=1;sid=a"),
        ("/p", "pnq", "/p;sid=a"),
    ],
)
def test_the_id_of_a_session_takes_the_place_of_the_one_in_the_path(path: str, flags: str, sent: str) -> None:
    text = ";sid=a?b" if "n" not in flags else ";sid=a"

    assert OF_REWRITING[SESSION_PATH]([path, "1", "sid", flags], known_client(answer=answered(text))) == sent
    assert OF_REWRITING[SESSION_PATH]([path, "1", "sid", flags], known_client()) == path


def test_the_query_of_a_path_that_was_set_comes_behind_the_arguments() -> None:
    arguments = ["/p?q=1;sid=a", "utf-8", "x", "=", "1", "true"]

    assert OF_REWRITING[SET_PATH](arguments, known_client(answer=answered(""))) == "/p?x=1&q=1%3Bsid%3Da"
    assert OF_REWRITING[SET_PATH](arguments, known_client()) == "/p?q=1;sid=a&x=1"


def test_an_argument_gets_the_last_value_that_was_found_for_its_name() -> None:
    variables = {"p_matchNr": "2", "p_1_g1": "a", "p_1_g2": "1", "p_2_g1": "a", "p_2_g2": "2"}

    assert OF_REWRITING[PARAMETER](["a", "0", "p", "1", "2"], known_client(variables)) == "2"
    assert OF_REWRITING[PARAMETER](["b", "0", "p", "1", "2"], known_client(variables)) == "0"
    assert OF_REWRITING[PARAMETER](["a", "0", "q", "1", "2"], known_client(variables)) == "0"


def follow(links: Links, origin: str = "http://127.0.0.1:8000", page: str = PAGE) -> Followed | None:
    return followed(links, origin, known_client(answer=answered(page)), lambda template: "".join(map(str, template)))


def test_a_request_follows_a_link_that_is_like_it() -> None:
    links = Links((), ("127.0.0.1",), ("/jars/.*",))

    assert follow(links) == Followed("http://127.0.0.1:8000", "/jars/7?kind=clay&n=1", None)
    assert follow(Links((), ("127.0.0.1",), ("/lids/.*",))) is None
    assert follow(Links((), ("other.*",), ("jars/8",))) == Followed("http://other.example:8000", "/jars/8", None)


def test_a_form_fills_in_the_arguments_that_are_like_its_fields() -> None:
    arguments = ((("q",), (".*",), "=", True), (("page",), ("9",), "=", True))

    found = follow(Links((), ("127.0.0.1",), ("/find",), arguments, as_query=False))

    assert found == Followed("http://127.0.0.1:8000", "/find", b"q=lid&page=9")


def test_links_to_the_page_are_links_to_the_server_that_takes_the_place_of_the_plans() -> None:
    links = Links(("https",), ("shop.example",), ("/jars/7",))

    assert follow(links) is not None
    assert follow(links, origin="http://127.0.0.1:9000") is None


def test_a_server_that_is_a_pattern_is_where_the_link_leads() -> None:
    nowhere = FunctionCall(NOWHERE, (("it names no server",),))
    links = Links((), ("127.0.0.[0-9]",), ("/jars/.*",))
    request = Request(("dig",), ("http://", nowhere, ":8000"), ("/jars/.*",), links=links)

    sent = sending_of(request, 1, known_client(answer=answered(PAGE)))

    assert (sent.origin, sent.path) == ("http://127.0.0.1:8000", "/jars/7?kind=clay&n=1")
    with pytest.raises(NoValueError, match="it names no server"):
        sending_of(request, 1, known_client(answer=answered("<p>")))


def test_what_functions_keep_for_a_client_ends_with_it() -> None:
    """Thousands of arrivals leave nothing behind, and texts that are evaluated neither."""
    first = known_client(files={"rows.csv": b"a\nb\n"})
    first.filled(template_of("${__counter(TRUE,)} ${__CSVRead(rows.csv,0)}"))
    kept = len(first.remembered)

    for number in range(1, 50):
        client = known_client(files={"rows.csv": b"a\nb\n"}, client=number, remembered=dict(first.remembered))
        client.filled(template_of("${__counter(TRUE,)} ${__CSVRead(rows.csv,0)}"))
        OF_REWRITING[SESSION](["1", "sid", "k"], client)
        assert client.replaced(f"{number} ${{__counter(FALSE,)}}") == f"{number} 1"
        assert len(client.remembered) == kept
