r"""Texts in quotes, patterns and arguments in conditions, in the rules of the language in which they are written.

Expected values are what JMeter 5.5 made of the same texts (tests/oracle, conditions-of-odd-texts-*).
"""

from __future__ import annotations

import pytest
from journeys.known_client import known_client

from holdfast.jmeter.scripts import unreadable_text
from holdfast.journeys.conditions import value_of
from holdfast.journeys.deciding import holds
from holdfast.journeys.references import template_of
from holdfast.model.journey import Condition

VALUES = {"state": "done", "n": "3", "price": "US$5", "path": "C:\\new\\dir", "lines": "a\nb", "name": "Zoë"}
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
    ],
)
def test_texts_and_what_is_asked_of_them(text: str, language: str, *, found: bool) -> None:
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
    ],
)
def test_what_a_language_does_not_know_is_refused_before_the_load(script: str) -> None:
    (call,) = template_of(script)
    assert not isinstance(call, str)
    language = {"__groovy": "groovy", "__jexl3": "jexl", "__javaScript": "javascript"}[call.name]

    assert unreadable_text(call.arguments[0], language)  # type: ignore[union-attr]
