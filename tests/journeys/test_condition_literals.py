r"""Texts in quotes, patterns and arguments in conditions, in the rules of the language in which they are written.

Expected values are what JMeter 5.5 made of the same texts (tests/oracle, conditions-of-odd-texts-*).
"""

from __future__ import annotations

import pytest
from journeys.known_client import known_client

from holdfast.jmeter.scripts import unreadable, unreadable_text
from holdfast.journeys.conditions import value_of
from holdfast.journeys.deciding import holds
from holdfast.journeys.references import template_of
from holdfast.journeys.templates import text_of
from holdfast.model.answers import FunctionCall
from holdfast.model.journey import Condition

VALUES = {"state": "done", "n": "3", "price": "US$5", "path": "C:\\new\\dir", "lines": "a\nb", "name": "Zoë"}
VALUES |= {"blank": " 7 ", "id": "1234567890123456788"}
CLIENT = known_client(VALUES)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        # Groovy, GroovyLexer.g4: a $ in double quotes begins a value of the script's own.
        ('${__groovy("${none}" != "DONE",)}', False),
        ('${__groovy("${price}" != "DONE",)}', False),
        ("${__groovy('${none}' != 'DONE',)}", True),
        ("${__groovy('${price}' == 'US$5',)}", True),
        ('${__groovy("${state}" != "DONE",)}', True),
        ('${__javaScript("${none}" != "DONE",)}', True),
        ('${__jexl3("${none}" != "DONE",)}', True),
        # A line that ends within quotes is an error in each.
        ('${__groovy("${lines}" != "",)}', False),
        ('${__javaScript("${lines}" != "",)}', False),
        ('${__jexl3("${lines}" != "",)}', False),
        # A backslash: Groovy knows few letters behind it, JavaScript leaves it out, JEXL keeps it.
        ('${__groovy("${path}" != "",)}', False),
        ('${__javaScript("${path}".indexOf("C:") == 0,)}', True),
        ('${__jexl3("${n}" =~ "\\d",)}', True),
        ('${__jexl3("${state}".matches("[^\\d]+"),)}', True),
    ],
)
def test_what_is_sent_where_a_value_has_signs_of_the_language_in_it(condition: str, *, found: bool) -> None:
    assert holds(Condition(template_of(condition), "words"), CLIENT) is found


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        (r'"US\$5" == ' + "'US$5'", "groovy", True),
        (r'"\u0064one" == "done" && "\101" == "A" && "\t\n\\".length() == 3', "groovy", True),
        (r'"\d" == "d" && "\x41\v\u0041" == "A" + "\013" + "A"', "javascript", True),
        (r'"\d".length() == 2 && "\u0064" == "d" && "\t".length() == 1 && "\"" == ' + "'\"'", "jexl", True),
        ('vars.get("name") ==~ "\\\\w+"', "groovy", False),
        ('"3".equals(3)', "groovy", False),
        ('"null".equals(vars.get("none"))', "groovy", False),
        ('"3".equals(3)', "jexl", False),
        ('"3".equals(3) && !vars.get("n").equals(3)', "javascript", True),
        ('vars.get("state").equalsIgnoreCase(vars.get("none"))', "groovy", False),
        ('"abc".length().equals("3")', "groovy", False),
        ('"a3".contains(3) && "a3".endsWith(3)', "jexl", True),
        ('vars.get("none").toString() == "null" && !vars.get("none").equals("x")', "groovy", True),
        # Only what counts is looked at: a name or a reference that stands for nothing may be behind a ||.
        ('vars.get("n") == "3" || "${none}" == "x" || ${none} > 3 || none > 3', "groovy", True),
        ('vars.get("n") == "3" || none > 3', "jexl", True),
        # Texts and numbers that are compared.
        ('!true > -1 && !"x" > "200"', "jexl", True),
        ('vars.get("blank") > 2.5', "jexl", True),
        (
            '1234567890123456788 == 1234567890123456789 || vars.get("id").toLong() > 1234567890123456788',
            "groovy",
            False,
        ),
        ('vars.get("id") == 1234567890123456789', "jexl", False),
    ],
)
def test_texts_and_what_is_asked_of_them(text: str, language: str, *, found: bool) -> None:
    assert value_of(text, language, CLIENT) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('vars.get("id").toLong() + 1 == 1234567890123456789', True),
        ('vars.get("id").toLong() - 1234567890123456787 == 1', True),
        ('(vars.get("id") as Long) + 1 > vars.get("id").toLong()', True),
        ('-vars.get("id").toLong() == -1234567890123456789', False),
        ('vars.get("id").toLong() % 10 == 8 && -vars.get("id").toLong() % 10 == -8', True),
        ('vars.get("id").toLong() / 2 == 617283945061728394', True),
        ('vars.get("id").toLong() * 10 > 0', False),  # a Long overflows
        ("9007199254740991 + 2 == 9007199254740993", True),
        ("12345678901234567890 - 1 == 12345678901234567889", True),
        ("5 / 2 == 2.5 && -7 % 4 == -3", True),
    ],
)
def test_whole_numbers_of_groovy_are_exact_in_sums_too(text: str, *, found: bool) -> None:
    assert value_of(text, "groovy", CLIENT) is found


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ('vars.get("state") ==~ "[^{}]+"', "groovy", True),
        ('vars.get("state") ==~ "[{]?done[}]?"', "groovy", True),
        ('vars.get("state") =~ "[d&{]one"', "jexl", True),
        ("-true", "jexl", False),
        ("-false", "jexl", True),
    ],
)
def test_a_brace_in_a_class_of_a_pattern_and_a_sign_before_true(text: str, language: str, *, found: bool) -> None:
    assert value_of(text, language, CLIENT) is found


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('"3".contains(3)', "groovy"),
        ('!vars.get("state").startsWith(vars.get("none"))', "groovy"),
        ('!vars.get("state").contains(vars.get("none"))', "jexl"),
        ('!vars.get("state").contains(vars.get("none"))', "javascript"),
    ],
)
def test_asking_a_text_about_none_ends_the_script(text: str, language: str) -> None:
    with pytest.raises(ValueError, match="not a text"):
        value_of(text, language, CLIENT)
    value_of(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('!vars.get("state").indexOf("o") > -1', "groovy"),
        ("Integer.parseInt(3) == 3", "groovy"),
        ("Long.parseLong(3) == 3 || Double.parseDouble(3) == 3", "groovy"),
        ('vars.get("n") == "3" && "${none}" == "x"', "groovy"),
        ('vars.get("n") == "3" && ${none} > 3', "groovy"),
        ('vars.get("long") > 5', "jexl"),
        ('vars.get("blank") == 7', "jexl"),
        ('vars.get("blank") * 2 == 14', "jexl"),
        ("10 % vars.get('minus') == 2", "jexl"),
        ('!vars.get("n") / 5 < 7', "groovy"),
        ('vars.get("none").length > 0', "javascript"),
        # Two signs that come together count up or down.
        ("10-${minus} == 14", "groovy"),
        ("10-${minus} == 14", "javascript"),
        ("10+${plus} == 15", "javascript"),
    ],
)
def test_what_ends_a_script(text: str, language: str) -> None:
    client = known_client(VALUES | {"long": "12345678901234567890", "minus": "-4", "plus": "+5"})

    with pytest.raises(ValueError, match=r"."):
        value_of(text_of(template_of(text), client), language, client)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # commons-jexl 3.2.1, JexlArithmetic: whole numbers of any length, or doubles where one has a point.
        ("${n} / 2", "1"),
        ("${n} / 2.0", "1.5"),
        ("10 / 2.0", "5.0"),
        ("${dec} * 2", "5.0"),
        ("${id} + 1", "1234567890123456789"),
        ("-4 % 3", "-1"),
        ('-4 % "3"', "2"),
        ("12345678 * 1.0", "1.2345678E7"),
        ("1 / 10000.0", "1.0E-4"),
        ('"a" + 1.50', "a1.5"),
        ("+5 - 3", "2"),
    ],
)
def test_sums_of_jexl_are_sent_as_jexl_writes_them(text: str, found: str) -> None:
    client = known_client(VALUES | {"dec": "2.5"})

    assert text_of(template_of(f"${{__jexl3({text},)}}"), client) == found


