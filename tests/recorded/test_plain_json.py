"""A record is the same JSON whichever of the two ways makes it."""

from __future__ import annotations

import json

import msgspec
import pytest
from judging import timeline_of
from saved import RUNS as RUN_RECORDS
from saved import names, record_of

from holdfast.model.plain_json import encoded


@pytest.mark.parametrize("name", names(RUN_RECORDS))
def test_the_standard_library_encodes_a_record_as_msgspec_does(name, tmp_path):
    timeline = timeline_of(record_of(RUN_RECORDS, name), tmp_path)

    assert json.loads(encoded(timeline)) == json.loads(msgspec.json.encode(timeline))
