# SPDX-License-Identifier: Apache-2.0
"""What is followed is stored once and whole, whatever happens."""
import gzip
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import monitor


def stored(store):
    return [row[0].strip() for row in monitor.rows(store, "SELECT diagnosis FROM window ORDER BY file, ordinal")]


def test_findings_are_those_of_analyze(tmp_path):
    path = tmp_path / "logs" / "a.jsonl"
    path.parent.mkdir()
    path.write_text("".join(monitor.simulate("-n", 16, "--windows", 40, "--from", 15, "--slow", "dispatch:5:60us")))
    assert monitor.serve_once(tmp_path / "s.db", path.parent).returncode == 0
    assert stored(tmp_path / "s.db") == monitor.analyze(path)
    # A second time there is nothing new.
    assert monitor.serve_once(tmp_path / "s.db", path.parent).returncode == 0
    assert len(stored(tmp_path / "s.db")) == 80


def test_the_operators_of_an_interval_are_judged_together(tmp_path):
    """Late in dispatch by what was sent slowly in "combine transfer", three lines further on."""
    path, waits = tmp_path / "logs" / "a.jsonl", {"dispatch": 10, "dispatch transfer": 5, "combine": 9, "combine transfer": 6}
    path.parent.mkdir()
    path.write_text("".join(
        json.dumps({"v": 1, "phase": phase, "window": window, "ranks": 2, "unit": "ns", "ops": 1000, "elapsed_ns": 200000000,
                    "wait": [[0, us * 1000000], [(4 if "transfer" in phase else 3) * 1000000, 0]]}) + "\n"
        for window in range(3) for phase, us in waits.items()))
    assert monitor.serve_once(tmp_path / "s.db", path.parent).returncode == 0
    found = [json.loads(line) for line in stored(tmp_path / "s.db")]
    assert [[one["kind"] for one in line["findings"]] for line in found] == 3 * [[], ["slow_link"], [], ["slow_link"]]
    assert stored(tmp_path / "s.db") == monitor.analyze(path)


def test_killed_at_any_moment_nothing_is_lost_or_counted_twice(tmp_path):
    kills = int(os.environ.get("DXT_CAMPAIGN_KILLS", "12"))  # the campaign has more
    windows = 150 * max(kills, 12) // 12
    lines = monitor.simulate("-n", 16, "--windows", windows, "--from", 40, "--slow", "combine:3:60us")
    logs, store = tmp_path / "logs", tmp_path / "s.db"
    logs.mkdir()
    path, chance = logs / "r.jsonl", random.Random(7)
    with open(path, "w") as out:
        for _ in range(kills):
            process = subprocess.Popen([monitor.COMMAND, "serve", "--store", store, "--listen", "127.0.0.1:0", logs],
                                       stderr=subprocess.DEVNULL)
            end = time.monotonic() + chance.uniform(0.02, 0.8)
            while time.monotonic() < end and lines:
                line = lines.pop(0)
                half = chance.randrange(len(line))
                for part in (line[:half], line[half:]):
                    out.write(part)
                    out.flush()
                    time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait()
        out.write("".join(lines))
    assert monitor.serve_once(store, logs).returncode == 0
    assert stored(store) == monitor.analyze(path)
    assert monitor.rows(store, "PRAGMA integrity_check") == [("ok",)]
    totals = dict(monitor.rows(store, "SELECT operator, value FROM total WHERE name = 'windows'"))
    assert totals == {"dispatch": windows, "combine": windows}
    incidents = monitor.rows(store, "SELECT subject, first_window, seen FROM incident")
    assert incidents == [("late_rank 3", 40, windows - 40)]


def test_paths_with_an_end_in_common_are_one_incident(tmp_path):
    paths = [(3, rank) for rank in (0, 5, 7, 9, 12)] + [(source, 14) for source in (1, 4, 6, 8, 11)]
    options = [word for path in paths for word in ("--slow-path", "dispatch:%d->%d:100us" % path)]
    (tmp_path / "a.jsonl").write_text("".join(monitor.simulate("-n", 16, "--windows", 12, *options)))
    assert monitor.serve_once(tmp_path / "s.db", tmp_path / "a.jsonl").returncode == 0
    found = monitor.rows(tmp_path / "s.db", "SELECT subject, rank, source, seen FROM incident ORDER BY subject")
    assert found == [("slow_path from 3", None, 3, 12), ("slow_path to 14", 14, None, 12)]


