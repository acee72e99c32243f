"""The limits that a server is started under, or that are set on its processes while they run."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from holdfast.errors import EnvironmentFailure, UsageError
from holdfast.model.frozen import frozen
from holdfast.model.limits import ADDRESS_SPACE, NOFILE, NPROC, LimitName
from holdfast.model.sizes import shown_size
from holdfast.procfs.parse import ProcessStatus
from holdfast.procfs.read import read_stat, read_status


@frozen
class LimitKind:
    """A limit of a process.

    Attributes:
        option: how it is asked for on the command line.
        number: RLIMIT_*.
        letter: of bash's ulimit.
        unit: of that one, bytes; 1 where it counts something else.
        directive: of a unit of systemd.
        docker: name for `docker run --ulimit`; "" where Docker has none.
    """

    name: LimitName
    option: str
    number: int
    letter: str
    unit: int
    directive: str
    docker: str

    def shown(self, value: int) -> str:
        """A value as a person writes it."""
        return str(value) if self.unit == 1 else shown_size(value)


_NOFILE = LimitKind(NOFILE, "--nofile", resource.RLIMIT_NOFILE, "n", 1, "LimitNOFILE", "nofile")
_NPROC = LimitKind(NPROC, "--nproc", resource.RLIMIT_NPROC, "u", 1, "LimitNPROC", "nproc")
_ADDRESS_SPACE = LimitKind(ADDRESS_SPACE, "--address-space", resource.RLIMIT_AS, "v", 1024, "LimitAS", "")


@frozen
class AskedLimit:
    """A limit for each process of the server: soft and hard, so that none of them can raise it again."""

    kind: LimitKind
    value: int

    @property
    def shown(self) -> str:
        """As it is asked for on the command line."""
        return f"{self.kind.option} {self.kind.shown(self.value)}"


def asked_limits(
    nofile: int | None = None, nproc: int | None = None, address_space: int | None = None
) -> tuple[AskedLimit, ...]:
    """Those of these limits that are asked for.

    Args:
        address_space: bytes.
    """
    values = {_NOFILE: nofile, _NPROC: nproc, _ADDRESS_SPACE: address_space}
    return tuple(AskedLimit(kind, value) for kind, value in values.items() if value is not None)


def impose(limits: Iterable[AskedLimit]) -> None:
    """Takes these limits itself. Raises OSError, ValueError."""
    for each in limits:
        resource.setrlimit(each.kind.number, (each.value, each.value))


def impose_on(pids: Iterable[int], limits: Iterable[AskedLimit]) -> None:
    """Sets limits on processes that run; what they start later has them too. A process that has ended is passed over.

    Raises:
        EnvironmentFailure: the kernel does not allow it.
    """
    asked = tuple(limits)
    for pid in pids:
        for each in asked:
            try:
                with _as_user_of(pid):
                    resource.prlimit(pid, each.kind.number, (each.value, each.value))
            except ProcessLookupError:
                continue
            except (OSError, ValueError) as error:
                raise _not_allowed(pid, each, error) from error


@contextmanager
def _as_user_of(pid: int) -> Iterator[None]:
    """Has the real user and group of a process, if we are root.

    prlimit(2) asks for these, or for CAP_SYS_RESOURCE, which root has not in most containers.
    """
    status = read_status(pid)
    if os.geteuid() != 0 or status is None or _is_ours(status):
        yield
        return
    before = os.getresuid()[0], os.getresgid()[0]
    try:
        os.setresgid(status.gid, -1, -1)
        os.setresuid(status.uid, -1, -1)
        yield
    finally:
        os.setresuid(before[0], -1, -1)
        os.setresgid(before[1], -1, -1)


def _is_ours(status: ProcessStatus) -> bool:
    return (os.getuid(), os.getgid()) == (status.uid, status.gid)


def higher_than_allowed(limits: Iterable[AskedLimit]) -> UsageError | None:
    """The error for the first limit that is higher than the one in force here; None where none is."""
    for each in limits:
        most = resource.getrlimit(each.kind.number)[1]
        if resource.RLIM_INFINITY != most < each.value:
            in_force = each.kind.shown(most)
            return UsageError(
                f"The server could not be started under {each.shown}.",
                f"The limit in force is {in_force}. It can be lowered for the server, but not raised.",
                f"Give at most {in_force}, or raise the limit first (ulimit -H{each.kind.letter}).",
            )
    return None


def _not_allowed(pid: int, asked: AskedLimit, error: Exception) -> EnvironmentFailure:
    kind, value, stat = asked.kind, asked.value, read_stat(pid)
    process = f"process {pid}" if stat is None else f"process {pid} ({stat.name})"
    most = resource.RLIM_INFINITY
    with contextlib.suppress(OSError):
        most = resource.prlimit(pid, kind.number)[1]
    what = f"The limit {kind.name} of the running server could not be set to {kind.shown(value)}."
    if most == resource.RLIM_INFINITY or most >= value:
        why = f"The kernel does not let holdfast change the limits of {process}: {error}."
        return EnvironmentFailure(what, why, "Run holdfast as the server's user, or as root.")
    docker = f"docker run --ulimit {kind.docker}={value}, " if kind.docker else ""
    return EnvironmentFailure(
        what,
        f"The hard limit of {process} is {kind.shown(most)}, which only a process with CAP_SYS_RESOURCE may raise.",
        f"Raise it where it is set: ulimit -H{kind.letter} {value // kind.unit} in what starts the server, "
        f"{kind.directive}={value} in a unit of systemd, {docker}or /etc/security/limits.conf.",
    )
