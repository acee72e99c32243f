"""All planted causes."""

from __future__ import annotations

from of_code import BODIES, DESCRIPTORS_AND_THREADS, GATES, MORE
from of_servers import BACKLOGS, CONNECTIONS, THREADS, WORKERS
from of_surroundings import APPLICATIONS, COMMANDS, DESCRIPTORS, ENVIRONMENT, LIBRARIES, NOTHING

CASES = (
    *THREADS,
    *WORKERS,
    *CONNECTIONS,
    *BACKLOGS,
    *DESCRIPTORS,
    *ENVIRONMENT,
    *APPLICATIONS,
    *LIBRARIES,
    *COMMANDS,
    *NOTHING,
    *BODIES,
    *GATES,
    *DESCRIPTORS_AND_THREADS,
    *MORE,
)
