"""Any bytes given as a plan or an archive are either one, or refused with an error that says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from writing import group, http, plan, read

from holdfast.errors import UsageError
from holdfast.plans.har import read_har
from holdfast.plans.jmx import read_plan

GOOD = [file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.jmx"))]
ROWS = (Path(__file__).parent / "people.csv").read_bytes()

LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>
<jmeterTestPlan><hashTree>&c;</hashTree></jmeterTestPlan>"""


def of(content):
    return read_plan(content, "test.jmx", read_file=lambda _name: ROWS, properties={}, most_s=5.0)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"{}", "line 1, column 1"),
        (b"<jmeterTestPlan>\n  <hashTree>", "line 2, column 13"),
        (plan(group(http()))[:-20], "It is not XML"),
        (LAUGHS, "line 2, column 1"),
        (b"<a/>", "its root is <a>"),
        (b"<jmeterTestPlan/>", "holds no elements"),
        (b"<jmeterTestPlan><hashTree/></jmeterTestPlan>", "holds no <TestPlan>"),
        (b"<jmeterTestPlan><hashTree><hashTree/></hashTree></jmeterTestPlan>", "belongs to no element"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "It is not XML"),
        (b"<a>" * 100_000, "nested more than"),
        (plan(""), "has no thread group (line 1, column"),
        (plan(group("")), "sends nothing (line 1, column"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_bytes_that_are_not_a_plan_are_refused_with_line_and_column(content, says):
    with pytest.raises(UsageError) as caught:
        of(content)
    assert says.lower() in str(caught.value).lower()
    assert "line" in str(caught.value)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_plan_or_an_error(content):
    with pytest.raises(UsageError):
        of(content)
    with pytest.raises(UsageError):
        read_har(content, "test.har")


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_changed_plan_is_a_plan_or_an_error(data):
    content = data.draw(st.sampled_from(GOOD))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content)))
        cut = data.draw(st.integers(0, 30))
        new = data.draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from(
                    [
                        b"",
                        b"${",
                        b"}",
                        b"${__P(",
                        b"-1",
                        b"99999999999999999999",
                        b"\\",
                        b"true",
                        b"<hashTree>",
                        b"&#0;",
                        b"1e999",
                    ]
                ),
            )
        )
        content = content[:at] + new + content[at + cut :]
    try:
        found = of(content)
    except UsageError as error:
        assert error.what  # noqa: PT017 - a plan is as good an end as an error
    else:
        assert all(each.steps for each in found.groups)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(GOOD), st.data())
def test_a_plan_with_another_value_is_a_plan_or_an_error(content, data):
    values = content.count(b'">')
    which = data.draw(st.integers(0, values - 1))
    head = content.split(b'">', which + 1)
    before = b'">'.join(head[:-1]) + b'">'
    text = data.draw(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20))
    value = text.replace("&", "&amp;").replace("<", "&lt;").encode()
    rest = head[-1]
    changed = before + value + rest[rest.find(b"<") :]
    try:
        found = of(changed)
    except UsageError as error:
        assert error.what  # noqa: PT017 - a plan is as good an end as an error
    else:
        assert found.groups


@given(st.text(alphabet="${}\\_P(,)ab ", max_size=60))
def test_any_text_with_references_is_read_or_refused(written):
    try:
        read(group(http(f"/{written}")))
    except UsageError as error:
        assert error.remedy  # noqa: PT017 - likewise


def test_references_nested_without_end_are_refused():
    with pytest.raises(UsageError, match="nested more than"):
        read(group(http("${__P(" * 5000)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["log", "entries", "request", "url", "method", "headers", "name", "value", "postData", "text", "params"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON)
def test_any_json_is_an_archive_or_an_error(value):
    for content in (value, {"log": {"entries": [value]}}, {"log": {"entries": [{"request": value}]}}):
        try:
            found = read_har(json.dumps(content).encode(), "test.har")
        except UsageError as error:
            assert error.why  # noqa: PT017 - likewise
        else:
            assert found.steps


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"method": "GET", "url": "data:text/plain,x"}, "No request in it"),
        ({"method": "GET"}, "Entry 1"),
        ({"method": "GET", "url": "http://h:99999/"}, "Entry 1"),
        (
            {
                "method": "POST",
                "url": "http://h/",
                "postData": {"mimeType": "multipart/form-data", "params": [{"name": "f"}]},
            },
            "No request in it",
        ),
        ({"method": "POST", "url": "http://h/", "postData": {"text": "%", "encoding": "base64"}}, "not base64"),
    ],
)
def test_what_cannot_be_sent_again_is_told(request_, says):
    with pytest.raises(UsageError, match=says):
        read_har(json.dumps({"log": {"entries": [{"request": request_}]}}).encode(), "test.har")


def test_a_form_without_its_text_is_put_together_from_its_fields():
    posted = {
        "mimeType": "application/x-www-form-urlencoded",
        "params": [{"name": "a b", "value": "c&d"}, {"name": "e"}],
    }
    content = json.dumps(
        {"log": {"entries": [{"request": {"method": "POST", "url": "http://h/", "postData": posted}}]}}
    )
    (step,) = read_har(content.encode(), "test.har").steps

    assert (step.body, dict(step.headers)["Content-Type"]) == (b"a+b=c%26d&e=", posted["mimeType"])
