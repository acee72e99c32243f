"""How many requests a Python web server really processes at once, found out by experiment."""

__version__ = "0.1.0"
__distribution__ = "holdfast-probe"
"""Its name on the package registry, where `holdfast` is somebody else's."""
