"""Finds out by experiment how many requests a Python web server really processes at once."""

__version__ = "0.1.0"
__distribution__ = "holdfast-probe"
"""The name on the package registry, where `holdfast` is another project's package."""