@pytest.mark.parametrize(
    "script",
    [
        '${__groovy("${state}" eq "done",)}',
        '${__groovy("${state}" == "done" and ${n} > 2,)}',
        '${__groovy("${state}" === "done",)}',
        '${__groovy("${state}" !~ "d",)}',
        '${__groovy("${n}" ==~ "\\d",)}',
        '${__jexl3("${state}" === "done",)}',
        '${__javaScript("${state}" == "done" and ${n} > 2,)}',
        '${__groovy("${state}" ==~ "[a-z&&[^x]]+",)}',
        '${__groovy("${state}" ==~ "done{",)}',
        '${__groovy("${state}" ==~ "[[:alpha:]]+",)}',
        '${__groovy("${state}" ==~ "done\\\\\\\\v?",)}',
        '${__jexl3(!"${state}".matches("\\Qdone\\E"),)}',
        '${__groovy("${state}" != undefined,)}',
        # What is behind a name that may stand for nothing is read too.
        '${__javaScript(${state} == 1 && "${n}".charAt(0) == "3",)}',
    ],
)
def test_what_a_language_does_not_know_is_refused_before_the_load(script: str) -> None:
    (call,) = template_of(script)
    assert not isinstance(call, str)
    language = {"__groovy": "groovy", "__jexl3": "jexl", "__javaScript": "javascript"}[call.name]

    assert unreadable_text(call.arguments[0], language)  # type: ignore[union-attr]


def test_jexl_2_which_adds_texts_as_numbers_is_not_asked_to_add() -> None:
    (adds,) = template_of('${__jexl2("${n}" + 1 == 4,)}')
    (does_not,) = template_of('${__jexl2("${n}" == "1+1",)}')

    assert isinstance(adds, FunctionCall)
    assert isinstance(does_not, FunctionCall)
    assert "JEXL 2" in unreadable(adds)
    assert not unreadable(does_not)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('(7 == ("3" ?: 0) as int)', False),
        ('(3 == ("3" ?: 0) as int)', True),
        ('vars.get("n") as int == 3', True),
        ('2 < vars.get("n") as int', True),
        ('vars.get("n") as int > 2 && (vars.get("n") as int) + 1 == 4', True),
    ],
)
def test_as_comes_before_a_comparison(text: str, *, found: bool) -> None:
    assert value_of(text, "groovy", CLIENT) is found


def test_only_conditions_of_our_own_are_told_what_compares() -> None:
    """In a script of a plan, `=` may be meant as it is written."""
    assert unreadable_text(("def n = 3",), "groovy").endswith("'=' is not understood at character 7")
    with pytest.raises(ValueError, match="== compares"):
        value_of("id = 3")
