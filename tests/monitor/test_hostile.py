# SPDX-License-Identifier: Apache-2.0
"""Attackers and bad luck: names that break formats, stores of others, a clock that is set, a locked database."""
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys

import monitor

SAMPLE = re.compile(r'([a-zA-Z_:][\w:]*)\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\S+)$')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


def samples(text):
    """(name, labels) of every sample, each of which is well-formed and there once."""
    found = []
    for line in text.split("\n"):
        if not line or line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        assert match, line
        labels = LABEL.findall(match.group(2))
        assert len({name for name, _ in labels}) == len(labels), line
        float(match.group(3))
        found.append((match.group(1), tuple(labels)))
    assert len(set(found)) == len(found), "a series is there twice"
    if shutil.which("promtool") and not text.endswith("# EOF\n"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True)
        assert done.returncode == 0, done.stderr
    return found


def with_fields(lines, **fields):
    return "".join(json.dumps({**json.loads(line), **fields}) + "\n" for line in lines)


def test_names_that_break_formats(tmp_path):
    evil = 'a"b\\c\nd{}=,\r\t<script>alert(1)</script>\u2028ü\U0001f600'
    places = [{"host": evil.replace("\n", "")[:200], "gpu": r, "uuid": 'G"\\' + str(r), "pid": 1, "rank": r} for r in range(8)]
    lines = monitor.simulate("-n", 8, "--windows", 4, "--slow", "dispatch:5:60us")
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.jsonl").write_text(with_fields(lines, instance='i"\\<b>', group='g"\\<img src=x>', devices=places))
    # Without a group it is called as the file, whose name is no UTF-8.
    with open(os.fsencode(logs) + b"/\xff\xfe\"\\<i>\x1b.jsonl", "w") as out:
        out.write(with_fields(lines, instance="other") + "bad\n")
    # The same name and instance with other ranks.
    (logs / "b.jsonl").write_text(with_fields(monitor.simulate("-n", 4, "--windows", 3), instance='i"\\<b>', group='g"\\<img src=x>'))
    # Incidents that differ in what is no label.
    rails = [w for path in ((0, 2), (4, 6), (1, 3), (5, 7)) for w in ("--slow-path", "dispatch:%d->%d:200us" % path)]
    (logs / "c.jsonl").write_text(with_fields(monitor.simulate("-n", 8, "--windows", 4, *rails), group="rails"))
    with monitor.Serve(tmp_path / "s.db", "--label", "cluster=ü{}=,", logs) as server:
        monitor.until(lambda: monitor.rows(tmp_path / "s.db", "SELECT sum(windows) FROM grp") == [(30,)])
        for accept in ("*/*", "application/openmetrics-text"):
            status, headers, text = server.ask("/metrics", Accept=accept)
            assert status == 200
            found = samples(text)
        assert any('g\\"\\\\<img src=x>' == dict(labels).get("group") for _, labels in found)
        for path in ("groups", "windows", "findings", "incidents"):
            status, headers, text = server.ask("/api/v1/" + path)
            assert json.loads(text)["v"] == 1
            assert headers["Content-Type"].startswith("application/json") and headers["X-Content-Type-Options"] == "nosniff"


def test_labels_that_cannot_be_are_refused(tmp_path):
    for label in ("rank=1", "UUID=x", "__x=1", "1x=2", "x", "=x", "a-b=1", 'x="', "x=\\", "x=\n", "x=\x1b", "x=" + "y" * 300):
        done = monitor.serve_once(tmp_path / "s.db", "--label", label, tmp_path)
        assert done.returncode == 2 and "--label" in done.stderr, label
    done = monitor.serve_once(tmp_path / "s.db", "--label", "x=1", "--label", "x=2", tmp_path)
    assert done.returncode == 2 and "'x' is a label already" in done.stderr


