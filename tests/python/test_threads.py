# SPDX-License-Identifier: Apache-2.0
"""What the end of the process stops and waits for. Each test is a process that ends while threads
of the package are under way."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("torch")

#: A thread that is still at work when the program is over, and that says so when it is done.
SLOW = """
import threading, time
from deepxtrace import _mailroom, _threads
begun = threading.Event()

def work(word):
    begun.set()
    time.sleep(0.3)
    print(word, flush=True)

"""


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", SLOW + program], capture_output=True, text=True,
                          timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("begin", ["start('deepxtrace-start', work, 'done')",
                                   "start_anywhere(work, 'done')"])
def test_a_thread_under_way_is_waited_for(begin: str) -> None:
    assert run(f"_threads.{begin}; begun.wait()") == "done\n"


def test_a_thread_that_fails_is_not_waited_for_for_ever() -> None:
    program = "_threads.start('x', lambda: 1 / 0)\nwhile _threads._under_way: time.sleep(0.01)"
    assert run(program) == ""


@pytest.mark.parametrize("begin", ["start('x', ", "start_anywhere("])
def test_the_end_waits_until_a_failure_is_told(begin: str) -> None:
    """A thread that writes to stderr while the interpreter goes down ends the process by a
    signal."""
    program = f"""
def tell(what):
    time.sleep(0.3)
    print(what.exc_type.__name__, flush=True)
threading.excepthook = tell
_threads.{begin}lambda: 1 / 0)
"""
    assert run(program) == "ZeroDivisionError\n"


def test_the_order_of_the_end() -> None:
    program = """
_threads.at_end(_threads.MAILROOMS, lambda: print("mailrooms"))
_threads.at_end(_threads.DIAGNOSES, lambda: 1 / 0)
_threads.at_end(_threads.DIAGNOSES, lambda: print("diagnoses"))
_threads.at_end(_threads.BEGINNERS, lambda: _threads.start("x", work, "a start under way"))
"""
    assert run(program) == "a start under way\ndiagnoses\nmailrooms\n"


def test_what_a_session_reads_outlives_it() -> None:
    """A session reads the durations a last time when it is stopped, and says so to others."""
    program = """
from deepxtrace import _durations
class Library:
    def dxt_probe_create_durations(self, *arguments):
        return real.dxt_probe_create_durations(*arguments)
    def dxt_probe_destroy(self, probe):
        print("durations are gone", flush=True)
real, _durations.lib = _durations.lib, Library()
kept, forgotten = (_durations.Durations(1, 2) for _ in range(2))
del forgotten
_threads.at_end(_threads.MAILROOMS, lambda: print("the end"))
"""
    assert run(program) == "durations are gone\nthe end\n"


def test_a_mailroom_that_is_open_is_closed() -> None:
    assert run("""
def connect():
    work("connected")
    raise RuntimeError("no store")
room = _mailroom.Mailroom(connect, "open", 1, 2, lambda text: None)
room.publish(1, b"mail")
begun.wait()
""") == "connected\n"


def test_a_diagnosis_that_is_being_stopped_is_waited_for() -> None:
    """Whose Buffer has just died: the thread that stops it has taken it off every list."""
    assert run("""
import uuid
import torch.distributed as dist
from deepxtrace import _attach, diagnose as ds
from types import SimpleNamespace

class Slow:
    session = mailroom = None
    def stop(self):
        work("stopped")

diagnosis = ds.Diagnose(SimpleNamespace(rank=lambda: 0, size=lambda: 2), enable_ll_diagnose=False)
diagnosis._modes.append(Slow())
diagnosis._report = SimpleNamespace(close=lambda: print("closed"))
layer = _attach.Attachment(_attach.AttachSettings.read({}, {}))
layer._running[id(diagnosis)] = diagnosis
layer.end(diagnosis)
begun.wait()
""") == "stopped\nclosed\n"


def test_a_forked_child_waits_for_nothing() -> None:
    assert run("""
import os, sys
_threads.start("x", work, "parent")
begun.wait()
child = os.fork()
if child == 0:
    assert not _threads._under_way
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
""") == "parent\n"
