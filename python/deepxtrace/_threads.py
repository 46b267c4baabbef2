# SPDX-License-Identifier: Apache-2.0
"""Threads, and the end of the process.

A thread that comes back from torch's C++ into an interpreter that is going down ends the process
with SIGABRT. So the end of the process stops, in this order: whatever begins diagnoses; the
threads that are started here, which begin or end one; the diagnoses; their mailrooms.
"""
from __future__ import annotations

import _thread
import atexit
import contextlib
import os
import sys
import threading
import time
from typing import Any, Callable, Iterable, List, Set, Tuple

#: For how long the end of the process waits: as long as a connection may take, and a little.
EXIT_SECONDS = 6.0

#: A lock for each thread under way, which is held until the thread ends.
_under_way: Set[Any] = set()

#: When at_end() calls something.
BEGINNERS, DIAGNOSES, MAILROOMS = range(3)
_stops: Tuple[List[Callable[[], Any]], ...] = ([], [], [])


def start(name: str, target: Callable[..., Any], *args: Any) -> None:
    """Run `target(*args)` on a thread of that name."""
    run, held = _tracked(target, args)
    try:
        threading.Thread(target=run, name=name, daemon=True).start()
    except BaseException:
        _under_way.discard(held)
        raise


def start_anywhere(target: Callable[..., Any], *args: Any) -> None:
    """The same for a caller that may hold any lock, such as the garbage collector: nothing here
    waits, not even for the thread to begin."""
    run, held = _tracked(target, args)
    try:
        _thread.start_new_thread(run, ())
    except BaseException:
        _under_way.discard(held)
        raise


def _tracked(target: Callable[..., Any], args: Any) -> Any:
    held = _thread.allocate_lock()
    held.acquire()
    _under_way.add(held)

    def run() -> None:
        try:
            target(*args)
        except Exception:  # told before the thread counts as ended: it writes to stderr
            thread = threading.current_thread()
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), thread)))
        finally:
            _under_way.discard(held)
            held.release()

    return run, held


def at_end(stage: int, stop: Callable[[], Any]) -> None:
    """Call `stop()` when the process ends, after what belongs to an earlier stage."""
    _stops[stage].append(stop)


@atexit.register
def _end() -> None:
    for stage, stops in enumerate(_stops):
        for stop in stops:
            with contextlib.suppress(Exception):  # the others are to be stopped all the same
                stop()
        if stage == BEGINNERS:
            wait()


def wait() -> None:
    """Wait until the threads under way have ended, for EXIT_SECONDS at most."""
    deadline = time.monotonic() + EXIT_SECONDS
    for held in list(_under_way):
        held.acquire(timeout=max(0.0, deadline - time.monotonic()))


def join(threads: Iterable[threading.Thread]) -> None:
    """The same for threads that somebody else has started."""
    deadline = time.monotonic() + EXIT_SECONDS
    for thread in list(threads):
        thread.join(max(0.0, deadline - time.monotonic()))


os.register_at_fork(after_in_child=_under_way.clear)