def test_the_number_of_series_is_bounded_by_many_runs(tmp_path):
    lines = monitor.simulate("-n", 4, "--windows", 1)
    (tmp_path / "a.jsonl").write_text("".join(with_fields(lines, instance="run-%d" % i) for i in range(100)))
    with monitor.Serve(tmp_path / "s.db", tmp_path / "a.jsonl") as server:
        monitor.until(lambda: len(monitor.rows(tmp_path / "s.db", "SELECT 1 FROM window")) == 200)
        text = server.ask("/metrics")[2]
        assert text.count("deepxtrace_windows_total{") == 128 and 'instance_id="run-99"' in text


def test_long_names_are_cut_in_metrics_and_stay_apart(tmp_path):
    for seed, end in enumerate("ab"):
        lines = monitor.simulate("-n", 8, "--windows", 4, "--seed", seed, "--slow", "dispatch:5:60us")
        (tmp_path / (end + ".jsonl")).write_text(with_fields(lines, group="\u00fc" * 50000 + end, hosts=["h" * 50000 + end] * 8))
    with monitor.Serve(tmp_path / "s.db", tmp_path) as server:
        monitor.until(lambda: monitor.rows(tmp_path / "s.db", "SELECT total(windows) FROM grp") == [(16,)])
        text = server.ask("/metrics")[2]
    found = samples(text)
    assert len(text) < 500000
    groups = {dict(labels).get("group") for _, labels in found} - {None}
    assert len(groups) == 2 and all(re.fullmatch("\u00fc+~[0-9a-f]{8}", group) for group in groups)


def test_stores_of_others_are_left_as_they_are(tmp_path):
    (tmp_path / "logs").mkdir()
    for version, owner in ((0, 0), (1, 0), (2, 0), (1, 77)):
        store = tmp_path / ("other%d-%d.db" % (version, owner))
        with sqlite3.connect(store) as db:
            db.executescript("CREATE TABLE places (url TEXT); INSERT INTO places VALUES ('x'); PRAGMA user_version = %d;"
                             " PRAGMA application_id = %d" % (version, owner))
        db.close()
        before = store.read_bytes()
        done = monitor.serve_once(store, tmp_path / "logs")
        assert done.returncode == 2 and "of another program" in done.stderr
        assert monitor.rows(store, "SELECT name FROM sqlite_master") == [("places",)]
        assert store.read_bytes()[100:] == before[100:]


