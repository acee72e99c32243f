"""Maps the shared file into this process without keeping a descriptor.

`mmap.mmap` duplicates the descriptor that it is given and keeps the duplicate for resizing (CPython,
Modules/mmapmodule.c, new_mmap_object). A server whose descriptor limit is being measured would miss it. Python 3.13
can do without (`trackfd=False`); on older versions the C library's mmap is called directly. Only where ctypes is
missing is the descriptor kept.
"""

from __future__ import annotations

import mmap
import os
import sys

MAP_FAILED = -1


def open_shared(path: str) -> memoryview:
    """Maps the file at `path`: its bytes, writable and shared with every process that maps it.

    The mapping lasts as long as the process, and forked children inherit it.

    Raises:
        OSError: the file cannot be opened or mapped.
    """
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    try:
        size = os.fstat(descriptor).st_size
        if sys.version_info >= (3, 13):
            return memoryview(mmap.mmap(descriptor, size, trackfd=False))
        try:
            return _map_with_libc(descriptor, size)
        except (ImportError, AttributeError):
            return memoryview(mmap.mmap(descriptor, size))
    finally:
        os.close(descriptor)


def _map_with_libc(descriptor: int, size: int) -> memoryview:
    import ctypes

    call = ctypes.CDLL(None, use_errno=True).mmap
    call.restype = ctypes.c_ssize_t
    call.argtypes = (
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_long,
    )
    address = call(None, size, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, descriptor, 0)
    if address == MAP_FAILED:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return memoryview((ctypes.c_char * size).from_address(address)).cast("B")
