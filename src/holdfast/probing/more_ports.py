"""Whether a server that listens already is about to listen elsewhere too, on the port that its command names.

Some programs start a part of theirs first, which is no Python and takes a port that the kernel chooses (TensorBoard's
data server); then they need seconds until they listen themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from holdfast.model.timeline import Listener
from holdfast.observe.process_info import is_python, read_program
from holdfast.procfs.read import read_ephemeral_ports

_NUMBER = re.compile(r"(?:^|[:=])(\d{2,5})$")
_FIRST, _LAST = 80, 65535


def awaits_its_own(command: Sequence[str], listeners: Iterable[Listener]) -> bool:
    """Whether all that listen so far are no Python, on ports that the kernel chose, and the command names another.

    Args:
        command: the person's own, with its arguments.
        listeners: of its processes.
    """
    ports = [each for each in listeners if each.port]
    chosen = read_ephemeral_ports()
    programs = [read_program(pid) for each in ports for pid in each.pids]
    if not ports or any(each is None or is_python(each) for each in programs):
        return False
    named = {int(found[1]) for word in command if (found := _NUMBER.search(word))}
    named = {each for each in named if _FIRST <= each <= _LAST}
    return bool(named) and all(each.port in chosen and each.port not in named for each in ports)