def test_damaged_stores_are_told(tmp_path):
    path, store = tmp_path / "a.jsonl", tmp_path / "s.db"
    path.write_text("".join(monitor.simulate("-n", 8, "--windows", 20)))
    assert monitor.serve_once(store, path).returncode == 0
    good = store.read_bytes()
    (tmp_path / "cut.db").write_bytes(good[:len(good) // 2])
    (tmp_path / "wiped.db").write_bytes(good[:4096] + bytes(len(good) - 4096))
    with sqlite3.connect(store) as db:
        db.execute("DROP TABLE incident")
    db.close()
    for name in ("cut.db", "wiped.db", "s.db"):
        done = monitor.serve_once(tmp_path / name, path)
        assert done.returncode in (2, 3) and ("damaged" in done.stderr or "malformed" in done.stderr), (name, done)
        assert len(done.stderr.splitlines()) <= 3


def test_an_older_store_is_migrated(tmp_path):
    path, store = tmp_path / "a.jsonl", tmp_path / "s.db"
    lines = monitor.simulate("-n", 8, "--windows", 20, "--slow", "dispatch:5:60us")
    path.write_text("".join(lines[:30]))
    assert monitor.serve_once(store, path).returncode == 0
    counted = monitor.rows(store, "SELECT * FROM total ORDER BY 1, 2, 3")
    assert any(row[0] == "opened late_rank" for row in counted)
    with sqlite3.connect(store) as db:  # as version 1 was
        db.executescript("DELETE FROM total WHERE name LIKE 'opened %'; ALTER TABLE place DROP COLUMN node;"
                         " PRAGMA user_version = 1; PRAGMA application_id = 0")
    db.close()
    assert monitor.serve_once(store, path).returncode == 0
    assert monitor.rows(store, "SELECT * FROM total ORDER BY 1, 2, 3") == counted
    assert monitor.rows(store, "PRAGMA user_version") == [(3,)]
    path.write_text("".join(lines))
    assert monitor.serve_once(store, path).returncode == 0
    assert monitor.rows(store, "SELECT count(*) FROM window") == [(40,)]


def test_a_locked_store_is_told_and_nothing_is_lost(tmp_path):
    path, store = tmp_path / "a.jsonl", tmp_path / "s.db"
    lines = monitor.simulate("-n", 4, "--windows", 10)
    path.write_text("".join(lines[:10]))
    with monitor.Serve(store, path) as server:
        monitor.until(lambda: len(server.get("/api/v1/windows")["windows"]) == 10)
        other = sqlite3.connect(store, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with open(path, "a") as out:
            out.write("".join(lines[10:]))
        server.says("database is locked; trying again")
        assert len(server.get("/api/v1/windows")["windows"]) == 10
        other.execute("ROLLBACK")
        other.close()
        monitor.until(lambda: len(server.get("/api/v1/windows")["windows"]) == 20)
        assert "can be written again" in server.end()


def test_a_clock_that_is_set_forgets_nothing(tmp_path, monkeypatch):
    path, store, shift = tmp_path / "a.jsonl", tmp_path / "s.db", tmp_path / "shift"
    lines = monitor.simulate("-n", 4, "--windows", 10)
    path.write_text("".join(lines[:10]))
    shift.write_text("0")
    monkeypatch.setenv("CLOCK_SHIFT", str(shift))
    monkeypatch.setenv("LD_PRELOAD", os.environ["DXT_CLOCK_SHIFT"])
    with monitor.Serve(store, "--keep", "1d", path) as server:
        monkeypatch.delenv("LD_PRELOAD")
        monitor.until(lambda: len(server.get("/api/v1/windows")["windows"]) == 10)
        # Ten days: what is there would be too old.
        shift.write_text("864000")
        server.says("set forward by 864000 s")
        with open(path, "a") as out:
            out.write("".join(lines[10:]))
        monitor.until(lambda: len(server.get("/api/v1/windows")["windows"]) == 20)
        shift.write_text("-864000")
        server.says("set back by 1728000 s")
        assert server.ask("/metrics")[0] == 200
        assert len(server.get("/api/v1/windows")["windows"]) == 20


def test_requests_that_are_too_much(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(monitor.simulate("-n", 4, "--windows", 5)))
    with monitor.Serve(tmp_path / "s.db", path) as server:
        def raw(data):
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as peer:
                try:
                    peer.sendall(data)
                    peer.shutdown(socket.SHUT_WR)
                    answer = b""
                    while part := peer.recv(65536):
                        answer += part
                    return answer
                except TimeoutError:
                    raise
                except OSError:  # the server has ended the connection, at whatever moment
                    return b""
        head = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
        for data in (b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     head + b"X: " + b"y" * 100000 + b"\r\n\r\n", head + b"".join(b"A%d: b\r\n" % i for i in range(20000)) + b"\r\n",
                     b"\0" * 1000, b"GET /metrics\r\n\r\n", b"GET /api/v1/windows?limit=%00&after=%ff&group=%f0%28 HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
                     b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"):
            answer = raw(data)
            assert not answer.startswith(b"HTTP/1.1 200"), data[:60]
        # Two Host headers, one of which would be answered.
        assert b" 200 " not in raw(b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n").split(b"\r\n")[0]
        assert server.ask("/api/v1/windows?group=%00&operator=%27;DROP%20TABLE%20window")[0] in (200, 400)
        assert len(server.get("/api/v1/windows")["windows"]) == 10


def test_the_metrics_file_is_written_through_no_link(tmp_path):
    """Who may write to the folder could lay one where the next text is written."""
    path, metrics, other = tmp_path / "a.jsonl", tmp_path / "m.prom", tmp_path / "other"
    path.write_text("".join(monitor.simulate("-n", 4, "--windows", 5)))
    other.write_text("mine\n")
    for name in ("m.prom.tmp", "m.prom"):
        (tmp_path / name).symlink_to(other)
    assert monitor.serve_once(tmp_path / "s.db", "--metrics-textfile", metrics, path).returncode == 0
    assert other.read_text() == "mine\n"
    assert not metrics.is_symlink() and "deepxtrace_windows_total" in metrics.read_text()
    assert not (tmp_path / "m.prom.tmp").exists()
    # What is no file of ours and cannot go is told, and left.
    metrics.unlink()
    (tmp_path / "m.prom.tmp").mkdir()
    done = monitor.serve_once(tmp_path / "t.db", "--metrics-textfile", metrics, path)
    assert "m.prom" in done.stderr and (tmp_path / "m.prom.tmp").is_dir() and not metrics.exists()


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_command_that_hangs_does_not_hold_up_the_end(tmp_path):
    path, store, program, begun = tmp_path / "a.jsonl", tmp_path / "s.db", tmp_path / "program", tmp_path / "begun"
    # The name does not fit into a pipe, and the command does not read.
    lines = monitor.simulate("-n", 8, "--windows", 10, "--slow", "dispatch:5:60us")
    path.write_text(with_fields(lines, group="g" * 300000))
    program.write_text("#!/bin/sh\nsleep 1000 &\necho $! > '%s.part'\nmv '%s.part' '%s'\nwait\n" % (begun, begun, begun))
    program.chmod(0o755)
    with monitor.Serve(store, "--exec", program, path) as server:
        monitor.until(begun.exists)
        server.end()
    # What the command had started ends with it.
    monitor.until(lambda: not alive(int(begun.read_text())))
    # It is the next process's, which has not tried yet.
    assert monitor.rows(store, "SELECT channel, attempts FROM alert") == [("exec", 0)]


def test_a_command_that_leaves_its_group_does_not_hold_up_the_end(tmp_path):
    path, store, program, begun = tmp_path / "a.jsonl", tmp_path / "s.db", tmp_path / "program", tmp_path / "begun"
    path.write_text("".join(monitor.simulate("-n", 8, "--windows", 10, "--slow", "dispatch:5:60us")))
    program.write_text("#!%s\nimport os, time\nos.setpgid(0, os.getpgid(os.getppid()))\nopen(%r, 'w').close()\ntime.sleep(1000)\n"
                       % (sys.executable, str(begun)))
    program.chmod(0o755)
    with monitor.Serve(store, "--exec", program, path) as server:
        monitor.until(begun.exists)
        server.end()


def test_a_command_gets_a_message_that_is_longer_than_a_pipe(tmp_path):
    path, heard, program = tmp_path / "a.jsonl", tmp_path / "heard", tmp_path / "program"
    lines = monitor.simulate("-n", 8, "--windows", 10, "--slow", "dispatch:5:60us")
    path.write_text(with_fields(lines, group="g" * 300000))
    program.write_text("#!/bin/sh\ncat > '%s.part' && mv '%s.part' '%s'\n" % (heard, heard, heard))
    program.chmod(0o755)
    with monitor.Serve(tmp_path / "s.db", "--exec", program, path):
        monitor.until(heard.exists)
    message = json.loads(heard.read_text())
    assert message["event"] == "opened" and message["incident"]["group"] == "g" * 300000


def test_one_machine_does_not_get_all_connections(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(monitor.simulate("-n", 4, "--windows", 1)))
    with monitor.Serve(tmp_path / "s.db", path) as server:
        peers = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(300)]
        peers[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            assert peers[-1].recv(100) == b""
        except ConnectionError:
            pass
        # Another one is answered.
        other = socket.create_connection(("127.0.0.1", server.port), timeout=20, source_address=("127.0.0.2", 0))
        other.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert other.recv(100).startswith(b"HTTP/1.1 200")
        for peer in peers + [other]:
            peer.close()
        # When they have gone there is room again.
        def answered():
            try:
                return server.ask("/healthz")[0] == 200
            except OSError:
                return False
        monitor.until(answered)
