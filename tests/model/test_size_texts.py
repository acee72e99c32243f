"""How amounts of memory are written and shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.sizes import shown_size, size_of

MIB, GIB = 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512M", 512 * MIB),
        ("512m", 512 * MIB),
        ("512MB", 512 * MIB),
        ("512MiB", 512 * MIB),
        ("1G", GIB),
        ("1.5G", GIB + 512 * MIB),
        (".5G", 512 * MIB),
        ("2 GiB", 2 * GIB),
        (" 4096K ", 4 * MIB),
        ("1T", 1024 * GIB),
        ("1073741824", GIB),
        ("1073741824B", GIB),
    ],
)
def test_a_size_is_a_number_and_a_unit_of_1024(text: str, size: int) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write it as 512M"),
        ("lots", "write it as 512M"),
        ("-1G", "write it as 512M"),
        ("1e9", "write it as 512M"),
        ("1GG", "write it as 512M"),
        ("1X", "write it as 512M"),
        ("٣M", "write it as 512M"),
        ("512", "write 512M"),
        ("0M", "no program starts"),
        ("1023K", "no program starts"),
        ("9999999999T", "more than any machine"),
        ("9" * 5000 + "M", "more than any machine"),
    ],
)
def test_what_is_no_size_is_answered_with_how_to_write_one(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        size_of(text)


@given(st.text(max_size=40))
def test_any_text_is_a_size_or_is_refused(text: str) -> None:
    try:
        size = size_of(text)
    except ValueError:
        return
    assert MIB <= size <= 1 << 62


@given(st.integers(MIB, 1 << 50))
def test_a_size_that_is_shown_can_be_typed_and_is_never_more(size: int) -> None:
    again = size_of(shown_size(size))

    assert again <= size
    # Two decimals of a unit are shown.
    assert size - again <= size / 50


def test_round_sizes_are_shown_as_they_are_written() -> None:
    assert [shown_size(each) for each in (512 * MIB, GIB, GIB + 512 * MIB, 1536, 12)] == [
        "512M",
        "1G",
        "1.5G",
        "1.5K",
        "12 bytes",
    ]
