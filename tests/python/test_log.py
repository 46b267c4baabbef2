# SPDX-License-Identifier: Apache-2.0
"""Files of whole lines: rotated, and indifferent to a disk that is full."""
import errno
import os
import re
import resource
import shutil
import signal
import subprocess
import time

import pytest

from deepxtrace import _log
from deepxtrace._log import LineFile, TextLog


def test_lines_are_appended(tmp_path):
    path = tmp_path / "x"
    path.write_text("old\n")
    file = LineFile(str(path))
    assert file.write(["one", "zwei ü"]) and file.write(["three"])
    assert path.read_text() == "old\none\nzwei ü\nthree\n"


def test_stamps(tmp_path):
    log = TextLog(str(tmp_path / "x"))
    log.say("one", "two\nlines")
    stamp = r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\] "
    assert re.fullmatch(f"{stamp}one\n{stamp}two lines\n", (tmp_path / "x").read_text())


def set_day(monkeypatch, day):
    now = time.mktime((2025, 9, day, 12, 0, 0, 0, 0, -1))
    monkeypatch.setattr(_log.time, "time", lambda: now)
    real = time.strftime
    monkeypatch.setattr(_log.time, "strftime",
                        lambda form, when=None: real(form, when or time.localtime(now)))


def test_midnight(tmp_path, monkeypatch):
    set_day(monkeypatch, 10)
    file = LineFile(str(tmp_path / "x"))
    for day in range(10, 16):
        set_day(monkeypatch, day)
        file.write([f"day {day}"])
        file.write(["more"])
        os.utime(tmp_path / "x", (time.time(), time.time()))
    assert sorted(os.listdir(tmp_path)) == ["x", "x.2025-09-13", "x.2025-09-14"]
    assert (tmp_path / "x").read_text() == "day 15\nmore\n"
    assert (tmp_path / "x.2025-09-14").read_text() == "day 14\nmore\n"


def test_a_file_of_yesterday_is_rotated_at_the_start(tmp_path):
    path = tmp_path / "x"
    path.write_text("old\n")
    os.utime(path, (1e9, 1e9))
    LineFile(str(path)).write(["new"])
    assert path.read_text() == "new\n"
    assert (tmp_path / time.strftime("x.%Y-%m-%d", time.localtime(1e9))).read_text() == "old\n"


def test_size(tmp_path):
    file = LineFile(str(tmp_path / "x"), limit=10)
    for number in range(5):
        file.write([f"line number {number}"])
    names = sorted(os.listdir(tmp_path))
    today = time.strftime("%Y-%m-%d")
    assert len(names) == 3 and all(name.startswith(f"x.{today}") for name in names[1:])
    kept = sorted((tmp_path / name).read_text() for name in names)
    assert kept == [f"line number {number}\n" for number in (2, 3, 4)]


@pytest.mark.parametrize("old_kernel", [False, True])
def test_nobody_takes_a_name_from_another(tmp_path, monkeypatch, old_kernel):
    """Processes that rotate the same file at once lose nothing, as two jobs in a folder may."""
    monkeypatch.setattr(_log, "_KEPT", 1 << 20)
    lines = 40 if old_kernel else 150

    def write(name):
        file = LineFile(str(tmp_path / "x"), limit=1)
        return all(file.write([f"{name} {number}"]) for number in range(lines))

    if old_kernel:
        # A name that is taken, be it by a link to nothing, stays who has it.
        monkeypatch.setattr(_log, "_renameat2", None)
        os.symlink("nothing", tmp_path / time.strftime("x.%Y-%m-%d"))
        assert write("a")
        assert os.path.islink(tmp_path / time.strftime("x.%Y-%m-%d"))
        names = ["a"]
        os.unlink(tmp_path / time.strftime("x.%Y-%m-%d"))
    else:
        names = ["a", "b", "c", "d"]
        children = {}
        for name in names:
            child = os.fork()
            if child == 0:
                os._exit(0 if write(name) else 1)
            children[child] = name
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(names)
    found = sorted(line for entry in tmp_path.iterdir() for line in entry.read_text().splitlines())
    assert found == sorted(f"{name} {number}" for name in names for number in range(lines))


def test_a_new_file_is_no_more_open_than_the_one_before(tmp_path):
    file = LineFile(str(tmp_path / "x"), limit=1)
    os.chmod(tmp_path / "x", 0o600)
    for number in range(3):
        file.write([str(number)])
    assert (tmp_path / "x").read_text() == "2\n"
    assert {entry.stat().st_mode & 0o777 for entry in os.scandir(tmp_path)} == {0o600}


def test_a_line_begins_behind_half_of_another(tmp_path):
    path = tmp_path / "x"
    path.write_text("whole\nha")
    file = LineFile(str(path))
    assert path.read_text() == "whole\nha"
    assert file.write(["new"]) and file.write(["and more"])
    assert path.read_text() == "whole\nha\nnew\nand more\n"


