"""What an expression says of a result, and where it goes wrong."""

from __future__ import annotations

from typing import Any

import pytest
from checked_results import EXPLANATION, LOAD, LOADED, RESULT, VERDICT

from holdfast.checks.evaluate import check
from holdfast.checks.expectation import expectation_of
from holdfast.checks.fields import Fields
from holdfast.checks.load_fields import label_of, with_errors
from holdfast.checks.syntax import DEEPEST
from holdfast.checks.tokens import MOST_CHARACTERS
from holdfast.errors import UsageError
from holdfast.model.check import Checked


def of_verdict(text: str, **different: Any) -> Checked:
    result = {**RESULT, **different}
    return check(expectation_of(text, VERDICT), lambda _name: result)


def of_load(text: str) -> Checked:
    whole = with_errors(LOADED)
    return check(expectation_of(text, LOAD), lambda name: label_of(LOADED, name.selected) if name.selector else whole)


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("in_service >= 8", True),
        ("in_service>8", False),
        ("ceiling.in_service == 8", True),
        ("8 <= in_service", True),
        ("4 <= in_service <= 8", True),
        ("4 <= in_service < 8", False),
        ("places.in_service == 7", True),
        ("places.in_service < in_service", True),
        ("kind == 'thread-pool'", True),
        ('kind != "thread-pool"', False),
        ("kind in ['serial', 'thread-pool']", True),
        ("kind not in ['serial', 'thread-pool']", False),
        ("'syn' in then", True),
        ("'syn' not in overflow.then", False),
        ("4 in spread and not 8 in spread", True),
        ("at_exact_load == [8, 8]", True),
        ("bounded", True),
        ("not bounded", False),
        ("bounded == true", True),
        ("in_service == 1 or bounded", True),
        # `and` binds closer than `or`, and `not` closer than both.
        ("bounded or bounded and in_service == 1", True),
        ("(bounded or bounded) and in_service == 1", False),
        ("not bounded or bounded", True),
        ("not (bounded or bounded)", False),
        ("offered == 20", True),
        ("descriptors == 1", True),
        ("descriptors < -1", False),
        ("in_service\n>=\t8", True),
    ],
)
def test_an_expression_is_true_or_false_of_a_result(text: str, *, met: bool) -> None:
    assert of_verdict(text).met is met


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("total_s == 1.5", True),  # a number alone is in the unit of the field
        ("total_s == 1500ms", True),
        ("total_s <= 1.5 s", True),
        ("total_s < 1m", True),
        ("pacing_lag_p99_us < 1ms", True),
        ("pacing_lag_p99_us == 0.3ms", True),  # exact, as it is written
        ("memory_bytes == 3MiB", True),
        ("memory_bytes < 3M", False),  # powers of 1024, as for every option
        ("memory_bytes <= 3072KiB", True),
        ("3145728 == memory_bytes", True),
    ],
)
def test_numbers_are_compared_in_their_units(text: str, *, met: bool) -> None:
    assert of_verdict(text).met is met


@pytest.mark.parametrize(
    ("text", "met"),
    [
        # The names of `--threshold`, as docs/load.md has them.
        ("p99<=200ms", True),
        ("p99 < 0.2s", False),
        ("errors<5.1%", True),
        ("errors < 5%", False),
        ("errors == 10", True),
        ("rate>=49/s", True),
        ("rate > 2994/m", False),  # 49.9/s
        ("latency_from_sent_ms.p99 < 150", True),
        ("statuses.503 == 10", True),
        ("statuses.404 == 0", True),
        ("outcomes.rejected <= 5%", True),
        ("outcomes.refused == 0", True),
        ("label('GET /').p99 < 100ms", True),
        ("label('GET /').latency_from_due_ms.p99 == 90", True),
        ("label('GET /').errors == 0 and p99 > 100ms", True),
        ("label('it\\'s').errors == 10%", True),
        ('label("it\'s").errors <= 9%', False),
    ],
)
def test_a_load_and_its_labels_can_be_expected_something_of(text: str, *, met: bool) -> None:
    assert of_load(text).met is met


def test_a_load_with_one_label_has_that_of_the_whole() -> None:
    alone = {**LOADED, "steps": []}

    found = check(expectation_of("label('GET /').p99 == 200", LOAD), lambda name: label_of(alone, name.selected))

    assert found.met


