"""Reaching the hosts of a Dask cluster: connecting, listing them, and calling a function on one.

Facts
-----
* A function that is called by its name is imported by the worker, so the same holdfast must be installed there.
  Dask's own request for versions, which needs nothing of ours, tells what a worker has.
* Anyone who reaches a worker may run anything there; Dask protects itself by TLS (`tls://`, its own configuration).
* Through the scheduler, each call opens its own connection to the worker. A direct connection is kept, so a call
  takes one round trip; not every cluster allows one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from holdfast import __distribution__, __version__
from holdfast.cluster.host import Host, read_clock, read_identity
from holdfast.engine.quantities import local_workers
from holdfast.errors import EnvironmentFailure, UsageError
from holdfast.model.frozen import frozen
from holdfast.rundir import room_for_a_run, run_directory

CONNECT_S = 5.0
CALL_S = 10.0
_DIRECT_S = 2.0
_QUIET: dict[str, object] = {
    # It is not needed, and would be open to the network.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
}
_NO_DASHBOARD = "127.0.0.1:0"


class Unreachable(Exception):  # noqa: N818 - it is what is so
    """A worker did not answer; the message says why."""


@frozen
class Worker:
    """One worker for each host.

    Attributes:
        address: in the cluster.
        name: of its host; its address, if several hosts have the same name.
    """

    address: str
    name: str
    host: Host


# What Dask raises of a connection that it has closed by itself, since its scheduler is gone.
_CLOSED = (RuntimeError, AttributeError)


class Cluster:
    """A connection to a cluster."""

    def __init__(self, client: Any, address: str) -> None:  # noqa: ANN401 - distributed ships no types
        self._client = client
        self._address = address
        self._direct: set[str] = set()

    async def call(self, worker: str, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - any
        """Calls the function in the worker's process; returns its result.

        Raises:
            Unreachable: the worker did not answer within CALL_S.
        """
        try:
            async with asyncio.timeout(CALL_S):
                if self._client.scheduler is None:  # as Dask leaves it when the scheduler has closed the connection
                    raise Unreachable("the cluster's scheduler is gone")
                if worker in self._direct:
                    return await self._call_directly(worker, function, arguments)
                answers = await self._client.run(function, *arguments, workers=[worker])
                return answers[worker]
        except TimeoutError as error:
            raise Unreachable(f"it has not answered for {CALL_S:.0f} s") from error
        except (OSError, *_CLOSED) as error:
            raise Unreachable(_words(error)) from error

    async def _call_directly(self, worker: str, function: Callable[..., Any], arguments: Sequence[object]) -> Any:  # noqa: ANN401
        from distributed.core import clean_exception  # noqa: PLC0415 - the extra is needed for this alone

        request = {"function": function, "args": tuple(arguments), "kwargs": {}}
        answer = await self._client.rpc(worker).run(
            **{name: pickle.dumps(value) for name, value in request.items()}, wait=True
        )
        if answer["status"] != "OK":
            error = clean_exception(**answer)[1]
            assert error is not None
            raise error
        return answer["result"]

    async def has(self, worker: str) -> bool:
        """Whether the scheduler still knows the worker; True if it does not answer."""
        try:
            async with asyncio.timeout(CALL_S):
                return self._client.scheduler is None or worker in await self._known()
        except (OSError, *_CLOSED):
            return True

    async def workers(self, *, each: bool) -> list[Worker]:
        """Finds one worker on each host.

        Args:
            each: treat every worker as a host of its own.

        Raises:
            EnvironmentFailure: there is none, or one cannot take part.
        """
        addresses = sorted(await self._known())
        if not addresses:
            raise EnvironmentFailure(
                f"The cluster at {self._address} has no workers.",
                "Its scheduler answers, but no worker has joined it.",
                f"Start a worker on each host: dask worker {self._address}",
            )
        self._check_versions(await self._client.get_versions(packages=[__distribution__]), addresses)
        await asyncio.gather(*(self._try_directly(address) for address in addresses))
        try:
            hosts: list[Host] = await asyncio.gather(*(self.call(address, read_identity) for address in addresses))
        except Unreachable as error:
            raise EnvironmentFailure(
                f"A worker of the cluster at {self._address} left.", f"{error}.", "Try again."
            ) from error
        chosen: dict[object, tuple[str, Host]] = {}
        for address, host in zip(addresses, hosts, strict=True):
            chosen.setdefault(address if each else (host["boot"], host["network"]), (address, host))
        names = [host["name"] for _, host in chosen.values()]
        return [
            Worker(address, _name(address, host, names, number if each else None), host)
            for number, (address, host) in enumerate(chosen.values(), 1)
        ]

    async def _known(self) -> dict[str, Any]:
        identity = await self._client.scheduler.identity(n_workers=-1)
        return dict(identity["workers"])

    async def _try_directly(self, worker: str) -> None:
        try:
            async with asyncio.timeout(_DIRECT_S):
                await self._call_directly(worker, read_clock, ())
        except OSError:
            return
        self._direct.add(worker)

    def _check_versions(self, told: dict[str, Any], addresses: Sequence[str]) -> None:
        own, python = __version__, "{}.{}".format(*sys.version_info)
        for address in addresses:
            packages = told["workers"].get(address, {}).get("packages", {})
            there, python_there = packages.get(__distribution__), ".".join(packages.get("python", "?").split(".")[:2])
            if there == own and python_there == python:
                continue
            what = "no holdfast" if there is None else f"holdfast {there} on Python {python_there}"
            raise EnvironmentFailure(
                f"The worker {address} has {what}; this is holdfast {own} on Python {python}.",
                "Each host sends its share with its own holdfast, which must be the same.",
                f"Install it there, in the worker's environment: pip install '{__distribution__}[cluster]=={own}'",
            )


@asynccontextmanager
async def connect(where: str) -> AsyncIterator[Cluster]:
    """Connects to a cluster: `local:N` starts N workers in this process; otherwise its scheduler's address or file.

    Raises:
        EnvironmentFailure: it cannot be reached, or Dask is not installed.
    """
    client_of, local_cluster, configured = _dask()
    workers = local_workers(where)
    if workers is not None:
        with run_directory(room_for_a_run()) as directory, configured(_QUIET | {"temporary-directory": str(directory)}):
            # Within the process nothing else can reach it.
            local = local_cluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=False,
                protocol="inproc://",
                dashboard_address=_NO_DASHBOARD,
                worker_dashboard_address=_NO_DASHBOARD,
                asynchronous=True,
            )
            async with local, client_of(local, asynchronous=True, set_as_default=False) as client:
                yield Cluster(client, where)
        return
    client = client_of(_scheduler(where), asynchronous=True, set_as_default=False, timeout=CONNECT_S)
    try:
        # Dask retries an address until its timeout, and twice if the name is unknown.
        async with asyncio.timeout(2 * CONNECT_S):
            await client
    except (OSError, ValueError, ImportError) as error:
        raise EnvironmentFailure(
            f"The Dask scheduler at {where} cannot be reached.",
            f"{_words(error)}.",
            "Name the address that 'dask scheduler' prints, such as tcp://192.0.2.1:8786, or its scheduler file; "
            "local:2 needs no cluster.",
        ) from error
    try:
        yield Cluster(client, where)
    finally:
        with suppress(OSError, *_CLOSED):
            await client.close()


def _scheduler(where: str) -> str:
    """The scheduler's address, which may be in the file that `dask scheduler --scheduler-file` writes.

    Raises:
        UsageError: there is no such file.
        EnvironmentFailure: it cannot be read, or it holds no address.
    """
    if not where.startswith("/") and not where.endswith(".json"):
        return where
    remedy = "'dask scheduler --scheduler-file FILE' writes it at start; it must be on a disk that both hosts share."
    try:
        with open(where, encoding="utf-8") as file:
            return str(json.load(file)["address"])
    except FileNotFoundError as error:
        raise UsageError(
            f"The scheduler file {where} does not exist.",
            f"Looked in {os.path.dirname(os.path.abspath(where))}.",
            remedy,
        ) from error
    except (OSError, ValueError, LookupError, TypeError) as error:
        why = error.strerror if isinstance(error, OSError) else f"It holds no address: {error}"
        raise EnvironmentFailure(
            f"The scheduler file {where} cannot be read.",
            f"{why}.",
            remedy,
        ) from error


def _dask() -> tuple[Any, Any, Any]:
    """Imports Dask: its client, a cluster in this process, its settings.

    Raises:
        EnvironmentFailure: it is not installed.
    """
    try:
        import dask  # noqa: PLC0415 - an extra, and most of a second
        import distributed  # noqa: PLC0415 - the same
    except ImportError as error:
        raise EnvironmentFailure(
            "Loads from several machines need Dask, which is not installed.",
            f"{error}.",
            "pip install 'holdfast-probe[cluster]'",
        ) from error
    # holdfast itself reports what happens to workers, once.
    for logger in ("distributed", "distributed.client"):
        logging.getLogger(logger).setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=r"distributed\..*")
    return distributed.Client, distributed.LocalCluster, dask.config.set


def _name(address: str, host: Host, names: Sequence[str], number: int | None) -> str:
    if number is not None:
        return f"local-{number}"
    if names.count(host["name"]) == 1:
        return host["name"]
    return address.partition("://")[2] or address


def _words(error: BaseException) -> str:
    """What went wrong, in the words of the deepest cause that has any."""
    while error.__cause__ is not None and str(error.__cause__):
        error = error.__cause__
    return str(error).rstrip(".") or type(error).__name__