def test_other_files_are_left_alone(tmp_path):
    others = ("x.old", "xx.2025-01-01", "x.2025", "x.2nd-copy", "x.2025-01-01.keep",
              "x.2024-notes.txt", "x.2025-01-01.1.gz")
    for name in others:
        (tmp_path / name).write_text(name)
    (tmp_path / "x.2020-01-01").mkdir()
    os.symlink("x.old", tmp_path / "x.2020-01-02")
    file = LineFile(str(tmp_path / "x"), limit=1)
    for number in range(6):
        file.write([str(number)])
    left = set(os.listdir(tmp_path))
    assert left.issuperset((*others, "x.2020-01-01", "x.2020-01-02"))
    assert len(left) == len(others) + 2 + 3


def test_a_full_disk(tmp_path, monkeypatch):
    log = TextLog(str(tmp_path / "x"))
    real = os.write

    def write(fd, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(_log.os, "write", write)
    results = [log.say("a"), log.say("b", "c")]
    monkeypatch.setattr(_log.os, "write", real)
    assert results == [False, False] and log.reason == "No space left on device"
    assert log.say("d")
    lines = (tmp_path / "x").read_text().splitlines()
    assert lines[0].endswith("[Diagnose] 3 lines could not be written here: "
                             "No space left on device")
    assert lines[1].endswith("] d") and len(lines) == 2


class FailingOnce:
    """The module os, in which one call of what reaches a file system fails, as those of NFS may."""

    CALLS = ("open", "fstat", "stat", "write", "lseek", "ftruncate", "pread", "close", "fchmod",
             "scandir", "unlink", "makedirs")

    def __init__(self, at, error):
        self.at, self.error, self.count = at, error, 0

    def __getattr__(self, name):
        real = getattr(os, name)
        if name not in self.CALLS:
            return real

        def call(*arguments, **named):
            self.count += 1
            if self.count != self.at:
                return real(*arguments, **named)
            if name == "close":
                real(*arguments)  # it tells what earlier writes came to, and closes all the same
            raise OSError(self.error, os.strerror(self.error))
        return call


@pytest.mark.parametrize("error", [errno.EIO, errno.ESTALE, errno.EDQUOT])
@pytest.mark.parametrize("limit", [1, 1 << 20])
def test_whatever_fails_costs_lines_alone(tmp_path, monkeypatch, error, limit):
    """A descriptor that failed to be closed was written to later, whoever had it by then; others
    were left open."""
    number, last = 0, 1
    while last >= number:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        file = LineFile(str(folder / "x"), limit=limit)
        file.write(["first"])
        open_before = len(os.listdir("/proc/self/fd"))
        os.unlink(folder / "x")
        failing = FailingOnce(number, error)
        monkeypatch.setattr(_log, "os", failing)
        file.write(["second"])
        with open(tmp_path / "other", "w+") as other:  # has the next free descriptor
            file.write(["third"])
            last = failing.count
            monkeypatch.setattr(_log, "os", os)
            assert file.write(["fourth"])
            assert other.read() == ""
        assert len(os.listdir("/proc/self/fd")) <= open_before
        assert "fourth\n" in (folder / "x").read_text()
        file.close()
    assert number > 10


def test_links_pipes_and_devices_are_not_opened(tmp_path):
    (tmp_path / "victim").write_text("precious\n")
    os.symlink("victim", tmp_path / "link")
    os.symlink("nothing", tmp_path / "dangling")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "link", tmp_path / "dangling", tmp_path / "pipe", tmp_path,
                 "/dev/null"):
        with pytest.raises(OSError):
            LineFile(str(path))
    assert (tmp_path / "victim").read_text() == "precious\n"
    assert not (tmp_path / "nothing").exists()
    # A pipe that takes the place of a file later costs lines, and no time.
    file = LineFile(str(tmp_path / "file"), limit=1)
    file.write(["one"])
    os.rename(tmp_path / "file", tmp_path / "away")
    os.mkfifo(tmp_path / "file")
    assert file.write(["two"]) in (True, False) and file.write(["three"]) in (True, False)


def test_where_nothing_can_be_renamed_the_old_file_goes_on(tmp_path, monkeypatch):
    set_day(monkeypatch, 10)
    file = LineFile(str(tmp_path / "x"))
    file.write(["one"])
    tries = []

    def refuse(*names):
        tries.append(names)
        raise PermissionError(errno.EACCES, "Permission denied")

    real = _log._rename_new
    monkeypatch.setattr(_log, "_rename_new", refuse)
    set_day(monkeypatch, 11)
    assert all(file.write([str(number)]) for number in range(5)) and len(tries) == 1
    set_day(monkeypatch, 12)
    assert file.write(["six"]) and len(tries) == 2
    assert (tmp_path / "x").read_text() == "one\n0\n1\n2\n3\n4\nsix\n"
    monkeypatch.setattr(_log, "_rename_new", real)
    set_day(monkeypatch, 13)
    assert file.write(["seven"]) and (tmp_path / "x").read_text() == "seven\n"


