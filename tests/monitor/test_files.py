# SPDX-License-Identifier: Apache-2.0
"""What lies in a folder: packed files, logs full of other text, and what is no recording at all."""
import ctypes
import gzip
import json
import os
import time

import pytest

import monitor


def zstd(data, level=3):
    """Packed by libzstd."""
    try:
        library = ctypes.CDLL("libzstd.so.1")
    except OSError:
        pytest.skip("libzstd is not installed")
    for name in ("ZSTD_compressBound", "ZSTD_compress"):
        getattr(library, name).restype = ctypes.c_size_t
    library.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
    library.ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
    packed = ctypes.create_string_buffer(library.ZSTD_compressBound(len(data)))
    size = library.ZSTD_compress(packed, len(packed), data, len(data), level)
    return packed.raw[:size]


def log(instance, late, windows=4, begin=0, between=""):
    """Text of a log with a window a minute."""
    text = ""
    for minute in range(begin, begin + windows):
        stamp = "2025-09-15T%02d:%02d:53.686" % (minute // 60, minute % 60)
        text += ("[%s] [Diagnose] InstanceID: %s EPSize: 4, diagnose: {}, Dispatch Wait Recv Cost Per Token"
                 " Matrix[src_rank, dst_rank]\n" % (stamp, instance))
        for row in range(4):
            cells = [100 if row == late else 90000000 if column == late else 1000000 + 1000 * row + column
                     for column in range(4)]
            text += "[%s] rank=%d [ %s ]\n" % (stamp, row, " ".join(map(str, cells)))
        text += between
    return text


def count(store):
    return monitor.rows(store, "SELECT count(*) FROM window")[0][0]


@pytest.mark.parametrize("pack, end", [(gzip.compress, "gz"), (zstd, "zst")])
def test_packed_files_are_read_once_and_whole(tmp_path, pack, end):
    lines = monitor.simulate("-n", 8, "--windows", 30, "--from", 5, "--slow", "dispatch:3:60us")
    logs, store = tmp_path / "logs", tmp_path / "s.db"
    logs.mkdir()
    half = "".join(lines[:20]).encode(), "".join(lines[20:]).encode()
    # Frames behind each other are one text; a log as well.
    packed = pack(half[0]) + pack(half[1])
    (logs / ("a.jsonl.1." + end)).write_bytes(packed[:len(packed) // 3])
    (logs / ("x.log." + end)).write_bytes(pack(log("x", 1).encode()))
    keep = ("--keep", "9999d")
    assert monitor.serve_once(store, *keep, logs).returncode == 0
    # The file is still being written: what is there is read, and the rest when it is there.
    some = monitor.rows(store, "SELECT count(*) FROM window w JOIN file f ON f.id = w.file WHERE path LIKE '%jsonl%'")[0][0]
    assert some < 60
    (logs / ("a.jsonl.1." + end)).write_bytes(packed)
    for _ in range(2):
        assert monitor.serve_once(store, *keep, logs).returncode == 0
        assert count(store) == 64
    plain = tmp_path / "a.jsonl"
    plain.write_text("".join(lines))
    stored = [row[0].strip() for row in monitor.rows(store, "SELECT diagnosis FROM window w JOIN file f ON f.id = w.file"
                                                     " WHERE path LIKE '%jsonl%' ORDER BY ordinal")]
    assert stored == monitor.analyze(plain)


def test_logs_that_begin_alike_are_two(tmp_path):
    banner = "server is starting\nloading the model\n"
    logs, store = tmp_path / "logs", tmp_path / "s.db"
    logs.mkdir()
    keep = ("--keep", "9999d")
    # Two servers say the same when they start, before they have anything to tell.
    for name in "xy":
        (logs / (name + ".log")).write_text(banner)
    assert monitor.serve_once(store, *keep, logs).returncode == 0
    for name in "xy":
        (logs / (name + ".log")).write_text(banner + log(name, 1))
    for _ in range(2):
        assert monitor.serve_once(store, *keep, logs).returncode == 0
        assert count(store) == 8
    # Under another name a log is the same one.
    (logs / "x.log").rename(logs / "x.log.1")
    assert monitor.serve_once(store, *keep, logs).returncode == 0
    assert count(store) == 8


def test_a_damaged_packed_file_is_told(tmp_path):
    packed = gzip.compress("".join(monitor.simulate("-n", 8, "--windows", 200)).encode())
    (tmp_path / "a.jsonl.gz").write_bytes(packed[:20000] + b"damage" * 100 + packed[20600:])
    done = monitor.serve_once(tmp_path / "s.db", tmp_path)
    assert done.returncode == 0 and "a.jsonl.gz: " in done.stderr
    assert "it is damaged" in monitor.rows(tmp_path / "s.db", "SELECT problem FROM file")[0][0]
    (tmp_path / "b.jsonl.zst").write_bytes(b"this was never packed\n" * 10)
    done = monitor.serve_once(tmp_path / "s.db", tmp_path)
    assert done.returncode == 0 and ("b.jsonl.zst: it is damaged" in done.stderr or "libzstd1" in done.stderr)


def test_what_is_no_file_is_left_alone(tmp_path):
    logs, store = tmp_path / "logs", tmp_path / "s.db"
    logs.mkdir()
    os.mkfifo(logs / "fifo.jsonl")
    (logs / "folder.jsonl").mkdir()
    os.symlink("nowhere", logs / "gone.jsonl")
    os.symlink("round.jsonl", logs / "round.jsonl")
    os.symlink("/dev/zero", logs / "zero.log")
    os.symlink("good.jsonl", logs / "link.jsonl")
    (logs / "good.jsonl").write_text("".join(monitor.simulate("-n", 4, "--windows", 5)))
    (logs / "empty.jsonl").touch()
    (logs / "nul.jsonl").write_bytes(b"\0" * 5000 + b"\n" + b"\xff\xfe\n")
    (logs / "evil\n\033[31m.jsonl").write_text("{\n")
    done = monitor.serve_once(store, logs)
    assert done.returncode == 0, done.stderr
    # A file and a link to it are one.
    assert count(store) == 10
    assert "\033" not in done.stderr and all(line.startswith("deepxtrace serve: ") for line in done.stderr.splitlines())
    for path in (logs / "fifo.jsonl", "/dev/zero"):
        done = monitor.serve_once(store, path)
        assert done.returncode == 2 and "neither a file nor a folder" in done.stderr


def test_a_file_in_the_place_of_another_is_another(tmp_path):
    path, store = tmp_path / "a.jsonl", tmp_path / "s.db"
    first, second = ([json.dumps({**json.loads(line), "instance": name}) + "\n" for line in
                      monitor.simulate("-n", 4, "--windows", 10)] for name in ("one", "two"))
    path.write_text("".join(first))
    with monitor.Serve(store, path) as server:
        monitor.until(lambda: len(server.get("/api/v1/windows")["windows"]) == 20)
        (tmp_path / "new").write_text("".join(second))
        os.rename(tmp_path / "new", path)
        monitor.until(lambda: len(server.get("/api/v1/windows")["windows"]) == 40)
        path.unlink()
        time.sleep(0.6)
        path.write_text("".join(first))
        time.sleep(0.6)
    assert monitor.rows(store, "SELECT instance, windows FROM grp ORDER BY instance") == [("one", 20), ("two", 20)]


def test_a_log_full_of_other_text(tmp_path):
    chatter = "".join("step %d: %s\n" % (i, "all is well " * 80) for i in range(9500))
    path, store = tmp_path / "train.log", tmp_path / "s.db"
    # 9 MB before the first window, more than is looked at in one go; a window cut in its middle is waited for.
    text = log("x", 1, 3, between="chatter\n" * 10)
    cut = text.rindex("rank=2")
    path.write_text(chatter + text[:cut])
    assert monitor.serve_once(store, "--keep", "9999d", path).returncode == 0
    assert count(store) == 2
    with open(path, "a") as out:
        out.write(text[cut:] + chatter[:1000000])
    assert monitor.serve_once(store, "--keep", "9999d", path).returncode == 0
    assert count(store) == 3
    assert monitor.rows(store, "SELECT bad, problem FROM file") == [(0, None)]


def test_other_text_is_looked_at_once(tmp_path):
    (tmp_path / "other.log").write_text("".join("line %d of something else\n" % i for i in range(100000)))

    def read(process):
        with open("/proc/%d/io" % process.pid) as counters:
            return int(counters.readline().split()[1])
    with monitor.Serve(tmp_path / "s.db", tmp_path) as server:
        # When it has been looked at to its end, what is read is the folder alone.
        monitor.until(lambda: read(server.process) > 2000000)

        def is_at_rest():
            before = read(server.process)
            time.sleep(1.2)
            return read(server.process) - before < 1000000
        monitor.until(is_at_rest)
