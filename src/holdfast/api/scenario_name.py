"""Tells the name of a scenario file from a URL; pure."""

from __future__ import annotations


def is_scenario(url: str) -> bool:
    """Whether what is given in place of a URL is the name of a scenario file."""
    return "://" not in url and not url.startswith("unix:") and url.lower().endswith(".toml")