@pytest.mark.parametrize(
    "text",
    [
        "client_sees != 'reset'",
        "client_sees == 'reset'",
        "client_sees in ['reset', 'closed']",
        "client_sees not in ['reset']",
        "not client_sees == 'reset'",
        "bounded and client_sees == 'reset'",
        "in_service == 1 or client_sees == 'reset'",
    ],
)
def test_what_depends_on_a_null_is_not_met_and_says_why(text: str) -> None:
    found = of_verdict(text)

    assert not found.met
    assert found.why == "overflow.client_sees is null: no request got that far"
    assert found.found["overflow.client_sees"] is None


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("client_sees == null", True),
        ("client_sees != null", False),
        ("null == client_sees", True),
        ("in_service == null", False),
        ("in_service != null", True),
        ("client_sees in ['reset', null]", True),
        ("kind in ['serial', null]", False),
        ("call == null", True),
        ("call.bodies == null", True),
        # What does not depend on the null has an answer.
        ("bounded or client_sees == 'reset'", True),
        ("in_service == 1 and client_sees == 'reset'", False),
    ],
)
def test_what_is_compared_with_null_or_does_not_depend_on_one_has_an_answer(text: str, *, met: bool) -> None:
    found = of_verdict(text)

    assert (found.met, found.why) == (met, "")


def test_the_reason_of_a_record_is_that_of_its_fields() -> None:
    assert of_verdict("call.bodies > 3").why == "call.bodies is null: --call was not asked for"


def test_an_explanation_has_the_reasons_of_its_verdict_and_its_own() -> None:
    explained = {"verdict": RESULT, "overload": None}

    def why(text: str) -> str:
        return check(expectation_of(text, EXPLANATION), lambda _name: explained).why

    assert why("client_sees == 'reset'") == "verdict.overflow.client_sees is null: no request got that far"
    assert why("overload.throughput_per_s > 3").endswith("--overload was not asked for, or it ended before")


def test_of_nothing_there_is_no_percentage() -> None:
    nothing = {**LOADED, "offered": 0, "outcomes": {"answered": 0}}

    found = check(expectation_of("errors < 1%", LOAD), lambda _name: with_errors(nothing))

    assert (found.met, found.why) == (False, "errors has no percentage: offered is 0")


def test_what_was_found_is_said_with_its_unit_and_by_full_names() -> None:
    assert of_verdict("total_s < 1").shown == "1.5 s"
    assert of_load("errors < 1%").shown == "10 (5.00%)"
    found = of_verdict("in_service == 8 and kind == 'serial' and in_service < 9")
    assert found.shown == "ceiling.in_service 8, model.kind thread-pool"
    assert found.found == {"ceiling.in_service": 8, "model.kind": "thread-pool"}
    assert of_load("label('GET /').p99 < 1").found == {"label('GET /').latency_from_due_ms.p99": 90.0}


# The rule: a full name; a name within the parts that say what a server can do; the one field that ends with it.
@pytest.mark.parametrize(
    ("fields", "name", "full"),
    [
        (VERDICT, "in_service", "ceiling.in_service"),
        (VERDICT, "places.in_service", "places.in_service"),
        (VERDICT, "processes", "model.processes"),
        (VERDICT, "cost.processes", "cost.processes"),
        (VERDICT, "offered", "offered"),
        (VERDICT, "accept_queue", "ceiling.accept_queue"),
        (VERDICT, "unplaced", "places.unplaced"),
        (VERDICT, "certificate_checked", "tls.certificate_checked"),
        (VERDICT, "alone.raised", "call.alone.raised"),
        (VERDICT, "unknown.ceiling.in_service", "unknown.ceiling.in_service"),
        (VERDICT, "replies.200", "call.replies.200"),
        (LOAD, "p99", "latency_from_due_ms.p99"),
        (LOAD, "rate", "throughput_per_s"),
        # A name means the same of an explanation as of its verdict.
        (EXPLANATION, "in_service", "verdict.ceiling.in_service"),
        (EXPLANATION, "cost.memory_bytes", "verdict.cost.memory_bytes"),
        (EXPLANATION, "cost.memory_bytes.value", "cost.memory_bytes.value"),
        (EXPLANATION, "reached", "reached"),
    ],
)
def test_a_name_means_one_field(fields: Fields, name: str, full: str) -> None:
    (field,) = expectation_of(f"{name} != null", fields).fields.values()

    assert field.name == full


