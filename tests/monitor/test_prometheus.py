# SPDX-License-Identifier: Apache-2.0
"""The rules and the dashboard, on a real Prometheus that scrapes a real server."""
import datetime
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
    windows = monitor.simulate("-n", 8, "--windows", 20, "--slow", "dispatch:5:600us")
    windows = [json.loads(line) for line in windows]
    for window in windows:
        window["group"] = "ep"
        if window["window"] >= 15:
            window["wait"][3] = None
            window.pop("samples", None)
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(window) + "\n" for window in windows))
    # A job of which nothing has come for an hour.
    ago = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    old = tmp_path / "old.jsonl"
    old.write_text("".join(json.dumps({**json.loads(line), "group": "gone", "begin": ago}) + "\n"
                           for line in monitor.simulate("-n", 4, "--windows", 1)))
    rules = os.path.join(DOCS, "alerts.yml")
    assert subprocess.run(["promtool", "check", "rules", rules], capture_output=True).returncode == 0
    with monitor.Serve(tmp_path / "s.db", path, old) as server:
        monitor.until(lambda: len(server.get("/api/v1/windows?limit=100")["windows"]) == 42)
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
            # Those with "for" are pending.
            every = {"DeepXTraceIncident", "DeepXTraceSilentRank", "DeepXTraceTimeLost", "DeepXTraceNoWindows"}

            def all_of_them():
                alerts = [alert["labels"] for alert in ask("alerts").get("alerts", [])]
                told = {name: [labels for labels in alerts if labels["alertname"] == name] for name in every}
                return all(told.values()) and told
            told = monitor.until(all_of_them, 60)
            late = [labels for labels in told["DeepXTraceIncident"] if labels["kind"] == "late_rank"]
            assert [labels["rank"] for labels in late] == ["5"]
            assert [labels["group"] for labels in told["DeepXTraceNoWindows"]] == ["gone"]
            assert {labels["group"] for labels in told["DeepXTraceSilentRank"] + told["DeepXTraceTimeLost"]} == {"ep"}
            lateness = ask("query", query='deepxtrace_lateness_seconds{operator="dispatch",rank="5"}')["result"]
            assert 500e-6 < float(lateness[0]["value"][1]) < 700e-6
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
