"""The rows of a load run as Parquet, if pyarrow is installed."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from holdfast.errors import EnvironmentFailure
from holdfast.model.rows import COLUMNS, INSTANTS, WORDS, Rows

_ROWS_OF_A_GROUP = 200_000  # readers skip whole groups of rows, and each costs its statistics


def check_parquet(target: str | None) -> None:
    """Checks that Parquet can be written here.

    Raises:
        EnvironmentFailure: pyarrow is not installed.
    """
    if target is not None and find_spec("pyarrow") is None:
        raise EnvironmentFailure(
            "Parquet cannot be written: pyarrow is not installed.",
            "It is large (170 MB), so holdfast does not depend on it.",
            "pip install 'holdfast-probe[parquet]', or write --csv, --jsonl or --sqlite.",
        )


def write_parquet(path: Path, chunks: Iterable[Rows], wall_clock_offset_ns: int | None) -> None:
    """Writes the rows into this file, compressed; null where there is no value.

    Args:
        wall_clock_offset_ns: is put into the schema's metadata under this name, so that the file alone says when its
            requests were sent; None, as of old runs, is left out.

    Raises:
        OSError: it cannot be written.
    """
    arrow: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    words = arrow.dictionary(arrow.int32(), arrow.string())
    schema = arrow.schema(
        [
            (name, words if name in WORDS else arrow.int64() if name in {*INSTANTS, "id", "number"} else arrow.uint32())
            for name in COLUMNS
        ],
        metadata=None if wall_clock_offset_ns is None else {"wall_clock_offset_ns": str(wall_clock_offset_ns)},
    )
    with parquet.ParquetWriter(str(path), schema, compression="zstd") as writer:
        waiting: list[Any] = []
        for rows in chunks:
            arrays = [
                arrow.array(column).cast(field.type) if field.type == words else arrow.array(column, field.type)
                for column, field in zip(rows.known(), schema, strict=True)
            ]
            waiting.append(arrow.record_batch(arrays, schema=schema))
            if sum(each.num_rows for each in waiting) >= _ROWS_OF_A_GROUP:
                writer.write_table(arrow.Table.from_batches(waiting, schema).unify_dictionaries())
                waiting = []
        if waiting:
            writer.write_table(arrow.Table.from_batches(waiting, schema).unify_dictionaries())
