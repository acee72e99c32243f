"""A file of results is written whole or not at all, and never through a link that another user has laid."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from holdfast.console import whole_file, write_file
from holdfast.errors import EnvironmentFailure


@pytest.fixture
def foreseen(monkeypatch: pytest.MonkeyPatch) -> str:
    """The part of a name that cannot be foreseen, foreseen."""
    monkeypatch.setattr(os, "urandom", bytes)
    return "0" * 16


@pytest.mark.parametrize("kind", ["link", "dangling link", "file"])
def test_what_lies_where_a_file_is_prepared_is_not_written_to(tmp_path: Path, foreseen: str, kind: str) -> None:
    victim = tmp_path / "victim"
    laid = tmp_path / f".r.json.{foreseen}"
    if kind == "file":
        laid.write_bytes(b"theirs")
    else:
        laid.symlink_to(victim)
    if kind == "link":
        victim.write_bytes(b"ours")

    with pytest.raises(EnvironmentFailure, match=r"Cannot write .*r\.json"):
        write_file(str(tmp_path / "r.json"), b"{}")

    assert not (tmp_path / "r.json").exists()
    assert laid.is_symlink() or laid.read_bytes() == b"theirs"
    assert victim.read_bytes() == b"ours" if kind == "link" else not victim.exists()


def test_a_file_that_another_program_puts_in_place_of_the_prepared_one_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="Another program has replaced the file"):
        _write_and_be_replaced(tmp_path)

    assert not list(tmp_path.iterdir())


def test_a_file_that_is_replaced_keeps_its_mode_and_a_new_one_has_the_usual(tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o640)
    (tmp_path / "usual").touch()

    for name in ("old", "new", "n" * 255):
        write_file(str(tmp_path / name), b"{}")

    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("old", "new", "usual")}
    assert modes == {"old": 0o640, "new": modes["usual"], "usual": modes["usual"]}
    assert len(list(tmp_path.iterdir())) == 4


def _write_and_be_replaced(directory: Path) -> None:
    with whole_file(str(directory / "r.db")) as path:
        path.unlink()
        path.symlink_to(directory / "victim")
