"""A shell's text is cut into the words that a shell makes of it."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.servers.shell_words import simple_commands


def words(text: str) -> list[list[str]]:
    return [[word.value for word in each.words] for each in simple_commands(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gunicorn -w 4 app:app", [["gunicorn", "-w", "4", "app:app"]]),
        ("cd web && exec gunicorn app", [["cd", "web"], ["exec", "gunicorn", "app"]]),
        ("a; b | c & d\ne || f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("gunicorn 'a b' \"c d\" e\\ f g'h'\"i\"", [["gunicorn", "a b", "c d", "e f", "ghi"]]),
        ("gunicorn app >log 2>&1", [["gunicorn", "app"]]),
        ("gunicorn app 2> log </dev/null &", [["gunicorn", "app"]]),
        ("A=b C='d e' gunicorn app", [["gunicorn", "app"]]),
        ("(gunicorn app)", [["gunicorn", "app"]]),
        ("gunicorn -w $(nproc) app", [["gunicorn", "-w", "$(nproc)", "app"]]),
        ("gunicorn -w `nproc --all` app", [["gunicorn", "-w", "`nproc --all`", "app"]]),
        ("gunicorn -w $(($(nproc) * 2)) app", [["gunicorn", "-w", "$(($(nproc) * 2))", "app"]]),
        ('gunicorn -b "0.0.0.0:$PORT" app', [["gunicorn", "-b", '"0.0.0.0:$PORT"', "app"]]),
        ("gunicorn app # not this", [["gunicorn", "app"]]),
        ("gunicorn \\\n  app", [["gunicorn", "app"]]),
        ("", []),
    ],
)
def test_the_commands_of_a_text(text, expected):
    assert words(text) == expected


def test_what_the_shell_would_compute_is_marked():
    (command,) = simple_commands("gunicorn '$A' $B \"$C\" ~/d *.e f")
    assert [word.computed for word in command.words] == [False, False, True, True, True, True, False]


def test_an_open_quote_is_refused():
    with pytest.raises(ValueError, match="no end"):
        words("gunicorn 'app")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1, max_size=6))
def test_quoted_words_are_what_they_were_before(given_words):
    assert words(" ".join(map(shlex.quote, ["program", *given_words]))) == [["program", *given_words]]


@given(st.text(max_size=60))
def test_no_text_but_one_with_an_open_quote_is_too_much(text):
    try:
        found = list(simple_commands(text))
    except ValueError:
        return
    for command in found:
        for word in command.words:
            assert 0 <= word.start < word.end <= len(text)


@given(st.lists(st.sampled_from(["a", "b c", "'", '"', "\\", "$", "#", "é", "\t", "x=y"]), min_size=1, max_size=4))
def test_words_are_those_of_the_real_shell(given_words):
    text = "printf '%s\\0' " + " ".join(map(shlex.quote, given_words))
    said = subprocess.run(["sh", "-c", text], capture_output=True, check=True).stdout.decode()

    assert words(text)[0][2:] == said.split("\0")[:-1]
