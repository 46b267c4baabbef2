# SPDX-License-Identifier: Apache-2.0
"""Memory that all ranks of a group share, for engines of libdeepxtrace-ep.

It is one anonymous file of rank 0, which the others open through /proc: it has no name, so nothing
is left behind however the processes end. It is agreed on once, when a Buffer is made; each engine
then gets the next part of it, in the same order on all ranks, so that later no rank has to ask
another. What is not used takes no memory.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
from typing import Any, Callable, List, Optional, Tuple

# Far more than any engine needs: pages come into being when they are touched.
_BYTES = 1 << 42

AllGather = Callable[[Any], List[Any]]


def _machine() -> Tuple[str, str]:
    """What must be the same for the processes of a group: boot and process-id namespace."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip(), os.readlink("/proc/self/ns/pid")


def _create() -> int:
    fd = os.memfd_create("deepxtrace-ep")
    try:
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        os.ftruncate(fd, _BYTES if limit == resource.RLIM_INFINITY else min(limit, _BYTES))
    except OSError:
        os.close(fd)
        raise
    return fd


def _open(pid: int, fd: int, inode: int) -> int:
    own = os.open(f"/proc/{pid}/fd/{fd}", os.O_RDWR | os.O_CLOEXEC)
    if os.fstat(own).st_ino != inode:
        os.close(own)
        raise OSError(f"/proc/{pid}/fd/{fd} is another file")
    return own


class Segment:
    """A part of the shared memory, mapped."""

    def __init__(self, fd: int, offset: int, size: int) -> None:
        self._map: Optional[mmap.mmap] = mmap.mmap(fd, size, offset=offset)
        self._pin: Any = ctypes.c_char.from_buffer(self._map)
        self.address = ctypes.addressof(self._pin)

    def close(self) -> None:
        """Unmap. Nothing may use the memory any more."""
        if self._map is not None:
            self._pin = None
            self._map.close()
            self._map = None


class GroupMemory:
    """The shared memory of a group. All ranks make it together; all or none succeed."""

    def __init__(self, rank: int, all_gather: AllGather) -> None:
        self._fd = -1
        self._used = 0
        offer: Tuple[Any, ...] = ()
        problem = ""
        try:
            machine = _machine()
            if rank == 0:
                self._fd = _create()
                inode = os.fstat(self._fd).st_ino
                offer = (machine, os.getpid(), self._fd, inode)
        except OSError as error:
            problem = f"rank {rank} cannot make shared memory: {error}"
        offers = all_gather((offer, problem))
        if rank != 0 and offers[0][0] and not problem:
            theirs, pid, fd, inode = offers[0][0]
            try:
                if theirs != machine:
                    raise OSError("all ranks must be on one machine and in one container")
                self._fd = _open(pid, fd, inode)
            except OSError as error:
                problem = f"rank {rank} cannot open the shared memory of rank 0: {error}"
        # Rank 0 keeps its end open until all have had their turn.
        problems = [said for said in all_gather(problem or offers[0][1]) if said]
        if problems:
            self.close()
            raise RuntimeError(f"deepxtrace.ep: {problems[0]}")
        self._size = os.fstat(self._fd).st_size

    def next_part(self, size: int) -> Segment:
        """Map the next `size` bytes, a multiple of the page size; zeroed."""
        if self._fd < 0:
            raise RuntimeError("deepxtrace.ep: the Buffer was destroyed; make another one")
        if size > self._size - self._used:
            raise RuntimeError(f"deepxtrace.ep: there is no room for {size} more bytes of shared "
                               "memory in this Buffer; make another one for more shapes")
        segment = Segment(self._fd, self._used, size)
        self._used += size
        return segment

    def close(self) -> None:
        """Close the file; what is mapped stays."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
