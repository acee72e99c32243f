"""Which servers and frameworks an environment has, as `holdfast servers` shows it."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from holdfast.model.frozen import frozen

SCHEMA = 1


@frozen
class Part:
    """A package of the environment.

    Attributes:
        name: of a framework, or of what needs the package, such as "-k gevent".
        version: None where it is not installed, "" where it does not say.
        install: the command that installs it; None where it is there.
    """

    name: str
    version: str | None
    install: str | None


@frozen
class Server:
    """One server.

    Attributes:
        name: as in `--server`.
        interfaces: by what it can call an application.
        version: None where it is not installed, "" where it does not say.
        interpreter: that would run it; None where it is not installed.
        install: the command that installs it; None where it is there.
        needs: packages of some of its settings.
    """

    name: str
    interfaces: tuple[str, ...]
    version: str | None
    interpreter: str | None
    install: str | None
    needs: tuple[Part, ...] = ()


@frozen
class Installed:
    """An environment.

    Attributes:
        interpreters: that were asked, in order.
        servers: every one that holdfast can start.
        frameworks: of built-in applications, as the first interpreter has them.
        broken: adapters of other distributions that cannot be used, and why, by name.
        kind: tells it from other objects.
        schema: version of this form of the object.
    """

    interpreters: tuple[str, ...]
    servers: tuple[Server, ...]
    frameworks: tuple[Part, ...]
    broken: dict[str, str] = field(default_factory=dict)
    kind: Literal["servers"] = "servers"
    schema: int = SCHEMA