def test_rotated_and_compressed_files_are_read_once(tmp_path):
    lines = monitor.simulate("-n", 8, "--windows", 30)
    logs, store = tmp_path / "logs", tmp_path / "s.db"
    logs.mkdir()
    (logs / "a.jsonl").write_text("".join(lines[:20]))
    assert monitor.serve_once(store, logs).returncode == 0
    os.rename(logs / "a.jsonl", logs / "a.jsonl.1")
    (logs / "a.jsonl").write_text("".join(lines[20:40]))
    assert monitor.serve_once(store, logs).returncode == 0
    (logs / "a.jsonl.1.gz").write_bytes(gzip.compress((logs / "a.jsonl.1").read_bytes()))
    os.remove(logs / "a.jsonl.1")
    (logs / "a.jsonl.2026-11-26.gz").write_bytes(gzip.compress("".join(lines[40:]).encode()))
    assert monitor.serve_once(store, logs).returncode == 0
    assert monitor.rows(store, "SELECT count(*) FROM window") == [(60,)]
    assert monitor.rows(store, "SELECT count(DISTINCT number) FROM window") == [(30,)]
    assert len(monitor.rows(store, "SELECT id FROM grp")) == 1


def test_a_bad_line_loses_one_window_and_is_told(tmp_path):
    lines = monitor.simulate("-n", 4, "--windows", 10)
    (tmp_path / "a.jsonl").write_text("".join(lines[:7]) + lines[7][:50] + "\n" + "".join(lines[8:]))
    done = monitor.serve_once(tmp_path / "s.db", tmp_path / "a.jsonl")
    assert done.returncode == 0
    assert "a.jsonl: line 8: " in done.stderr
    assert monitor.rows(tmp_path / "s.db", "SELECT windows, bad FROM file") == [(19, 1)]


def test_the_log_of_a_job_without_a_recording_is_read(tmp_path):
    def log(instance, late):
        text = ""
        for minute in range(4):
            stamp = "2025-09-15T16:%02d:53.686" % minute
            text += ("[%s] [Diagnose] InstanceID: %s EPSize: 4, diagnose: {}, Dispatch Wait Recv Cost Per Token"
                     " Matrix[src_rank, dst_rank]\n" % (stamp, instance))
            for row in range(4):
                cells = [100 if row == late else 90000000 if column == late else 1000000 + 1000 * row + column
                         for column in range(4)]
                text += "[%s] rank=%d [ %s ]\n" % (stamp, row, " ".join(map(str, cells)))
        return text
    recorded = [json.dumps({**json.loads(line), "instance": "with"}) + "\n" for line in
                monitor.simulate("-n", 4, "--windows", 4)]
    (tmp_path / "diagnose_rank0.log").write_text(log("with", 2))
    (tmp_path / "diagnose_rank0.jsonl").write_text("".join(recorded))
    (tmp_path / "other.log").write_text(log("without", 1))
    store = tmp_path / "s.db"
    for _ in range(2):
        assert monitor.serve_once(store, "--keep", "9999d", tmp_path / "diagnose_rank0.jsonl", tmp_path).returncode == 0
    assert monitor.rows(store, "SELECT instance, windows FROM grp ORDER BY instance") == [("with", 8), ("without", 4)]
    assert monitor.rows(store, "SELECT count(*) FROM window w JOIN grp g ON g.id = w.grp WHERE instance = 'without'"
                               " AND begin_read = 0") == [(4,)]


def test_a_file_that_becomes_shorter_is_told(tmp_path):
    path = tmp_path / "a.jsonl"
    lines = monitor.simulate("-n", 4, "--windows", 10)
    path.write_text("".join(lines))
    assert monitor.serve_once(tmp_path / "s.db", path).returncode == 0
    path.write_text("".join(lines[:3]))
    with monitor.Serve(tmp_path / "s.db", path) as server:
        server.says("became shorter")
    assert monitor.rows(tmp_path / "s.db", "SELECT count(*) FROM window") == [(20,)]


def test_stores_that_cannot_be_used_are_refused(tmp_path):
    (tmp_path / "logs").mkdir()
    store = tmp_path / "s.db"
    with monitor.Serve(store, tmp_path / "logs"):
        second = monitor.serve_once(store, tmp_path / "logs")
        assert second.returncode == 2 and "another `deepxtrace serve`" in second.stderr
    with sqlite3.connect(store) as db:
        db.execute("PRAGMA user_version = 99")
    newer = monitor.serve_once(store, tmp_path / "logs")
    assert newer.returncode == 2 and "version 99" in newer.stderr
    (tmp_path / "no.db").write_text("this is no database, but a text that is long enough to be looked at" * 20)
    other = monitor.serve_once(tmp_path / "no.db", tmp_path / "logs")
    assert other.returncode == 2 and "not a database; give --store another FILE" in other.stderr
    assert monitor.serve_once(tmp_path / "no" / "folder.db", tmp_path / "logs").returncode == 2
    # In a folder that others may write to, a link may lead anywhere.
    for target in ("nothing", store):
        (tmp_path / "link.db").symlink_to(target)
        link = monitor.serve_once(tmp_path / "link.db", tmp_path / "logs")
        assert link.returncode == 2 and "a link; give --store the file" in link.stderr
        (tmp_path / "link.db").unlink()
    assert not (tmp_path / "nothing").exists()
    assert monitor.serve_once(store, tmp_path / "nothing").returncode == 2


