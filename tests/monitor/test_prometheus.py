# SPDX-License-Identifier: Apache-2.0
"""The rules and the dashboard, on a real Prometheus that scrapes a real server."""
import json
import os
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request

import pytest

import monitor

DOCS = os.path.join(os.environ["DXT_SOURCE_DIR"], "docs")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.mark.skipif(not shutil.which("prometheus"), reason="Prometheus is not installed")
def test_rules_and_dashboard_give_what_they_should(tmp_path):
    windows = monitor.simulate("-n", 8, "--windows", 20, "--slow", "dispatch:5:60us")
    windows = [json.loads(line) for line in windows]
    for window in windows:
        window["group"] = "ep"
        if window["window"] >= 15:
            window["wait"][3] = None
            window.pop("samples", None)
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(window) + "\n" for window in windows))
    rules = os.path.join(DOCS, "alerts.yml")
    assert subprocess.run(["promtool", "check", "rules", rules], capture_output=True).returncode == 0
    with monitor.Serve(tmp_path / "s.db", path) as server:
        monitor.until(lambda: len(server.get("/api/v1/windows?limit=100")["windows"]) == 40)
        port = free_port()
        (tmp_path / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            "rule_files: ['%s']\n"
            "scrape_configs: [{job_name: deepxtrace, static_configs: [{targets: ['127.0.0.1:%d']}]}]\n"
            % (rules, server.port))
        prometheus = subprocess.Popen(
            ["prometheus", "--config.file", tmp_path / "prometheus.yml", "--storage.tsdb.path", tmp_path / "tsdb",
             "--web.listen-address", "127.0.0.1:%d" % port], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def ask(path, **query):
            url = "http://127.0.0.1:%d/api/v1/%s?%s" % (port, path, urllib.parse.urlencode(query))
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    return json.load(answer)["data"]
            except OSError:
                return {}
        try:
            monitor.until(lambda: ask("query", query="deepxtrace_incident_open").get("result"), 60)
            alerts = monitor.until(lambda: ask("alerts").get("alerts"), 60)
            names = {alert["labels"]["alertname"] for alert in alerts}
            assert {"DeepXTraceIncident", "DeepXTraceSilentRank"} <= names
            incident = [a for a in alerts if a["labels"]["alertname"] == "DeepXTraceIncident"
                        and a["labels"]["kind"] == "late_rank"]
            assert [a["labels"]["rank"] for a in incident] == ["5"]
            with open(os.path.join(DOCS, "grafana", "deepxtrace.json")) as source:
                board = json.load(source)
            asked = 0
            for panel in board["panels"]:
                for target in panel["targets"]:
                    expression = target["expr"].replace("$group", ".*").replace("$operator", ".*")
                    result = monitor.until(lambda e=expression: ask("query", query=e).get("result"), 30)
                    assert result, expression
                    asked += 1
            assert asked >= 8
        finally:
            prometheus.terminate()
            prometheus.wait(20)
