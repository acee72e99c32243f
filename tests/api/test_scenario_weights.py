"""Weights of groups and steps: numbers in proportion, or shares in percent that are all of it together."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.api.scenario_file import read_scenario
from holdfast.errors import UsageError

GROUP = '[[group]]\nurl = "http://127.0.0.1:1"\nname = "{}"\nweight = {}\n[[group.step]]\nrequest = "/"\n'


def clients_of(directory: Path, *weights: str) -> list[int]:
    file = directory / "a.toml"
    groups = (GROUP.format(number, weight) for number, weight in enumerate(weights))
    file.write_text("clients = 20\npasses = 1\n" + "".join(groups))
    return [len(crew.stays) for crew in read_scenario(file, {}).journeys.crews]


def test_shares_in_percent_say_how_many_clients_a_group_has(tmp_path: Path) -> None:
    assert clients_of(tmp_path, '"70%"', '"25 %"', '"5%"') == [14, 5, 1]
    assert clients_of(tmp_path, '"33.3%"', '"33.3%"', '"33.3%"') == [7, 7, 6]
    assert clients_of(tmp_path, "7", "2.5", "0.5") == [14, 5, 1]


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (('"70%"', '"20%"'), "line 12, column 1: The shares add up to 90 %, not to 100 %."),
        (('"70%"', "30"), "line 12, column 1: Others beside it have a share in percent."),
        (('"70"', '"30%"'), 'line 6, column 1: It must be a number above 0, or a share such as "70%".'),
        (('"0%"', '"100%"'), "line 6, column 1: It must be a number above 0"),
        (('"-5%"', '"105%"'), "line 6, column 1: It must be a number above 0"),
    ],
)
def test_shares_that_are_not_all_of_it_are_an_error_with_its_place(
    tmp_path: Path, weights: tuple[str, ...], says: str
) -> None:
    with pytest.raises(UsageError) as raised:
        clients_of(tmp_path, *weights)

    assert says.partition(": ")[0] in f"{raised.value.what} {raised.value.why}"
    assert says.partition(": ")[2] in f"{raised.value.what} {raised.value.why} {raised.value.remedy}"