def test_a_store_that_is_taken_away_ends_it(tmp_path):
    """It went on for ever, into a file that nobody could read."""
    (tmp_path / "logs").mkdir()
    for replaced in (False, True):
        store = tmp_path / "s.db"
        process = subprocess.Popen([monitor.COMMAND, "serve", "--store", store, "--listen", "127.0.0.1:0", tmp_path / "logs"],
                                   stderr=subprocess.PIPE, text=True)
        assert "http://" in process.stderr.readline()
        store.unlink()
        if replaced:
            store.write_text("other")
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 3 and "somebody has removed or replaced it" in said
        assert store.exists() == replaced
        for path in tmp_path.glob("s.db*"):
            path.unlink()


def test_retention_by_age_and_by_size(tmp_path):
    path, store = tmp_path / "a.jsonl", tmp_path / "s.db"
    old = [json.dumps({**json.loads(line), "begin": "2020-01-01T00:00:00Z"}) + "\n" for line in
           monitor.simulate("-n", 4, "--windows", 10)]
    new = [json.dumps({**json.loads(line), "window": json.loads(line)["window"] + 10}) + "\n" for line in
           monitor.simulate("-n", 4, "--windows", 10)]
    path.write_text("".join(old + new))
    assert monitor.serve_once(store, "--keep", "9999d", path).returncode == 0
    assert monitor.rows(store, "SELECT count(*) FROM window") == [(40,)]
    # What was forgotten does not come back, nor is it counted again.
    for _ in range(2):
        assert monitor.serve_once(store, "--keep", "10d", path).returncode == 0
        assert monitor.rows(store, "SELECT count(*) FROM window") == [(20,)]
        assert monitor.rows(store, "SELECT windows FROM grp") == [(40,)]
    done = monitor.serve_once(tmp_path / "new.db", "--keep", "10d", path)
    assert "20 windows are older than --keep" in done.stderr
    assert monitor.rows(tmp_path / "new.db", "SELECT count(*) FROM window") == [(20,)]
    big = tmp_path / "big.jsonl"
    big.write_text("".join(monitor.simulate("-n", 128, "--windows", 60)))
    assert monitor.serve_once(tmp_path / "b.db", big).returncode == 0
    with monitor.Serve(tmp_path / "b.db", "--keep-size", "1MiB", big):
        monitor.until(lambda: monitor.rows(tmp_path / "b.db", "SELECT (page_count - freelist_count) * page_size <"
                                           " 1100000 FROM pragma_page_count, pragma_freelist_count,"
                                           " pragma_page_size") == [(1,)])


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", small]).returncode:
        import pytest
        pytest.skip("a small file system needs root")
    path = tmp_path / "a.jsonl"
    try:
        path.write_text("".join(monitor.simulate("-n", 64, "--windows", 30)))
        done = monitor.serve_once(small / "s.db", path)
        assert done.returncode in (2, 3) and "full" in done.stderr
        subprocess.run(["dd", "if=/dev/zero", "of=%s" % (small / "rest"), "bs=1k"], stderr=subprocess.DEVNULL)
        other = monitor.serve_once(small / "other.db", path)
        assert other.returncode in (2, 3) and "full" in other.stderr or "No space left on device" in other.stderr
        (small / "rest").unlink()
        subprocess.run(["mount", "-o", "remount,size=40m", small], check=True)
        assert monitor.serve_once(small / "s.db", path).returncode == 0
        assert stored(small / "s.db") == monitor.analyze(path)
    finally:
        subprocess.run(["umount", "-l", small])


def test_statements_are_those_of_sqlite_3_26():
    """The oldest systems that a portable wheel runs on have it: glibc 2.28 is as old."""
    newer = re.compile(r"\bRETURNING\b|\biif\(|\bFILTER \(|\bNULLS (FIRST|LAST)\b|\bUPDATE \w+ SET [^;()]* FROM\b|"
                       r"\bON CONFLICT DO\b|DROP COLUMN|->>|\bunixepoch\(|\bSTRICT\b")
    sources = sorted((Path(__file__).parents[2] / "src" / "monitor").glob("*.c"))
    assert len(sources) > 10
    for source in sources:
        literals = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', source.read_text()))
        assert not newer.search(literals), (source.name, newer.search(literals).group())
