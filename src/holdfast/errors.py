"""What holdfast says when it cannot answer: what happened, why, and what to do next."""

from __future__ import annotations

EXIT_ANSWERED = 0
EXIT_EXPECTATION_FAILED = 1
EXIT_USAGE = 2
EXIT_INCONCLUSIVE = 3
EXIT_ENVIRONMENT = 4
EXIT_INTERNAL = 70
"""A fault of our own: EX_SOFTWARE of sysexits.h, so that no script takes it for an answer."""


class HoldfastError(Exception):
    """A run that ended without an answer, worded for the person who asked.

    Args:
        what: what happened, one sentence.
        why: the cause, as far as it is known; often the server's own words; may span several lines.
        remedy: what to do next.

    Attributes:
        told: the person has been told already.
    """

    exit_code = EXIT_ENVIRONMENT
    told = False

    def __init__(self, what: str, why: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.why, self.remedy) if part)


class UsageError(HoldfastError):
    """The command line, or a value in it, cannot be carried out as written."""

    exit_code = EXIT_USAGE


class InconclusiveError(HoldfastError):
    """The experiment ran without an answer: the load side was the limit, or the records contradict each other."""

    exit_code = EXIT_INCONCLUSIVE


class EnvironmentFailure(HoldfastError):  # noqa: N818 - "EnvironmentError" is a builtin with another meaning
    """The server did not start, or a module, a file or a permission is missing."""

    exit_code = EXIT_ENVIRONMENT


class NotInstalledError(EnvironmentFailure):
    """The package of the server that was asked for is nowhere where holdfast looks for it."""


class InternalError(HoldfastError):
    """A fault of holdfast's own, as the Python API reports it; `why` has the traceback."""

    exit_code = EXIT_INTERNAL
