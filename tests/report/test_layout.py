"""Texts, indents and tables in so many columns: nothing is lost, and nothing is wider unless it was to be."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.report.layout import Column, Indent, Stack, Table, Text, cells, doubt, rendered

WORDS = st.text(st.sampled_from("ab é█日\u0301 "), max_size=60)


def plain(what, width=80):
    return rendered(what, width, styled=False)


@given(WORDS, st.integers(2, 20))
def test_a_wrapped_text_fits_and_keeps_every_word(text, width):
    lines = plain(Text(text), width).split("\n")[:-1]

    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 8, ["one two", "three"]),
        ("  indented words", 10, ["  indented", "words"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("a\nb", 80, ["a", "b"]),
        ("", 80, [""]),
        ("日本語", 4, ["日本", "語"]),
    ],
)
def test_lines_are_broken_between_words_and_within_those_that_no_line_holds(text, width, lines):
    assert plain(Text(text), width).splitlines() == lines


def test_a_line_that_is_too_long_is_cut_or_left_where_that_was_asked_for():
    assert plain(Text("abcdef").cut(4)) == "abc…\n"
    assert plain(Text("abcd").cut(4)) == "abcd\n"
    assert plain(Text("abcdef", overflow="ignore"), 4) == "abcdef\n"


def test_what_is_indented_is_indented_on_each_of_its_lines():
    assert plain(Stack(Text("head"), Indent(Text("one two"), 2)), 6) == "head\n  one\n  two\n"


def table():
    table = Table(Column("name"), Column("count", right=True), Column("note"))
    table.add_row("first", "1", "some words about it")
    table.add_row("second", "20")
    return table


def test_a_doubt_hangs_below_its_words_where_it_is_wrapped():
    assert plain(doubt("The machine was busy."), 16) == "  ! The machine\n    was busy.\n"


def test_a_table_is_as_wide_as_its_cells():
    assert plain(table()).splitlines() == [
        "name    count  note",
        "first       1  some words about it",
        "second     20",
    ]


def test_the_widest_column_of_a_table_that_is_too_wide_is_wrapped():
    assert plain(table(), 25).splitlines() == [
        "name    count  note",
        "first       1  some words",
        "               about it",
        "second     20",
    ]


def test_a_column_is_cut_before_it_is_wrapped_and_never_below_its_least():
    rows = Table(Column(whole=True, least=4), Column(whole=True), header=False)
    rows.add_row("1234", "abcdefgh")

    assert plain(rows, 10) == "1234  abc…\n"
    assert plain(rows, 3) == "1234  …\n"


def styled(text):
    return rendered(text, 80, styled=True)


def test_later_words_of_a_style_win_and_what_is_inside_adds_to_what_is_around_it():
    assert styled(Text("a", "bold red")) == "\x1b[1;31ma\x1b[0m\n"
    assert styled(Text("a", "bold").append("b", "not bold dim")) == "\x1b[1ma\x1b[0m\x1b[2mb\x1b[0m\n"
    assert styled(Text("", "dim").append_text(Text("a", "not dim green"))) == "\x1b[32ma\x1b[0m\n"
    assert styled(Text("plain")) == "plain\n"


def test_styles_change_no_character_and_no_width():
    what = table()
    what.add_row(Text("third", "red"), "3", style="dim")

    unstyled = re.sub(r"\x1b\[[\d;]*m", "", rendered(what, 25, styled=True))

    assert [line.rstrip() for line in unstyled.splitlines()] == plain(what, 25).splitlines()
