"""What conditions come to, in the rules of the language in which they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journeys.known_client import known_client

from holdfast.journeys.conditions import chooses, value_of
from holdfast.journeys.deciding import holds
from holdfast.journeys.references import template_of
from holdfast.journeys.templates import FunctionFailsError, text_of
from holdfast.model.answers import Answer
from holdfast.model.journey import Condition

CLIENT = known_client({"state": "done", "n": "3", "empty": ""})


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('"done" == "done"', True),
        ("'done' != \"done\"", False),
        ("3 < 10", True),
        ("3 >= 3 && !(2 > 5)", True),
        ('"a" == "b" || "c" == "c" && 1 == 2', False),
        ("not (1 eq 2) and 3 le 4", True),
        ('"abc" =~ "b"', True),
        ('"done".equals("done")', True),
        ('"Done".equalsIgnoreCase("dONE")', True),
        ('"abc".contains("b") && "abc".startsWith("ab") && !"abc".endsWith("b")', True),
        ('"abc".length() == 3', True),
        ('vars.get("state") == "done"', True),
        ('vars["state"] == "done" && vars.get("none") == null', True),
        ('vars.get("none") == null || vars.get("none").length() > 2', True),
        ('vars.get("none") != null && vars.get("none").length() > 2', False),
        ("parseInt('12') > 5", True),
        ("state == 'done'", True),
        ("n + 1 == 4", True),
        ("7 % 2 == 1", True),
        ('"a" == "a" // a comment', True),
        ("true", True),
        ("(1 < 2) == true", True),
    ],
)
def test_a_condition_holds_or_not(text: str, *, holds: bool) -> None:
    assert value_of(text, "own", CLIENT) is holds


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        # ECMA-262, 7.2.14: a text is compared with a number as a number, and with a text as a text.
        ('"3" == 3', "javascript", True),
        ('"3" === 3', "javascript", False),
        ('"10" < "9"', "javascript", True),
        ('"10" < 9', "javascript", False),
        # ... and a truth as 0 or 1.
        ('"1" == true', "javascript", True),
        ('"true" == true', "javascript", False),
        # JexlArithmetic, equals and compare.
        ('"3" == 3', "jexl", True),
        ('"10" > 9', "jexl", True),
        # toBoolean: a text is true unless it is empty or "false".
        ('"true" == true', "jexl", True),
        ('"false" == true', "jexl", False),
        ("5 / 2", "jexl", 2.0),
        ('"2" + 3', "jexl", "23"),
        ('"2" + "3"', "jexl", "23"),
        ("2 % 2 == 0", "jexl", True),
        # As JMeter 5.5 does (tests/oracle, numbers-in-conditions).
        ('"9.5" < 10.0', "jexl", True),
        ('"" == 0', "jexl", True),
        ('true || "abc" == 1', "jexl", True),
        ("012 == 10", "jexl", True),
        ("0x10 == 16", "groovy", True),
        ("08 == 8", "javascript", True),
        ('!("abc" < 1)', "javascript", True),
        ("012 == 12", "own", True),
        # Groovy compares a text with a number never as equal.
        ('"3" == 3', "groovy", False),
        ('"3".toInteger() == 3', "groovy", True),
        ('"abc" ==~ "b"', "groovy", False),
        ('"abc" =~ "b" && true', "groovy", True),
        # A matcher by itself is neither true nor false.
        ('"abc" =~ "b"', "groovy", 1.0),
    ],
)
def test_a_comparison_follows_the_rules_of_its_language(text: str, language: str, found: object) -> None:
    assert value_of(text, language, CLIENT) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # BigDecimalMath.java: sums of decimal numbers are exact, and end or have ten digits behind the point.
        ("0.1 + 0.2 == 0.3 && 0.1 + 0.2 <= 0.3 && !(0.1 + 0.2 > 0.3)", True),
        ("0.3 - 0.1 == 0.2 && 3 * 0.1 == 0.3 && 1.1 * 1.1 == 1.21", True),
        ("1 / 3 == 0.3333333333 && 2 / -3 == -0.6666666667", True),
        ("1 / 3 * 3 == 1", False),
        ('"" + 12345678901234567890 / 7 == "1763668414462081127.1428571429"', True),
        ('"" + 1.0 * 3 == "3.0" && "" + 2.00 / 4 == "0.50" && "" + 10.0 / 5 == "2.0"', True),
        ('"" + 1e3 == "1E+3" && 1.0 == 1 && 1.50 == 1.5', True),
        ("9223372036854775807 + 0.5 > 9223372036854775807", True),
        ("((0.1 + 0.7) * 10 as int) == 8 && 19.99 * 100 == 1999", True),
        ('("0.1" as BigDecimal) + 0.2 == 0.3', True),
        # NumberMath.java: a double makes it a sum of doubles.
        ("0.1d + 0.2 == 0.3", False),
        ('("0.1" as double) + 0.2 == 0.3', False),
        ("(0.3 as double) == 0.3 && !(0.5 < null)", True),
    ],
)
def test_decimal_numbers_of_groovy_have_all_their_digits(text: str, found: bool) -> None:  # noqa: FBT001
    assert value_of(text, "groovy", CLIENT) is found


def test_there_is_no_remainder_of_groovys_decimal_numbers() -> None:
    with pytest.raises(ValueError, match="no remainder"):
        value_of("5.0 % 2 == 1", "groovy", CLIENT)


def test_a_sum_of_a_billion_digits_is_not_reckoned() -> None:
    with pytest.raises(ValueError, match="too many digits"):
        value_of("1e999999 + 0.5 > 1", "groovy", CLIENT)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        # ECMA-262, 6.1.6.1.20.
        ('"" + parseInt("12345678901234567890")', "12345678901234567000"),
        ('"" + parseInt("-12345678901234567890")', "-12345678901234567000"),
        ('"" + 1e21', "1e+21"),
        ('"" + 1e20', "100000000000000000000"),
        ('"" + 0.000001', "0.000001"),
        ('"" + 1.5e-7', "1.5e-7"),
        ('"" + 123.456', "123.456"),
    ],
)
def test_numbers_of_javascript_are_written_as_it_writes_them(text: str, written: str) -> None:
    assert value_of(text, "javascript", CLIENT) == written


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        # ECMA-262, 7.1.4, 13.10, 19.2.5: NaN is like nothing, null is 0 where it is compared, undefined NaN.
        ('parseInt(vars.get("none")) <= 5', "javascript", False),
        ('!(parseInt("abc") < 5) && parseInt("abc") != 5', "javascript", True),
        ('vars.get("none") < 5 && vars.get("none") >= 0', "javascript", True),
        ("undefined < 5 || undefined >= 5", "javascript", False),
        ("undefined == null && undefined !== null && null !== undefined", "javascript", True),
        ('parseInt("12px") == 12 && parseInt("-0x1f") == -31 && parseInt("z", 36) == 35', "javascript", True),
        ("1 / 0 > 5 && !(0 / 0 < 1) && !(1 % 0 < 1)", "javascript", True),
        ('!"false"', "javascript", False),
        # 13.13: && and || come to the part that decides.
        ('parseInt(vars.get("none") || 0) == 0', "javascript", True),
        ('(vars.get("n") && "y") == "y"', "javascript", True),
        # Rhino: a text of Java's is an object.
        ('!vars.get("empty")', "javascript", False),
        ('vars.get("n") == "3" && vars.get("n") !== "3"', "javascript", True),
        ('vars.get("n").length == 1', "javascript", False),
        ('"${n}".length == 4 && vars.get("n").length() == 1', "javascript", True),
        ('"abc".substring(2, 1) == "b"', "javascript", True),
        # DefaultTypeTransformation, compareTo: nothing is the least; a text of one character is compared by its code.
        ('vars.get("none") < -5 && !(vars.get("none") >= vars.get("n"))', "groovy", True),
        ('"3" == 51 && "3" > 50', "groovy", True),
        # StringGroovyMethods, minus, multiply, toInteger, asType.
        ("'${n}' - 'n' == '${}' && 'ab' * 2 == 'abab'", "groovy", True),
        (
            '(vars.get("n") as int) == 3 && (" 7 " as Long) == 7 && (vars.get("none") as Integer) == null',
            "groovy",
            True,
        ),
        # Groovy's language documentation: the Elvis operator and safe navigation.
        ('(vars.get("none") ?: "0").toInteger() == 0 && (vars.get("n") ?: "0").toInteger() == 3', "groovy", True),
        ('vars.get("none")?.trim()?.length() == null && vars.get("n")?.length() == 1', "groovy", True),
        # JexlArithmetic: a method of nothing comes to nothing.
        ('vars.get("none").length() > 1', "jexl", False),
    ],
)
def test_odd_values_have_the_meaning_of_their_language(text: str, language: str, found: object) -> None:
    """As JMeter 5.5 does (tests/oracle, conditions-of-odd-values-*)."""
    assert value_of(text, language, CLIENT) is found
    value_of(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('vars.get("none").toInteger() < 5', "groovy"),
        ('"12345678901".toInteger() > 5', "groovy"),
        ('Integer.parseInt(" 7 ") == 7', "groovy"),
        ('(vars.get("none") as int) < 5', "groovy"),
        ('"abc" < 5', "groovy"),
        ("null + 1 == 1", "groovy"),
        ('-"3" < 0', "groovy"),
        ("5 % 0 == 1", "groovy"),
        ("null + 1 == 1", "jexl"),
        ('!vars.get("none")', "jexl"),
        ('vars.get("none") && true', "jexl"),
        ('-"3" < 0', "jexl"),
        ('vars.get("none").length() > 1', "javascript"),
    ],
)
def test_what_a_language_cannot_work_out_ends_the_script_but_can_be_read(text: str, language: str) -> None:
    with pytest.raises(ValueError, match=r"number|nothing|no value|order|zero"):
        value_of(text, language, CLIENT)
    value_of(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('"abc".contains("b")', "javascript"),
        ('"abc".length() == 3', "javascript"),
        ('vars["n"] == "3"', "javascript"),
        ("prev.isSuccessful()", "javascript"),
        ('Integer.parseInt("3") == 3', "javascript"),
        ('vars.get("n") == "3"', "script"),
        ('"abc".includes("b")', "groovy"),
        ('"abc".length == 3', "groovy"),
        ('parseInt("3") == 3', "groovy"),
        ('("3" as List) == 3', "groovy"),
        ('"3".toInteger() == 3', "jexl"),
        ('parseInt("3") == 3', "jexl"),
        ("prev.isSuccessful()", "jexl"),
    ],
)
def test_what_a_language_does_not_have_is_not_read(text: str, language: str) -> None:
    with pytest.raises(ValueError, match=r"is not (?:known|defined)"):
        value_of(text, language)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "java.lang.System.exit(0)",
        "new File('x')",
        'vars.put("a", "b")',
        "def x = 1; x == 1",
        '"a".getClass()',
        "1 == 1; exit()",
        "(" * 60 + "1" + ")" * 60,
        '"not closed',
        "x -> 1",
        "sleep(1)",
        "${x} == 1",
    ],
)
def test_what_is_more_than_a_condition_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ
        value_of(text, "own", CLIENT)


@given(st.text(max_size=60))
def test_any_text_has_a_value_or_is_not_read(text: str) -> None:
    try:
        value = value_of(text, "own", CLIENT)
    except ValueError:
        return
    assert value is None or isinstance(value, (bool, int, float, str))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"a" == "b" ? 2000 : 0', 0),
        ('1 < 2 ? "x" : "y"', "x"),
        ("1 > 2 ? 1 : 2 > 1 ? 3 : 4", 3),
        ('(1 > 2 ? "a" : "b") == "b" && true', True),
    ],
)
def test_a_comparison_chooses_between_two_values(text: str, found: object) -> None:
    assert value_of(text, "groovy") == found


@pytest.mark.parametrize("text", ['"a" ? 1 : 2', "1 ? 2 : 3", "true ? 1", "true ? 1 : ", "1 < 2 ? : 3"])
def test_a_choice_by_something_else_or_without_two_values_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"comparison|understood|missing|ends"):
        value_of(text, "groovy")


def test_only_a_choice_between_written_values_is_one() -> None:
    assert chooses('"a" == "b" ? "x" : 0')
    assert not any(map(chooses, ("1 == 1", "1 == 1 ? 2 : 3 + 4", "1 == 1 ? 2.5 : 0", "1 < 2 ? 3 : 4 < 5 ? 6 : 7", "7")))


def test_a_part_that_no_longer_matters_is_not_looked_at() -> None:
    assert value_of('1 == 1 || "x".substring(9) == "y"', "own", CLIENT) is True


def test_the_last_answer_can_be_asked_for() -> None:
    client = known_client(answer=Answer("", answered=False, status=503, message="Busy", head="", body=b"try later"))

    assert value_of('prev.getResponseCode() == "503"', "groovy", client) is True
    assert value_of('prev.isSuccessful() || prev.getResponseDataAsString().contains("later")', "groovy", client) is True


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('${__jexl3("${state}" != "done",)}', "false"),
        ("${__jexl3(${n} % 2 == 0,)}", "false"),
        ('${__groovy(vars.get("state").equals("done"),)}', "true"),
        ('${__javaScript("${n}" == 3,kept)}', "true"),
        ("${__jexl3(${none} == 1,)}", ""),
    ],
)
def test_a_script_function_with_a_condition_is_read_and_not_run(text: str, found: str) -> None:
    assert text_of(template_of(text), CLIENT) == found


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('"abc" != 200', "jexl"),
        ('"9.5" < 10', "jexl"),
        ('"1e1" == 10', "jexl"),
        ("08 == 8", "jexl"),
        ("8L", "javascript"),
    ],
)
def test_what_ends_a_script_with_an_error_is_no_condition_that_holds(text: str, language: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be compared|is not a number"):
        value_of(text, language, CLIENT)


@pytest.mark.parametrize("language", ["javascript", "groovy", "jexl"])
def test_a_not_of_script_languages_is_that_of_the_next_value_alone(language: str) -> None:
    """As JMeter 5.5 has it (tests/oracle, conditions-of-odd-values-...)."""
    assert value_of('!vars.get("state") == "other"', language, CLIENT) is False
    assert value_of('!(vars.get("state") == "other")', language, CLIENT) is True


@pytest.mark.parametrize(
    "text",
    [
        'parseInt(vars.get("long")) > 5',
        'Number(vars.get("hex")) > 5',
        'parseInt(vars.get("hex")) > 5',
        'parseInt("12", vars.get("long")) == 12',
        '"" + parseInt(vars.get("none")) == "NaN"',
        '"" + parseInt(vars.get("long")) == "Infinity"',
        '!(parseInt("08") >= 0)',
        'parseInt("010") == 8',
    ],
)
def test_numbers_of_javascript_may_be_infinite_or_none(text: str) -> None:
    client = known_client({"long": "9" * 400, "hex": "0x" + "f" * 400})

    assert value_of(text, "javascript", client) is True


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('"ab".substring(vars.get("long")) == "a"', "own"),
        ("(1e400 as int) == 0", "groovy"),
    ],
)
def test_a_number_that_is_too_large_ends_a_script_with_an_error(text: str, language: str) -> None:
    with pytest.raises(ValueError, match="too large"):
        value_of(text, language, known_client({"long": "9" * 400}))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('vars.get("state") =~ "(x+x+)+y"', "jexl"),
        ('vars.get("state").matches("(x+x+)+y")', "groovy"),
        ("'${state}' =~ '(x+x+)+y'", "groovy"),
    ],
)
def test_the_time_of_a_pattern_in_a_condition_is_bounded_and_said(text: str, language: str) -> None:
    client = known_client({"state": "x"})

    def out_of_time(_do: object) -> object:
        raise TimeoutError

    client.shared.within = out_of_time

    with pytest.raises(FunctionFailsError, match=r"'\(x\+x\+\)\+y' did not come to an end in time"):
        holds(Condition((text,), language), client)
    assert not isinstance(value_of(text, language), str)  # reading alone tries nothing


@pytest.mark.parametrize(
    ("text", "found"),
    [('"done" && "true"', True), ('3 > 2 ? "true" : "false"', True), ('"true" && "done"', False)],
)
def test_the_result_of_an_if_controller_s_own_script_may_be_the_word_true(text: str, found: bool) -> None:  # noqa: FBT001
    """As JMeter 5.5 has it (tests/oracle, conditions-of-odd-values-javaScript)."""
    assert holds(Condition((text,), "script"), CLIENT) is found
