# SPDX-License-Identifier: Apache-2.0
"""What the page at / asks for."""
import http.client
import json
import math
import struct
import zlib

import pytest

import monitor


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("view") / "decode.jsonl"
    window = {}
    with open(path, "w", encoding="utf-8") as file:
        for line in monitor.simulate("-n", 4, "--windows", 6, "--slow", "dispatch:2:500us"):
            window = json.loads(line)
            window["devices"] = [{"host": "h%d" % (rank // 2), "gpu": rank % 2, "uuid": "GPU-%d" % rank} for rank in range(4)]
            file.write(json.dumps(window) + "\n")
    return path


def ask_bytes(server, path):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


def stored(server):
    return '"window":5' in server.ask("/api/v1/windows?operator=combine")[2]


def test_windows_lateness_and_cells_fit_together(tmp_path, recording):
    with monitor.Serve(tmp_path / "s.db", recording) as server:
        monitor.until(lambda: stored(server))
        windows = json.loads(server.ask("/api/v1/view?group=1&operator=dispatch")[2])["windows"]
        assert [window["window"] for window in windows] == list(range(6))
        assert windows[-1]["diagnosis"]["verdict"] == "slow"
        assert windows[-1]["diagnosis"]["findings"][0]["rank"] == 2
        status, late = ask_bytes(server, "/api/v1/lateness?group=1&operator=dispatch")
        assert status == 200 and len(late) == 6 * 4
        told = windows[-1]["diagnosis"]["findings"][0]["wait_us"] * 1000
        assert math.isclose(2 ** ((late[5 * 4 + 2] - 2) / 8), told, rel_tol=0.05)
        status, cells = ask_bytes(server, "/api/v1/cells?window=%d" % windows[-1]["id"])
        values = struct.unpack("<16f", zlib.decompress(cells))
        assert windows[-1]["coding"] == 1 and math.isclose(values[0 * 4 + 2], told, rel_tol=0.05)
        after = json.loads(server.ask("/api/v1/view?group=1&operator=dispatch&after=%d" % windows[3]["id"])[2])["windows"]
        assert [window["window"] for window in after] == [4, 5]
        assert len(ask_bytes(server, "/api/v1/lateness?group=1&operator=dispatch&after=%d" % windows[3]["id"])[1]) == 2 * 4
        places = json.loads(server.ask("/api/v1/places?group=1")[2])["places"]
        assert places[3] == [3, "h1", 1, "GPU-3", None]


def test_what_is_not_there(tmp_path, recording):
    with monitor.Serve(tmp_path / "s.db", recording) as server:
        monitor.until(lambda: stored(server))
        for path in ("view", "view?group=1", "view?group=x&operator=dispatch", "lateness?operator=dispatch",
                     "view?group=1&operator=dispatch&after=-1", "cells", "cells?window=-3", "cells?window=1e3", "places"):
            assert server.ask("/api/v1/" + path)[0] == 400, path
        assert server.ask("/api/v1/cells?window=999999")[0] == 404
        assert json.loads(server.ask("/api/v1/view?group=9&operator=dispatch")[2]) == {"v": 1, "windows": []}
        assert ask_bytes(server, "/api/v1/lateness?group=1&operator=none") == (200, b"")


def test_the_page_runs_nothing_but_its_own_script(tmp_path, recording):
    with monitor.Serve(tmp_path / "s.db", recording) as server:
        status, headers, text = server.ask("/")
        policy = headers["Content-Security-Policy"]
        assert status == 200 and "script-src 'sha256-" in policy and "unsafe" not in policy
        assert "connect-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "<!-- deepxtrace page 1 -->" in text
        assert "script-src" not in server.ask("/api/v1/groups")[1]["Content-Security-Policy"]
