"""What is squeezed is a zlib stream that anything decompresses to the same bytes."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine import squeezing
from holdfast.engine.squeezing import squeezed

PLANE = st.binary(min_size=7, max_size=7) | st.integers(0, 255).map(lambda octet: bytes([octet]) * 7)


@given(st.lists(PLANE, min_size=1, max_size=12))
def test_planes_come_back_whatever_they_are(planes: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(squeezing, "FEW", 1)

        assert zlib.decompress(squeezed(planes, 7)) == b"".join(planes)


@pytest.mark.parametrize("many", [1, 1023, 1024, 100_000])
@pytest.mark.parametrize("octet", [0, 1, 255])
def test_the_checksum_of_many_equal_bytes_is_that_of_the_bytes(many: int, octet: int) -> None:
    planes = [bytes([octet]) * many] * 9 + [bytes(range(256)) * (many // 256) + bytes(many % 256)] + [bytes(many)] * 3

    # zlib checks the length of the stream and its Adler-32 (RFC 1950).
    assert zlib.decompress(squeezed(planes, many)) == b"".join(planes)


def test_equal_bytes_take_next_to_no_room() -> None:
    assert len(squeezed([bytes(1 << 14)] * 90, 1 << 14)) < 2000
