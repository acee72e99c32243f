"""What newcomers write wrong in a scenario file: the place that is told, and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.api.scenario_file import read_scenario
from holdfast.errors import UsageError
from holdfast.loadtest.hooks import hooks_of
from holdfast.model.answers import HookExtract

SHOP = 'url = "http://127.0.0.1:8000"\nclients = 1\npasses = 1\n\n[[group]]\nname = "shop"\n'
STEP = '[[group.step]]\nrequest = "/"\n'


def told(tmp_path: Path, content: bytes) -> UsageError:
    """The error for a file."""
    (tmp_path / "shop.toml").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_scenario(tmp_path / "shop.toml", {})
    return caught.value


@pytest.mark.parametrize(
    ("text", "where", "remedy"),
    [
        (SHOP + '[[group.steps]]\nrequest = "/"\n', "line 7, column 1", "Did you mean step?"),
        (SHOP.replace("[[group]]", "[[groups]]") + STEP, "line 5, column 1", "Did you mean group?"),
        (SHOP + '[[group.step]]\nrequest = "post /orders"\n', "line 8, column 1", "Did you mean POST /orders?"),
        (SHOP + '[[group.step]]\nrequest = "POST/orders"\n', "line 8, column 1", "Did you mean POST /orders?"),
    ],
)
def test_the_place_of_a_mistake_is_its_own_and_what_was_meant_is_told(tmp_path, text, where, remedy):
    error = told(tmp_path, text.encode())

    assert where in error.what
    assert error.remedy == remedy


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('think = "1s-"', "'1s-' is not a pause: write it as 1s, or as 1s-3s."),
        ("if = 'id = 1'", "'=' is not understood at character 4: == compares"),
    ],
)
def test_the_reason_names_what_was_written_and_what_to_write(tmp_path: Path, line: str, why: str) -> None:
    assert told(tmp_path, f"{SHOP}{STEP}{line}\n".encode()).why == why


def test_the_known_keys_are_listed_once(tmp_path: Path) -> None:
    names = told(tmp_path, f"{SHOP}{STEP}expect_status = 200\n".encode()).why.removeprefix("Known are: ").split(", ")

    assert len(names) == len({*names})


def test_a_file_that_is_not_utf_8_is_told_with_its_place(tmp_path: Path) -> None:
    assert (
        "at line 8, column 16:" in told(tmp_path, f'{SHOP}[[group.step]]\nrequest = "/caf\xe9"\n'.encode("latin-1")).why
    )


def test_a_hook_that_is_spelled_wrong_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def sign(answer, values):\n    return {}\n")

    with pytest.raises(UsageError, match="has no function sgn") as caught:
        hooks_of([HookExtract(str(tmp_path / "own.py"), "sgn")])

    assert caught.value.remedy == "Did you mean sign?"