@pytest.mark.parametrize(
    ("text", "what", "mark", "remedy"),
    [
        ("in_servce >= 16", "a verdict has no field in_servce", "in_servce", "Did you mean in_service"),
        ("bounded and max > 3", "max can mean several fields", "max", "call.stop_ms.max, call.stopped_ms.max"),
        ("kind == 'thread-pol'", "model.kind is never 'thread-pol'", "'thread-pol'", "Did you mean 'thread-pool'?"),
        ("in_service >= 16ms", "ceiling.in_service has no unit", "16ms", "the number alone"),
        ("total_s < 3MiB", "MiB is not a unit of timing.total_s", "3MiB", "It is in s"),
        ("total_s < 3%", "so it has no percentage", "3%", "Write a number"),
        ("total_s < memory_bytes", "are in different units", "total_s < memory_bytes", "with a number"),
        ("total_s < 3seconds", "'seconds' is not a unit", "seconds", "Units are us, ms, s"),
        ("in_service >= '16'", "this is a text", "'16'", "by == or !="),
        ("in_service == '16'", "compared with a number", "'16'", "a text in quotes"),
        ("client_sees == 503", "compared with a text", "503", "a text in quotes"),
        ("bounded < true", "only numbers are more or less", "bounded", "by == or !="),
        ("in_service < null", "and this is null", "null", "by == or !="),
        ("in_service", "ceiling.in_service is a number, and is compared with nothing", "in_service", ">= 16"),
        ("'reset'", "a value alone says nothing", "'reset'", "Compare it"),
        ("1 < 2", "it names no field", "1 < 2", "in_service >= 16"),
        ("in_service in 8", "nothing can be in this", "8", "a list"),
        ("'x' in client_sees", "in which nothing can be", "client_sees", "a list"),
        ("in_service = 16", "= has no meaning here", "=", "Write == instead"),
        ("bounded && bounded", "&& has no meaning here", "&&", "Write and instead"),
        ("!bounded", "! has no meaning here", "!", "Write not instead"),
        ("bounded == True", "True has no meaning here", "True", "Write true instead"),
        ("in_service === 16", "=== has no meaning here", "===", "Write == instead"),
        ("in_service 16", "not expected here", "16", "`and` or `or`"),
        ("(in_service == 16", "it ends too early", "", "Write ) to close"),
        ("kind in ['serial'", "it ends too early", "", "Write ] to close"),
        ("in_service >=", "it ends too early", "", "in_service >= 16"),
        ("", "it ends too early", "", "in_service >= 16"),
        ("client_sees == 'reset", "does not end", "'reset", "Write ' behind it"),
        ("in_service == $8", "no meaning here", "$", "in quotes"),
        ("(in_service == 8) == true", "a comparison is compared", "in_service == 8", "`and` or `or`"),
        ("label('x').p99 < 3", "a verdict has no label('...')", "label('x').p99", "none"),
        ("kind() == 3", "a name in quotes was expected here", ")", "kind('...').FIELD"),
    ],
)
def test_a_mistake_is_shown_where_it_is_with_what_to_write_instead(
    text: str, what: str, mark: str, remedy: str
) -> None:
    with pytest.raises(UsageError) as caught:
        expectation_of(text, VERDICT)

    assert what in caught.value.what
    assert remedy in caught.value.remedy
    shown, marks = caught.value.why.split("\n")
    at, length = marks.index("^"), marks.count("^")
    assert shown == text
    assert text[at : at + length] == mark or (mark == "" and at == len(text))


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("label('x').p9 < 3", "the result of a label has no field p9", "p95"),
        ("row('x').p99 < 3", "the result of a load has no row('...')", "label('...')"),
        ("outcomes.rejcted == 0", "outcomes has no rejcted", "outcomes.rejected"),
        ("label('x') < 3", "a field was expected here", "label('...').FIELD"),
    ],
)
def test_a_mistake_about_a_load_is_said(text: str, what: str, remedy: str) -> None:
    with pytest.raises(UsageError) as caught:
        expectation_of(text, LOAD)

    assert what in caught.value.what
    assert remedy in caught.value.remedy


def test_the_mark_is_below_its_characters_whatever_is_before_them() -> None:
    long = "in_service == 8 and " * 20 + "nothing == 1" + " and bounded" * 20
    # Han characters take two columns (Unicode TR 11), a combining accent none; a control character is an escape.
    for text, before in (
        (long, None),
        ("'中文' == x", "'中文' == "),
        ("'a\u0301' == x", "'a\u0301' == "),
        ("'\x1b[' == x", "'\\x1b[' == "),
    ):
        with pytest.raises(UsageError) as caught:
            expectation_of(text, VERDICT)
        shown, marks = caught.value.why.split("\n")
        assert len(shown) <= 60
        if before is None:
            assert shown[marks.index("^") : marks.index("^") + marks.count("^")] == "nothing"
        else:
            assert shown.startswith(before)
            wide = sum(2 if each in "中文" else 0 if each == "\u0301" else 1 for each in before)
            assert marks == " " * wide + "^"


def test_brackets_and_not_are_refused_where_they_are_too_deep() -> None:
    deep = DEEPEST
    assert of_verdict("(" * deep + "bounded" + ")" * deep).met
    assert of_verdict("not " * deep + "bounded").met is (deep % 2 == 0)
    for text in ("(" * (deep + 1) + "bounded" + ")" * (deep + 1), "not " * (deep + 1) + "bounded", "(" * 900):
        with pytest.raises(UsageError, match="within each other"):
            expectation_of(text, VERDICT)


def test_an_expression_that_is_too_long_is_refused() -> None:
    for text in ("in_service == 8".ljust(MOST_CHARACTERS), "bounded" + " or bounded" * 90):
        assert of_verdict(text).met
    with pytest.raises(UsageError, match="1001 characters"):
        expectation_of("in_service == 8".ljust(MOST_CHARACTERS + 1), VERDICT)
