"""The beginning and the end of what a server writes are kept, and no more of it."""

from __future__ import annotations

import os
from pathlib import Path

from holdfast.servers.server_log import CUT_AT_BYTES, KEPT_BYTES, ServerLog

PAGES = 3 * os.sysconf("SC_PAGE_SIZE")


def test_of_a_log_that_grows_and_grows_the_beginning_and_the_end_are_kept(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "log")
    try:
        os.write(log.fileno(), b"the beginning\n")
        most = 0
        for number in range(100):
            os.write(log.fileno(), b"\n%9d" % number * 100_000)
            log.cut()
            most = max(most, os.stat(tmp_path / "log").st_blocks * 512)

        assert most <= 2 * KEPT_BYTES + CUT_AT_BYTES + 1_000_000 + PAGES
        assert log.size_bytes == 100 * 1_000_000 + 14
        assert log.cut_bytes > 90_000_000
        assert log.first_words().startswith("the beginning\n")
        assert log.last_words().endswith("\n       99")
    finally:
        log.close()


def test_of_a_short_log_nothing_is_cut(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "log")
    try:
        os.write(log.fileno(), b"x" * CUT_AT_BYTES)
        log.cut()

        assert log.cut_bytes == 0
        assert (tmp_path / "log").read_bytes() == b"x" * CUT_AT_BYTES
    finally:
        log.close()
