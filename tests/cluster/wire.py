"""A long wire between two network namespaces: frames take their time on it, and some are lost.

    python wire.py NAMESPACE DEVICE NAMESPACE DEVICE DELAY_MS LOST_SHARE

Makes a TAP device at each end, says "up", and carries frames until it is ended; the devices go with it. For kernels
without netem. Each direction takes DELAY_MS.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import random
import select
import struct
import sys
import time
from collections import deque

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
MOST_BYTES = 65536


def tap(namespace: str, device: str) -> int:
    """Makes a device in a namespace; gives the descriptor at which its frames are."""
    with open(f"/run/netns/{namespace}", "rb") as there:
        if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns to {namespace}")
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
    return descriptor


def main() -> None:
    near, far = tap(sys.argv[1], sys.argv[2]), tap(sys.argv[3], sys.argv[4])
    delay_s, lost = float(sys.argv[5]) / 1000, float(sys.argv[6])
    other = {near: far, far: near}
    lots = random.Random(1)
    on_the_way: deque[tuple[float, int, bytes]] = deque()  # all take the same time, so the first is due first
    sys.stdout.write("up\n")
    sys.stdout.flush()
    while True:
        wait_s = max(0.0, on_the_way[0][0] - time.monotonic()) if on_the_way else None
        for end in select.select([near, far], [], [], wait_s)[0]:
            with contextlib.suppress(OSError):  # nothing more, or the end is not up
                while frame := os.read(end, MOST_BYTES):
                    if lots.random() >= lost:
                        on_the_way.append((time.monotonic() + delay_s, other[end], frame))
        while on_the_way and on_the_way[0][0] <= time.monotonic():
            _, end, frame = on_the_way.popleft()
            with contextlib.suppress(OSError):  # the end is full, or not up: as lost as on any wire
                os.write(end, frame)


main()
