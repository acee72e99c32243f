"""What every test may rely on."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent

# Each starts real servers dozens of times: minutes together. Flask and uWSGI are held to more in every run.
OTHER_SERVERS = frozenset(
    HERE / name
    for name in (
        "attach/test_attach_servers.py",
        "exec/test_exec_and_probe.py",
        "exec/test_exec_commands.py",
        "inside/test_inside_asgi.py",
        "inside/test_inside_bridges.py",
        "inside/test_inside_django.py",
        "inside/test_inside_fastapi.py",
        "inside/test_inside_litestar.py",
        "inside/test_inside_natives.py",
        "inside/test_inside_quart.py",
        "inside/test_inside_servers.py",
        "servers/test_check.py",
        "servers/test_readiness.py",
        "servers/test_rsgi.py",
    )
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what is run by `make test-servers` only."""
    for item in items:
        if item.path in OTHER_SERVERS:
            item.add_marker(pytest.mark.servers)
