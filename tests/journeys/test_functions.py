"""Functions return what JMeter's return."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from journeys.function_cases import OF_JMETER
from journeys.known_client import known_client

from holdfast.jmeter.merged import template_call
from holdfast.journeys.context import FunctionError
from holdfast.journeys.functions import FUNCTIONS, wrong_number
from holdfast.journeys.functions_request import KEEP, KEPT
from holdfast.journeys.references import template_of
from holdfast.model.answers import FunctionCall


def called(text: str, **known: object) -> str:
    return known_client(**known).replaced(text)  # type: ignore[arg-type]


def call_once(text: str) -> str:
    """What one call of a function returns; raises what it raises."""
    (call,) = template_of(text)
    assert isinstance(call, FunctionCall)
    return FUNCTIONS[call.name](["".join(map(str, each)) for each in call.arguments], known_client())


def test_functions_return_what_jmeter_returns() -> None:
    client = known_client(variables={"letters": "vanivnov"})

    found = [client.replaced(text) for text, _ in OF_JMETER]

    assert found == [value for _, value in OF_JMETER]


def test_what_is_null_in_groovy_is_the_empty_text() -> None:
    """apache/jmeter 5.5, Groovy.java; a While Controller ends with a failure then, and with "null" never."""
    assert called('${__groovy(vars["none"]?.isEmpty(),)}') == ""


# Source: undera/jmeter-plugins, plugins/functions/src/test (Base64EncodeTest, DoubleSumTest, SubstringTest, IfTest,
# MD5Test, LowerCaseTest), and the code beside it.
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${__base64Encode(mole:dig)}", "bW9sZTpkaWc="),
        ("${__base64Decode(bW9sZTpkaWc=,b)}${b}", "mole:digmole:dig"),
        ("${__base64Decode(bW9s ZTpkaWc)}", "mole:dig"),
        ("${__substring(isTested,2,6)}", "Test"),
        ("${__strLen(four)}", "4"),
        ("${__strReplace(a-b-c,-,+)}", "a+b+c"),
        ("${__strReplaceRegex(a1b22,([a-z])(\\d+),<$2$1>)}", "<1a><22b>"),
        ("${__caseFormat(some_text here)} ${__caseFormat(some Text,UPPER_CAMEL_CASE)}", "someTextHere SomeText"),
        ("${__caseFormat(some Text,kebab_case)} ${__caseFormat(some Text,train_case,v)}", "some-text SOME-TEXT"),
        ("${__lowercase(ABC)}${__uppercase(abc)}", "abcABC"),
        ("${__if(a,a,yes,no)}${__if(a,b,yes,no,v)}${v}", "yesnono"),
        ("${__doubleSum(1,2.5,total)} ${total}", "3.5 3.5"),
        ("${__doubleSum(1e7,0)} ${__doubleSum(0.0001,0)} ${__doubleSum(12345678.5,0)}", "1.0E7 1.0E-4 1.23456785E7"),
        ("${__MD5(a)}", "0cc175b9c0f1b6a831c399e269772661"),  # RFC 1321, A.5
        ("${__isDefined(total)}", "0"),
        ("${__iterationNum}", "3"),
        ("${__env(HOLE)} ${__env(NONE)} ${__env(NONE,,plain)}", "deep NONE plain"),
    ],
)
def test_functions_of_the_plugin_return_what_its_source_says(text: str, value: str) -> None:
    assert called(text, iteration=3, environment={"HOLE": "deep"}) == value


@pytest.mark.parametrize(
    ("pattern", "value"),
    # Source: java.time.format.DateTimeFormatter, "Patterns for Formatting and Parsing".
    [
        ("", "1709294400123"),
        ("/1000", "1709294400"),
        ("yyyy-MM-dd", "%Y-%m-%d"),
        ("HH:mm:ss.SSS", "%H:%M:%S.123"),
        ("dd MMMM yyyy", "%d March %Y"),
        ("d/M/yy", "1/3/24"),
        ("EEEE EEE", "Friday Fri"),
        ("'day' D ''", "day 61 '"),
        ("YMD", "%Y%m%d"),
        ("YMDHMS", "%Y%m%d-%H%M%S"),
        ("Z", "%z"),
    ],
)
def test_a_time_is_written_in_java_s_patterns(pattern: str, value: str) -> None:
    # 2024-03-01 12:00:00.123 UTC
    moment = datetime.fromtimestamp(1709294400).astimezone()

    assert called(f"${{__time({pattern},)}}") == moment.strftime(value)


@pytest.mark.parametrize("pattern", ["b", "yyyy 'open", "MMMMMM", "{"])
def test_a_date_pattern_that_java_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(FunctionError, match="date pattern"):
        call_once(f"${{__time({pattern},)}}")


def test_chance_stays_within_what_was_asked() -> None:
    client = known_client()

    numbers = {client.replaced("${__Random(5,9)}") for _ in range(200)}
    words = {client.replaced("${__RandomString(6,abc)}") for _ in range(50)}
    days = {client.replaced("${__RandomDate(,2024-02-27,2024-03-02,,)}") for _ in range(200)}

    assert numbers == set("56789")
    assert all(re.fullmatch("[abc]{6}", each) for each in words)
    assert days == {"2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"}


def test_a_uuid_is_of_version_4() -> None:
    found = called("${__UUID}")

    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", found)


def test_each_client_reads_its_row_and_all_read_on_together() -> None:
    files = {"moles.csv": b"ann,red\nben,blue\n"}
    first = known_client(files=files)
    second = known_client(files=files, client=2, remembered=first.remembered)
    text = "${__CSVRead(moles.csv,0)}/${__CSVRead(moles.csv,1)}"

    rows = [first.replaced(text), second.replaced(text), first.replaced(text)]
    after = first.replaced("${__CSVRead(moles.csv,next)}" + text)

    assert rows == ["ann/red", "ben/blue", "ann/red"]
    assert after == "ann/red"


def test_what_is_kept_for_a_request_goes_with_its_client() -> None:
    client = known_client()

    kept = client.filled(template_call(KEEP, [("7 name 0",), ("moles",)]))
    again = client.filled(template_call(KEPT, [("7 name 0",)]))

    assert (kept, again) == ("moles", "moles")
    assert client.remembered == {}


def test_lines_of_a_file_are_taken_in_turn_and_begin_again() -> None:
    client = known_client(files={"names.txt": b"ann\r\nben\n"})
    template = template_of("${__StringFromFile(names.txt,who)}")

    assert [client.filled(template) for _ in range(3)] == ["ann", "ben", "ann"]
    assert client.variables["who"] == "ann"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("${__intSum(1,x,3)}", "not a whole number"),
        ("${__Random(9,5)}", "greater than the second"),
        ("${__Random(1)}", "1 arguments, and takes 2 to 3"),
        ("${__FileToString(none.txt)}", "no file 'none.txt'"),
        ("${__substring(abc,2,9)}", "not within its text"),
        ("${__timeShift(d MMMM,,,fr_FR,)}", "English names"),
        ("${__RandomDate(,2024-01-01,2024-01-01,,)}", "not after its begin"),
        ("${__urldecode(%zz)}", "two hexadecimal digits"),
    ],
)
def test_what_has_no_value_says_why(text: str, why: str) -> None:
    with pytest.raises(FunctionError, match=why):
        call_once(text)


def test_a_wrong_number_of_arguments_is_named() -> None:
    # Source: apache/jmeter, Property2.java: __P takes one or two.
    assert wrong_number("__P", 2) == ""
    assert wrong_number("__P", 3) == "__P has 3 arguments; it takes 1 to 2."
    assert wrong_number("__UUID", 1) == "__UUID has 1 argument; it takes none."
    assert wrong_number("__intSum", 1) == "__intSum has 1 argument; it takes at least 2."


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name.startswith("__")])
def test_no_argument_makes_a_function_fail_without_a_reason(name: str) -> None:
    for each in ["", "x", "-1", "0", "\\", "%", "'", "\x00", "é" * 100]:
        assert _text_or_reason(name, [each] * max(1, FUNCTIONS[name].least))


def _text_or_reason(name: str, arguments: list[str]) -> bool:
    try:
        return isinstance(FUNCTIONS[name](arguments, known_client()), str)
    except FunctionError as error:
        return bool(str(error))
