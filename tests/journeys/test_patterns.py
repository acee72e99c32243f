"""Patterns find what JMeter's own matcher finds: each line was asked of jakarta-oro 2.0.8."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.journeys.patterns import PatternError, compiled, every_match, matches_whole


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ('name="slip" value="([^"]+)"', '<input name="slip" value="s-1/1">', ["s-1/1"]),
        ("a{,3}", "a{,3}", ["a{,3}"]),
        ('{"id":(\\d+)}', '{"id":42}', ["42"]),
        ("(?s)(a.b)", "a\nb", ["a\nb"]),
        ("a(?s).b", "a\nb", ["a\nb"]),
        ("(?m)^b$", "a\nb\nc", ["b"]),
        ("mole(?i)x", "MOLEX", ["MOLEX"]),
        (r"b\Z", "a\nb\n", ["b"]),
        (r"b\z", "b", []),
        ("[[:alpha:]]+", "abc1", ["abc"]),
        ("[^[:digit:]]+", "abc1", ["abc"]),
        ("[]a]+", "a]", ["a]"]),
        (r"[\d-x]+", "1-x", ["1-x"]),
        (r"[a-z&&[b]]+", "a&b]", ["b]"]),
        (r"\cA\e\x41\101\/\y", "\x01\x1bAA/y", ["\x01\x1bAA/y"]),
        ("x*", "axb", ["", "x", ""]),
        (".*", "ab\ncd", ["ab", "cd"]),
        (r"(a)|(b)", "ba", ["null", "a"]),
    ],
)
def test_matches_are_those_of_jmeter(pattern: str, text: str, found: list[str]) -> None:
    groups = [match[1] if match.re.groups else match[0] for match in every_match(compiled(pattern), text)]

    assert ["null" if each is None else each for each in groups] == found


def test_a_whole_text_matches_only_if_the_first_way_to_match_reaches_its_end() -> None:
    # As asked of jakarta-oro 2.0.8 (Perl5Matcher.matches).
    assert matches_whole(compiled("(.+)&"), "k=v&x=y&")
    assert not matches_whole(compiled("(.+?)&"), "k=v&x=y&")
    assert not matches_whole(compiled("a|ab"), "ab")


@pytest.mark.parametrize(
    "pattern",
    ["(?<=a)b", "(?<n>a)b", "(?P<n>a)b", "(?>a)b", "a++b", "a**", "(?i:a)b", "(", ")", "[a", "a\\", "*a", "mole(?i)"],
)
def test_what_jmeter_cannot_read_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compiled(pattern)


@pytest.mark.parametrize("pattern", [r"\Qa\E", r"\p{L}", r"\Gx"])
def test_what_means_something_else_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="does not mean the same"):
        compiled(pattern)


@given(st.text("ab\\[](){}?*+^$.|-:&1dpxZ", max_size=12))
def test_any_text_is_a_pattern_or_is_refused(pattern: str) -> None:
    assert found_or_refused(pattern)


def found_or_refused(pattern: str) -> bool:
    try:
        return len(list(every_match(compiled(pattern), "a"))) < 4
    except PatternError as error:
        return bool(str(error))
