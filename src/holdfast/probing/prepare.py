"""Everything that a run needs before its server starts: directory, record, environment and command."""

from __future__ import annotations

import contextlib
import os
from contextlib import ExitStack
from pathlib import Path

from holdfast.errors import EnvironmentFailure
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import Experiment
from holdfast.model.frozen import frozen
from holdfast.observe.kernel import KernelView
from holdfast.observe.record_reader import INSIDE_DIRECTORY, RecorderSettings, Recording
from holdfast.probing.launch import ServerSpec
from holdfast.probing.ports import check_listen_address
from holdfast.probing.slots import MOST_LISTENERS, Slots, allot
from holdfast.rundir import open_to_all, run_directory, shared_with_all
from holdfast.servers.guardian import Guardian
from holdfast.servers.limits import AskedLimit, asked_limits
from holdfast.servers.privileges import spare_uid
from holdfast.servers.process import Command, guardian_of


@frozen
class Room:
    """Where a run takes place.

    Attributes:
        directory: not there before `prepare`.
        uid: the user who runs the server; None is ourselves.
    """

    directory: Path
    uid: int | None


@frozen
class Files:
    """What we and the server's processes write for each other, and the directory of the code that runs in them."""

    record: Path
    trouble: Path
    hello: Path
    library: Path


@frozen
class Prepared:
    """A run whose server can be started.

    Attributes:
        slots: which request ids each phase uses.
        token: tells this run's requests and processes from all others.
        guardian: ends the server and removes the directory of the run if we are killed; None where there can be none.
    """

    experiment: Experiment
    spec: ServerSpec
    interrupts: Interrupts
    kernel: KernelView
    files: Files
    slots: Slots
    recording: Recording
    token: str
    command: Command
    guardian: Guardian | None


def user_for(experiment: Experiment, spec: ServerSpec) -> int | None:
    """The user under whom `nproc` binds, or who runs a server that does not serve as root; None is ourselves.

    Raises:
        EnvironmentFailure: there is none.
    """
    if os.geteuid() != 0 or (experiment.nproc is None and spec.serves_as_root):
        return None
    uid = spare_uid()
    if uid is None and experiment.nproc is None:
        raise EnvironmentFailure(
            f"{spec.name} cannot be started here.",
            "It does not serve as root, and there is no unused user id to run it as.",
            "Run holdfast as an ordinary user.",
        )
    if uid is None:
        raise EnvironmentFailure(
            "--nproc cannot be measured here.",
            "The limit does not bind root (setrlimit(2)), and there is no unused user id to run the server as.",
            "Run holdfast as an ordinary user.",
        )
    return uid


def prepare(experiment: Experiment, spec: ServerSpec, room: Room, interrupts: Interrupts, stack: ExitStack) -> Prepared:
    """Makes the directory and the record of a run, and the command that starts its server.

    Args:
        stack: takes everything that has to be cleaned up.

    Raises:
        EnvironmentFailure: something of it is not possible here, or the server's port is taken.
    """
    kernel = stack.enter_context(KernelView())
    check_listen_address(spec.port, spec.address, kernel, own=spec.own)
    slots = allot(
        experiment.max_offered,
        listeners=MOST_LISTENERS if spec.own else 0,
        called=experiment.max_called + 1 if experiment.call else 0,
        streams=experiment.max_offered if experiment.http2 else 0,
    )
    token = os.urandom(16).hex()
    with interrupts.undisturbed():
        guardian = _guardian(experiment, room, token)
        if guardian is not None:
            stack.callback(guardian.dismiss)
        directory = stack.enter_context(run_directory(room.directory, room.uid))
        files = _files(directory, shared=spec.own)
        recording = stack.enter_context(Recording.create(files.record, slots.total))
    if room.uid is not None:
        os.chown(recording.path, room.uid, -1)
    if spec.own:
        files.hello.touch()
        open_to_all(files.record)
        open_to_all(files.hello)
    command = Command(
        argv=spec.argv,
        environment={
            **spec.environment,
            **_runtime(experiment, spec, directory),
            **_inside(experiment, spec, files, token),
        },
        cwd=Path(experiment.cwd),
        log=directory / "server.log",
        token=token,
        limits=() if experiment.limits_after_start else limits_of(experiment),
        later_limits=limits_of(experiment) if experiment.limits_after_start else (),
        uid=room.uid,
        stop_signal=spec.stop_signal,
        grace_s=spec.grace_s,
        ends_with_workers=spec.ends_with_workers,
    )
    return Prepared(experiment, spec, interrupts, kernel, files, slots, recording, token, command, guardian)


def _guardian(experiment: Experiment, room: Room, token: str) -> Guardian | None:
    # RLIMIT_NPROC counts the processes of a user (setrlimit(2)): it must not take one from the server's.
    if room.uid is None and experiment.nproc is not None:
        return None
    with contextlib.suppress(OSError):
        return guardian_of(token, room.directory)
    return None


def limits_of(experiment: Experiment) -> tuple[AskedLimit, ...]:
    """The limits that the experiment asks for."""
    return asked_limits(experiment.nofile, experiment.nproc, experiment.address_space)


def _files(directory: Path, *, shared: bool) -> Files:
    written_to, library = directory, Path(INSIDE_DIRECTORY)
    if shared:
        written_to, library = shared_with_all(directory, library)
    return Files(written_to / "record", written_to / "trouble.json", written_to / "hello", library)


def _inside(experiment: Experiment, spec: ServerSpec, files: Files, token: str) -> dict[str, str]:
    return RecorderSettings(
        record=files.record,
        token=token,
        trouble=files.trouble,
        path=experiment.path,
        app=spec.app,
        framework=spec.framework,
        interface=spec.interface,
        view=spec.view,
        pythonpath=spec.environment.get("PYTHONPATH", ""),
        hello=files.hello if spec.own else None,
        directory=str(files.library),
        limits=experiment.library_limits,
    ).environment()


def _runtime(experiment: Experiment, spec: ServerSpec, directory: Path) -> dict[str, str]:
    """Where a server that an adapter starts puts its sockets and the like (XDG base directories).

    gunicorn has one control socket for each user there, and would take over that of another gunicorn that runs.
    """
    ours = {} if spec.own else {"XDG_RUNTIME_DIR": str(directory)}
    return ours | dict(experiment.environment)
