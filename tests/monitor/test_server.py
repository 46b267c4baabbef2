# SPDX-License-Identifier: Apache-2.0
"""What is answered, and to whom."""
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

import monitor

LATE = ("-n", 8, "--windows", 30, "--from", 10, "--slow", "dispatch:5:60us")


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "logs" / "a.jsonl"
    path.parent.mkdir()
    lines = []
    for line in monitor.simulate(*LATE):
        window = json.loads(line)
        window["begin"] = "2026-11-26T03:%02d:00+02:00" % window["window"]
        window["instance"] = "job-1"
        window["group"] = "ep"
        window["devices"] = [{"host": "gpu-%02d" % (r // 4), "gpu": r % 4, "uuid": "GPU-%d" % r, "pid": 100 + r,
                              "rank": r} for r in range(8)]
        lines.append(json.dumps(window) + "\n")
    path.write_text("".join(lines))
    return path


def test_lists_go_on_where_they_ended(tmp_path, recording):
    with monitor.Serve(tmp_path / "s.db", recording.parent) as server:
        monitor.until(lambda: server.get("/api/v1/groups")["groups"])
        monitor.until(lambda: server.get("/api/v1/groups")["groups"][0]["windows"] == 60)
        seen, after = [], 0
        while after is not None:
            page = server.get("/api/v1/windows?limit=7&after=%d" % after)
            assert page["v"] == 1 and len(page["windows"]) <= 7
            seen += page["windows"]
            after = page["next"]
        assert [w["window"] for w in seen if w["operator"] == "dispatch"] == list(range(30))
        assert seen[0]["begin"] == "2026-11-26T01:00:00.000Z" and seen[0]["group"] == "ep"
        assert {w["verdict"] for w in seen} == {"healthy", "slow"}
        only = server.get("/api/v1/windows?operator=combine&limit=1000")
        assert len(only["windows"]) == 30 and only["next"] is None
        incidents = server.get("/api/v1/incidents")["incidents"]
        assert len(incidents) == 1
        first = incidents[0]
        assert (first["kind"], first["rank"], first["operator"], first["first_window"]) == ("late_rank", 5, "dispatch", 10)
        assert (first["host"], first["gpu"], first["uuid"]) == ("gpu-01", 1, "GPU-5")
        assert first["begin"] == "2026-11-26T01:10:00.000Z" and first["end"] is None and first["state"] == "open"
        assert server.get("/api/v1/incidents?state=closed")["incidents"] == []
        findings = server.get("/api/v1/findings?limit=1000")["findings"]
        assert len(findings) == 20 and findings[0]["findings"][0]["rank"] == 5


@pytest.mark.parametrize("path, status", [
    ("/api/v1/windows?limit=0", 400), ("/api/v1/windows?limit=1001", 400), ("/api/v1/windows?limit=x", 400),
    ("/api/v1/windows?after=-1", 400), ("/api/v1/incidents?state=half", 400), ("/api/v1/nothing", 404),
    ("/nothing", 404), ("/api/v1/windows?group=1%27%20OR%201", 200), ("/api/v1/../../etc/passwd", 404)])
def test_requests_that_make_no_sense(tmp_path, recording, path, status):
    with monitor.Serve(tmp_path / "s.db", recording) as server:
        assert server.ask(path)[0] == status


def test_an_incident_opens_and_closes(tmp_path):
    path = tmp_path / "a.jsonl"
    healthy = monitor.simulate("-n", 8, "--windows", 50)
    late = monitor.simulate("-n", 8, "--windows", 50, "--slow", "dispatch:5:60us")
    path.write_text("".join(healthy[:20] + late[20:50] + healthy[50:]))
    with monitor.Serve(tmp_path / "s.db", "--open-after", "3/4", path) as server:
        closed = monitor.until(lambda: server.get("/api/v1/incidents?state=closed")["incidents"])
        assert [(i["rank"], i["first_window"], i["last_window"], i["windows"]) for i in closed] == [(5, 10, 24, 15)]
        assert closed[0]["lost_s"] > 0


def test_other_sites_are_not_answered(tmp_path, recording):
    with monitor.Serve(tmp_path / "s.db", "--allow-host", "watch.example", recording) as server:
        for host in ("localhost:%d" % server.port, "127.0.0.1", "10.1.2.3:8899", "[::1]:1", "watch.example:80"):
            assert server.ask("/metrics", Host=host)[0] == 200
        for host in ("evil.example", "localhost.evil.example", "", "[::1", "a" * 300):
            assert server.ask("/metrics", Host=host)[0] == 403
        assert server.ask("/metrics", Host="localhost", Origin="http://evil.example")[0] == 403
        assert server.ask("/metrics", Host="localhost", Origin="null")[0] == 403
        assert server.ask("/metrics", Host="localhost", Origin="http://localhost")[0] == 200
        for method in ("PUT", "DELETE", "POST", "OPTIONS"):
            assert server.ask("/metrics", method)[0] == 405


def test_a_token_is_asked_for(tmp_path, recording):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef+/ %\n")
    with monitor.Serve(tmp_path / "s.db", "--token-file", token, recording, listen="0.0.0.0:0") as server:
        assert server.ask("/healthz")[0] == 200
        assert server.ask("/metrics")[0] == 401
        assert server.ask("/metrics", Authorization="Bearer 0123456789abcdef")[0] == 401
        assert server.ask("/metrics", Authorization="Bearer 0123456789abcdef+/ %")[0] == 200
        status, _, text = server.ask("/", Accept="text/html")
        assert status == 401 and "<form" in text
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        assert server.ask("/login", "POST", "token=wrong", **form)[0] == 403
        assert server.ask("/login", "POST", "token=" + "x" * 5000, **form)[0] == 403
        status, headers, _ = server.ask("/login", "POST", "token=0123456789abcdef%2B%2F+%25", **form)
        cookie = headers["Set-Cookie"]
        assert status == 303 and "HttpOnly" in cookie and "SameSite=Strict" in cookie
        assert "0123456789abcdef" not in cookie
        assert server.ask("/metrics", Cookie=cookie.split(";")[0])[0] == 200
        assert server.ask("/metrics", Cookie="deepxtrace=0")[0] == 401


def test_addresses_that_others_reach_need_a_token(tmp_path, recording):
    def refused(*arguments):
        done = subprocess.run([monitor.COMMAND, "serve", "--store", tmp_path / "x.db", *arguments, recording],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 2
        return done.stderr
    assert "--token-file" in refused("--listen", "0.0.0.0:0")
    assert "--token-file" in refused("--listen", "[::]:0")
    assert "ADDRESS:PORT" in refused("--listen", "8899")
    short = tmp_path / "short"
    short.write_text("secret\n")
    said = refused("--listen", "0.0.0.0:0", "--token-file", short)
    assert "16 characters" in said and "secret" not in said
    with monitor.Serve(tmp_path / "s.db", "--open", recording, listen="0.0.0.0:0") as server:
        assert server.ask("/metrics")[0] == 200


def test_metrics_are_as_prometheus_has_them(tmp_path, recording):
    textfile = tmp_path / "deepxtrace.prom"
    textfile.touch(0o600)
    with monitor.Serve(tmp_path / "s.db", "--label", "cluster=a b", "--metrics-textfile", textfile, recording) as server:
        monitor.until(lambda: "deepxtrace_lateness_seconds" in server.ask("/metrics")[2])
        status, headers, text = server.ask("/metrics")
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        late = [line for line in text.splitlines() if line.startswith("deepxtrace_lateness_seconds{")
                and 'operator="dispatch"' in line and 'rank="5"' in line]
        assert len(late) == 1 and 50e-6 < float(late[0].split()[-1]) < 70e-6
        assert 'hostname="gpu-01",gpu="1",UUID="GPU-5"' in late[0] and 'cluster="a b"' in late[0]
        assert 'deepxtrace_incident_open{cluster="a b",group="ep"' in text and "NaN" not in text
        names = [line.split("{")[0] for line in text.splitlines() if line and line[0] != "#"]
        for name in set(names):
            assert text.count("# TYPE %s " % name) == 1 and text.count("# HELP %s " % name) == 1
        status, headers, text = server.ask("/metrics", Accept="application/openmetrics-text;version=1.0.0")
        assert headers["Content-Type"].startswith("application/openmetrics-text") and text.endswith("# EOF\n")
        monitor.until(lambda: "deepxtrace_incident_open" in textfile.read_text())
        assert textfile.stat().st_mode & 0o777 == 0o600
        if shutil.which("promtool"):
            plain = server.ask("/metrics")[2]
            done = subprocess.run(["promtool", "check", "metrics"], input=plain, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr


def test_a_large_group_has_a_bounded_number_of_series(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(monitor.simulate("-n", 256, "--windows", 2, "--slow", "dispatch:200:60us")))
    with monitor.Serve(tmp_path / "s.db", path) as server:
        monitor.until(lambda: "deepxtrace_lateness_seconds" in server.ask("/metrics")[2])
        text = server.ask("/metrics")[2]
        assert text.count("deepxtrace_lateness_seconds{") <= 64
        assert 'rank="200"' in text and len(text.splitlines()) < 300


def test_events_tell_of_new_windows(tmp_path):
    path = tmp_path / "a.jsonl"
    lines = monitor.simulate("-n", 4, "--windows", 6)
    path.write_text("".join(lines[:4]))
    with monitor.Serve(tmp_path / "s.db", path) as server:
        monitor.until(lambda: len(server.get("/api/v1/windows")["windows"]) == 4)
        with socket.create_connection(("127.0.0.1", server.port), timeout=15) as peer:
            peer.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            stream = peer.makefile()
            assert any("data: {\"v\":1,\"newest\":4}" in line for line in stream)
            with open(path, "a") as out:
                out.write("".join(lines[4:]))
            assert any("data: {\"v\":1,\"newest\":12}" in line for line in stream)


def test_slow_clients_delay_nothing(tmp_path):
    path = tmp_path / "a.jsonl"
    lines = monitor.simulate("-n", 8, "--windows", 10)
    path.write_text("".join(lines[:2]))
    with monitor.Serve(tmp_path / "s.db", path) as server:
        peers = []
        for i in range(100):
            peer = socket.create_connection(("127.0.0.1", server.port))
            peer.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n" if i % 2 else b"GET /metr")
            peers.append(peer)
        with open(path, "a") as out:
            out.write("".join(lines[2:]))
        monitor.until(lambda: len(server.get("/api/v1/windows")["windows"]) == 20)
        for peer in peers:
            peer.close()


class Hook(BaseHTTPRequestHandler):
    refuse = 1
    got = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        refused = Hook.refuse > 0
        Hook.refuse -= refused
        if not refused:
            Hook.got.append(body)
        self.send_response(503 if refused else 204)
        self.end_headers()

    def log_message(self, *arguments):
        pass


def test_a_webhook_and_a_command_hear_of_begin_and_end(tmp_path):
    hook = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    url, heard, program = tmp_path / "url", tmp_path / "heard", tmp_path / "program"
    url.write_text("http://127.0.0.1:%d/secret\n" % hook.server_port)
    program.write_text("#!/bin/sh\ngrep SigIgn /proc/self/status > '%s'\ncat >> '%s'\necho >> '%s'\n"
                       % (tmp_path / "signals", heard, heard))
    program.chmod(0o755)
    healthy = monitor.simulate("-n", 8, "--windows", 50)
    late = monitor.simulate("-n", 8, "--windows", 50, "--slow", "dispatch:5:60us")
    path = tmp_path / "a.jsonl"
    path.write_text("".join(healthy[:20] + late[20:60] + healthy[60:]))
    # At first it is refused: it comes after the wait, also from the next process.
    with monitor.Serve(tmp_path / "s.db", "--webhook-file", url, "--exec", program, path) as server:
        monitor.until(lambda: heard.exists() and len(heard.read_text().splitlines()) == 2)
        time.sleep(0.5)
        said = server.end()
        assert "answered 503" in said and "secret" not in said
    with monitor.Serve(tmp_path / "s.db", "--webhook-file", url, "--exec", program, path):
        monitor.until(lambda: len(Hook.got) == 2)
    assert [body["event"] for body in Hook.got] == ["opened", "closed"]
    assert Hook.got[0]["incident"]["id"] == Hook.got[1]["incident"]["id"]
    assert Hook.got[0]["incident"]["rank"] == 5 and Hook.got[1]["incident"]["end"]
    assert [json.loads(line)["event"] for line in heard.read_text().splitlines()] == ["opened", "closed"]
    assert os.stat(tmp_path / "s.db").st_mode & 0o077 == 0
    ignored = int((tmp_path / "signals").read_text().split()[1], 16)
    assert not ignored & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1)
    hook.shutdown()


@pytest.mark.parametrize("url", ("file:///etc/passwd", "gopher://127.0.0.1/", "ftp://a/", "secret", "http://", "https://", "http:///x",
                                 "http://:80/", "http://127.0.0.1/a b", "http://127.0.0.1/\x1b", "http://127.0.0.1/\0x", "-x http://a/", "", "\n"))
def test_only_urls_of_http_are_posted_to(tmp_path, url):
    """What could never be sent is told at once, and what the file holds is not shown."""
    (tmp_path / "url").write_text(url + "\n")
    (tmp_path / "logs").mkdir()
    done = monitor.serve_once(tmp_path / "s.db", "--webhook-file", tmp_path / "url", tmp_path / "logs")
    assert done.returncode == 2 and "the first line" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not any(word in done.stderr for word in ("passwd", "127.0.0.1", "secret", "//a", "//:", "///x"))


def test_a_command_that_cannot_be_run_is_refused_at_once(tmp_path):
    path, plain = tmp_path / "a.jsonl", tmp_path / "plain"
    path.write_text("".join(monitor.simulate("-n", 4, "--windows", 2)))
    plain.write_text("no program")
    for command in (tmp_path / "none", plain, tmp_path, "no-such-program-anywhere", ""):
        done = monitor.serve_once(tmp_path / "s.db", "--exec", command, path)
        assert done.returncode == 2 and "is no program that can be run" in done.stderr, command
    for command in ("cat", "/bin/cat"):
        assert monitor.serve_once(tmp_path / "s.db", "--exec", command, path).returncode == 0


def test_a_port_that_is_taken_says_what_to_do(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(monitor.simulate("-n", 4, "--windows", 2)))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run([monitor.COMMAND, "serve", "--store", tmp_path / "s.db", "--listen",
                               "127.0.0.1:%d" % taken.getsockname()[1], path], capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and "Address already in use; another program has the port: give another one" in done.stderr
