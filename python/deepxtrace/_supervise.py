# SPDX-License-Identifier: Apache-2.0
"""Runs a command as if it had taken our place, and stays to say a word at its end: signals that
come to this process go to the command, and this process ends as the command did. Needs nothing but
the standard library."""
from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from typing import List, NoReturn, Optional, Set

_PR_SET_PDEATHSIG = 1
#: Signals that stay what they are: those that cannot be caught, or tell of our own faults.
_NOT_OURS = {signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE,
             signal.SIGILL, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS}
#: si_code of signals that the kernel sends, such as Ctrl-C, which all of the terminal's processes
#: get: the command has it already.
_FROM_KERNEL = 0x80


def _signals() -> Set[int]:
    return {number for number in signal.valid_signals() if number not in _NOT_OURS}


def hold() -> Set[int]:
    """Block signals in this process from now on. Returns what was blocked before."""
    return signal.pthread_sigmask(signal.SIG_BLOCK, _signals())


def release(before: Set[int]) -> None:
    """Undo hold(), which returned that. What came meanwhile is heard now."""
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start(command: List[str], before: Set[int]) -> int:
    """Start a command, with what hold() returned blocked; its process id. Raises OSError if it
    cannot be run."""
    reading, writing = os.pipe()  # closed by a successful exec
    waiting, going = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(going)
        _become(command, before, waiting, writing, parent)
    os.close(writing)
    os.close(waiting)
    # What is pending here, and then not in the child, came before it began or was not sent to it:
    # nobody else sends it such a Ctrl-C.
    pending = signal.sigpending() - {signal.SIGCHLD}
    os.close(going)
    with os.fdopen(reading, "rb") as pipe:
        its, _, failure = pipe.read().partition(b"\n")
    if failure:
        os.waitpid(child, 0)
        number = int(failure)
        raise OSError(number, os.strerror(number), command[0])
    for number in pending:
        signal.sigtimedwait({number}, 0)
        if number not in map(int, its.split()):
            os.kill(child, number)
    return child


def _become(
    command: List[str], mask: Set[int], waiting: int, writing: int, parent: int
) -> NoReturn:
    try:
        # Who kills the launcher means the command.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        os.read(waiting, 1)  # until the other end is closed
        os.write(writing, b"%s\n" % " ".join(str(int(n)) for n in signal.sigpending()).encode())
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(writing, str(error.errno or 1).encode())
    finally:
        os._exit(127)


def wait(child: int) -> int:
    """Hand signals on until the command has ended; its status, as of waitpid()."""
    waited = _signals()
    while True:
        status = _reap(child)
        if status is not None:
            return status
        info = signal.sigwaitinfo(waited)
        if info.si_signo != signal.SIGCHLD and info.si_code != _FROM_KERNEL:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, info.si_signo)


def _reap(child: int) -> Optional[int]:
    """The status of the command, if it has ended. As the first process of a container others are
    ours, too; a command that is stopped stops this process, until it goes on."""
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return 0
        if process == 0:
            return None
        if process != child:
            continue
        if not os.WIFSTOPPED(status):
            return status
        os.kill(os.getpid(), signal.SIGSTOP)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGCONT)


def end_like(status: int) -> NoReturn:
    """End this process as the command has ended."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the core is the command's
        with contextlib.suppress(ValueError, OSError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os._exit(128 + number)
    os._exit(os.WEXITSTATUS(status))