def test_texts_are_cleaned(tmp_path):
    log = TextLog(str(tmp_path / "x"))
    log.say("a\nb\r\x1b[31mred\u009b2J", "\u202eturned\u2028", "zwei ü µs → \udc80")
    text = (tmp_path / "x").read_text()
    assert "a b ?[31mred?2J" in text and "?turned" in text and "zwei ü µs → ?" in text
    assert text.count("\n") == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount a file system")
def test_a_disk_that_fills_up_keeps_whole_lines(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", disk],
                      capture_output=True, check=False).returncode != 0:
        pytest.skip("no file systems can be mounted here")
    try:
        file = LineFile(str(disk / "x"))
        line = "y" * 999
        written = [file.write([line]) for _ in range(40)]
        assert True in written and False in written
        content = (disk / "x").read_text()
        assert set(content.splitlines()) == {line} and content.endswith("\n")
        (disk / "x").write_text("")
        assert file.write([line])
        file.close()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_half_a_line_is_taken_back(tmp_path):
    file = LineFile(str(tmp_path / "x"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        file.write(["first"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
        assert not file.write(["a line that does not fit"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert (tmp_path / "x").read_text() == "first\n"
    assert file.write(["second"])
    assert (tmp_path / "x").read_text() == "first\nsecond\n"


@pytest.mark.parametrize("limit", [1, 1 << 30])
def test_a_folder_that_goes_away(tmp_path, limit):
    folder = tmp_path / "f"
    folder.mkdir()
    file = LineFile(str(folder / "x"), limit=limit)
    file.write(["a"])
    shutil.rmtree(folder)
    assert file.write(["b"])
    assert file.write(["c"]) and (folder / "x").read_text().endswith("c\n")
    shutil.rmtree(folder)
    folder.write_text("in the way")
    assert not file.write(["d"])
    folder.unlink()
    assert file.write(["e"]) and (folder / "x").read_text() == "e\n"


def test_a_file_that_goes_away(tmp_path):
    file = LineFile(str(tmp_path / "x"))
    file.write(["a"])
    os.unlink(tmp_path / "x")
    assert file.write(["b"]) and (tmp_path / "x").read_text() == "b\n"


def test_a_folder_that_goes_away_before_the_first_line(tmp_path):
    file = LineFile(str(tmp_path / "f" / "g" / "x"), later=True)
    assert file.write(["a"]) and (tmp_path / "f" / "g" / "x").read_text() == "a\n"


def test_a_folder_that_goes_away_while_the_disk_is_full(tmp_path, monkeypatch):
    (tmp_path / "f").mkdir()
    file = LineFile(str(tmp_path / "f" / "x"))

    def refuse(fd, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(_log.os, "write", refuse)
        assert not file.write(["a"])
    shutil.rmtree(tmp_path / "f")
    assert file.write(["b"]) and (tmp_path / "f" / "x").read_text() == "b\n"


def test_a_file_made_again_is_as_open_as_the_one_before(tmp_path):
    file = LineFile(str(tmp_path / "x"))
    for mode in (0o640, 0o666, 0o600):
        os.chmod(tmp_path / "x", mode)
        os.unlink(tmp_path / "x")
        assert file.write(["a"]) and (tmp_path / "x").stat().st_mode & 0o777 == mode
    # One that somebody else has made has the permissions that it was given.
    os.unlink(tmp_path / "x")
    (tmp_path / "x").touch(0o640)
    assert file.write(["b"]) and (tmp_path / "x").read_text() == "b\n"
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("names", [0, 1])
def test_how_many_names_a_file_has_does_not_matter(tmp_path, monkeypatch, names):
    """With 0 a FUSE that does not count them, with 1 a file removed over NFS."""
    real = os.fstat

    def fstat(fd):
        about = list(real(fd))
        about[3] = names
        return os.stat_result(about)

    monkeypatch.setattr(_log.os, "fstat", fstat)
    file = LineFile(str(tmp_path / "x"))
    assert file.write(["a"]) and file.write(["b"]) and file.anew == 0
    os.unlink(tmp_path / "x")
    assert file.write(["c"]) and file.anew == 1 and (tmp_path / "x").read_text() == "c\n"


def test_a_place_that_cannot_be_written_is_an_error_at_once(tmp_path):
    with pytest.raises(OSError):
        LineFile(str(tmp_path / "none" / "x"))
