from __future__ import annotations

import pytest

from holdfast.model.shapes import Burst, Clients, Shape, Stages


@pytest.mark.parametrize(
    ("shape", "title"),
    [
        (Stages(((50.0, 2.0),)), "50/s for 2 s"),
        (Stages(((20.0, 1.0), (60.0, 1.0))), "20/s for 1 s, 60/s for 1 s"),
        # A rate without a time has one in which so many will certainly have come.
        (Stages(((50.0, 4.0),), requests=100), "100 at 50/s"),
        (Stages(((50.0, 1.0),), requests=100), "50/s for 1 s"),
        (Burst(20), "burst of 20"),
        (Clients(1), "1 client"),
        (Clients(8, for_s=2.0), "8 clients"),
    ],
)
def test_a_shape_is_named_by_what_ends_it(shape: Shape, title: str):
    assert shape.title == title
