"""Text from outside is text: no markup, no control of the terminal, no formula, whatever a server or a plan says."""

from __future__ import annotations

import csv
import io
import json

import pytest

from holdfast.attaching.unusable import _redirected
from holdfast.engine.url import parse_url
from holdfast.model.printable import hidden_as_json, printable
from holdfast.model.saved import SavedRun
from holdfast.report.layout import Text, cells, rendered
from holdfast.report.markdown import _code, _escaped
from holdfast.report.rows import csv_field
from holdfast.report.runs import render_runs

# What a library for terminals took for markup, what a terminal takes for a command (ECMA-48, in 7 and in 8 bits), and
# what turns the direction of the text after it.
MARKUP = ["[/login] POST", "[login] POST", "[info]", "[%(t)s] [/x]", "http://127.0.0.1/?a[/b]", "[red]x[/red]"]
CONTROLS = ["\x1b]0;title\x07", "\x9b31m", "\x9d0;title\x9c", "\x1b[2J", "\x08\x08", "\r", "\x7f", "\u202egnp.exe"]


@pytest.mark.parametrize("text", MARKUP)
def test_what_looks_like_markup_is_shown_as_it_is(text: str) -> None:
    shown = rendered(render_runs([SavedRun(1, 0.0, "exec", text, 3)], 1), 200, styled=True)

    assert text in shown


@pytest.mark.parametrize("text", CONTROLS)
@pytest.mark.parametrize("styled", [False, True])
def test_what_would_control_a_terminal_is_shown_as_an_escape(text: str, styled: bool) -> None:  # noqa: FBT001 - both
    shown = rendered(render_runs([SavedRun(1, 0.0, text, text, 3)], 1), 200, styled=styled)

    for character in text:
        if not character.isprintable() and character != "\x1b":
            assert character not in shown
    assert "\x1b" not in shown.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert text.encode("unicode_escape").decode() in shown


def test_letters_of_every_script_and_spaces_stay_as_they_are() -> None:
    text = "Zürich\u00a0東京\u3000Ждж 🙂\tb\nc"

    assert printable(text) == text
    assert hidden_as_json(text) == text


def test_a_text_is_as_wide_as_what_is_shown_of_it() -> None:
    assert len(Text("\x1b[2J")) == cells("\\x1b[2J")


@pytest.mark.parametrize("text", [*CONTROLS, "\U000e0041"])
def test_json_loses_no_character_of_it(text: str) -> None:
    written = hidden_as_json(json.dumps(text, ensure_ascii=False))

    assert json.loads(written) == text
    assert written.isprintable()


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_label_is_never_a_formula(begin: str) -> None:
    label = f"{begin}HYPERLINK(\"http://x/\"&A1,'y')"

    ((field,),) = csv.reader(io.StringIO(csv_field(label), newline=""))

    assert field == f"'{label}"


@pytest.mark.parametrize("label", ["GET /?a=1", "01 login", "a,b", 'say "x"', "", "a\nb", "a\r\nb", "a\rb"])
def test_a_label_that_begins_no_formula_stays_as_it_is(label: str) -> None:
    row = io.StringIO(f"1,{csv_field(label)},2\n", newline="")

    assert list(csv.reader(row)) == [["1", label, "2"]]


def test_a_word_of_a_server_in_a_command_to_paste_is_one_word_for_the_shell() -> None:
    error = _redirected(parse_url("http://127.0.0.1:1/"), 302, "http://127.0.0.1:2/'; touch it-ran; '")

    assert "attach 'http://127.0.0.1:2/'\"'\"'; touch it-ran; '\"'\"''. " in error.remedy


def test_words_in_a_markdown_table_are_not_interpreted() -> None:
    assert _escaped("<img src=x> [a](javascript:b) *c* `d` e\\f") == (
        "&lt;img src=x> \\[a\\](javascript:b) \\*c\\* \\`d\\` e\\\\f"
    )
    assert _code("-w `4`") == "`` -w `4` ``"
