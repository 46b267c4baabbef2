# SPDX-License-Identifier: Apache-2.0
"""Pages in files: heatmap -o x.html."""
import json
import re

import pytest

import browser
from browser import ARROW_DOWN, ARROW_RIGHT, ENTER, ESCAPE

EVIL = "</script><img src=x onerror=alert(1)>\u202e<b>"


def place(line, name):
    """A window with hosts, nodes, GPUs and a time."""
    window = json.loads(line)
    ranks = window["ranks"]
    window["hosts"] = [name % (rank // 8) for rank in range(ranks)]
    window["devices"] = [{"host": window["hosts"][rank], "gpu": rank % 8, "uuid": "GPU-%d" % rank} for rank in range(ranks)]
    window["begin"] = "2026-11-26T03:%02d:%02d.000Z" % divmod(20 * window["window"], 60)
    return json.dumps(window) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def small(folder):
    """16 ranks on 2 nodes, of which rank 5 is late from window 10 on."""
    lines = browser.run("simulate", "-n", 16, "--ranks-per-node", 8, "--windows", 20, "--from", 10,
                        "--slow", "dispatch:5:200us").stdout.splitlines()
    (folder / "small.jsonl").write_text("".join(place(line, "gpu-%02d.cluster") for line in lines))
    browser.run("heatmap", folder / "small.jsonl", "-o", folder / "small.html")
    return "file://%s" % (folder / "small.html")


def test_what_a_page_shows(page, small):
    page.go(small)
    assert page.text("#which") == "window 19, 03:06:20 (20 of 20)"
    assert re.search(r"rank 5 \(host gpu-00.cluster\b.*\) is late in dispatch", page.text("#side"))
    assert "next: look at that rank's own work" in page.text("#side")
    tip = page.hover(*page.cell(12, 5))
    assert "rank 12 (host gpu-01.cluster, GPU 4) waits for rank 5 (host gpu-00.cluster, GPU 5)" in tip
    value = float(tip.split("\n")[-1].split(" µs per operation")[0])
    with open(small[7:].replace(".html", ".jsonl")) as file:
        recorded = [json.loads(line) for line in file]
    window = [w for w in recorded if w["window"] == 19 and w["phase"] == "dispatch"][0]
    rate = window["ticks_per_second"]
    samples = window["samples"] if not isinstance(window["samples"], list) else window["samples"][12][5]
    expected = window["wait"][12][5] / samples / (rate[12] if isinstance(rate, list) else rate) * 1e6
    assert value == pytest.approx(expected, rel=0.01)
    assert page.script("return document.body.app.panels.length") == 2


def test_a_path_between_nodes_is_one_outline(page, tmp_path):
    recording = browser.simulate(tmp_path / "path.jsonl", "-n", 32, "--ranks-per-node", 8, "--windows", 1,
                                 "--slow-node-path", "dispatch:1->0:100us")
    browser.run("heatmap", recording, "-o", tmp_path / "path.html")
    page.go("file://%s" % (tmp_path / "path.html"))
    marked = page.script("const p = document.body.app.panels[0]; return p.markedIn(p.window)")
    assert [(cells["points"], cells["ranks"]) for cells in marked] == [([], [list(range(8)), list(range(8, 16))])]
    # Its ranks stand at the axes, and those of combine that it holds up in a frame.
    assert {"8\u201315", "0\u20137"} <= set(page.framed())
    assert "columns 0\u20137 are no findings of their own; the cause: the path node 1 \u2192 node 0" in page.text("#side")


def test_keys_choose_windows_and_findings(page, small):
    page.go(small + "#w=3")
    assert page.text("#which").startswith("window 3,")
    assert "healthy: nobody stands out" in page.text("#side")
    page.keys("c")
    assert page.text("#which").startswith("window 10,")
    page.keys(ARROW_RIGHT)
    assert page.text("#which").startswith("window 11,")
    page.keys("f")
    assert page.script("return document.querySelector('.finding.chosen') !== null")
    assert "rank 5" in page.script("return document.getElementById('spoken').textContent")
    page.keys(ESCAPE)
    assert page.script("return document.querySelector('.finding.chosen') === null")
    page.keys("o")
    assert page.script("return document.body.app.shown") == [0]
    page.script("document.querySelector('.map canvas').focus()")
    page.keys(ARROW_DOWN + ARROW_DOWN + ARROW_RIGHT)
    assert "rank 1 (host gpu-00.cluster, GPU 1) waits for" in page.script("return document.getElementById('spoken').textContent")
    page.keys(ENTER)
    assert page.script("return document.body.app.view.n") == 4
    page.keys("t?")
    assert page.script("return document.documentElement.classList.contains('dark')")
    assert page.script("return document.getElementById('help').open")


def test_zoom_and_the_link_to_it(page, small):
    page.go(small + "#o=dispatch")
    page.wheel(*page.cell(8, 8), -900)
    page.until("document.body.app.view.n < 10")
    page.keys("f")
    link = page.script("return location.href")
    n = page.script("return document.body.app.view.n")
    page.go(link)
    page.until("Math.abs(document.body.app.view.n - arguments[0]) < 0.1", n)
    assert page.script("return document.body.app.chosen") == {"operator": 0, "finding": 0}
    assert page.script("return document.body.app.key") == 19
    page.keys("0")
    assert page.script("return document.body.app.view.whole")
    page.script("location.hash = '#w=2&o=combine'")
    page.until("document.body.app.key === 2 && document.body.app.shown[0] === 1")


def test_a_click_on_time_or_on_a_finding(page, small):
    page.go(small + "#o=dispatch")
    at = page.script("const t = document.body.app.panels[0].time, b = t.canvas.getBoundingClientRect(), g = t.geometry;"
                     " return [b.left + g.left + g.width * 4.5 / 20, b.top + g.top + g.height / 2]")
    tip = page.hover(*at)
    assert "rank 8 (host gpu-01.cluster, GPU 0)\nwindow 4, 03:01:20\n" in tip
    page.click(*at)
    assert page.text("#which").startswith("window 4,")
    page.keys("n")
    page.script("document.querySelector('.finding button').click()")
    assert page.script("return document.body.app.chosen") == {"operator": 0, "finding": 0}
    assert "f=0.0" in page.script("return location.hash")


def test_a_phone_and_paper_show_all(page, small):
    page.resize(390, 844)
    try:
        page.go(small)
        assert page.script("return document.documentElement.scrollWidth") <= 390
        outside = page.script("return [...document.querySelectorAll('button, canvas, .finding')].filter((e) => e.offsetWidth && !e.closest"
                              "('dialog')).filter((e) => e.getBoundingClientRect().right > 390).map((e) => e.outerHTML)")
        assert outside == []
        # What was found stands above the maps, which are one below the other.
        tops = page.script("return ['#side', '#panels canvas', '.panel + .panel canvas'].map((s) => document.querySelector(s)"
                           ".getBoundingClientRect().top)")
        assert tops == sorted(tops) and tops[2] > tops[1] + 300
    finally:
        page.resize(None, None)
    page.go(small + "#t=dark")
    assert len(page.paper()) > 10000
    page.until("document.documentElement.classList.contains('dark')")


def test_names_from_outside_stay_text(page, folder):
    line = browser.run("simulate", "-n", 8, "--windows", 1, "--slow", "dispatch:2:1ms").stdout.splitlines()[0]
    window = json.loads(line)
    window.update(hosts=[EVIL] * 4 + ["b"] * 4, case=EVIL, source=EVIL, group=EVIL, instance=EVIL)
    (folder / "evil.jsonl").write_text(json.dumps(window) + "\n")
    browser.run("heatmap", folder / "evil.jsonl", "-o", folder / "evil.html")
    page.go("file://%s" % (folder / "evil.html"))
    assert "<img src=x" in page.hover(*page.cell(1, 2)) and "<img src=x" in page.text("#nav")
    assert page.script("return document.querySelectorAll('img, b b').length") == 0
    assert "\u202e" not in page.script("return document.body.innerText")


def test_2048_ranks(page, folder):
    row = [10000 + 370 * i % 5000 for i in range(2048)]
    row[777] = 2000000
    rows = json.dumps(row)
    (folder / "large.jsonl").write_text('{"v":1,"phase":"dispatch","ranks":2048,"unit":"ns","ops":10,"window":0,'
                                        '"elapsed_ns":10000000,"hosts":%s,"wait":[' % json.dumps(["gpu-node-%03d" % (i // 8) for i in range(2048)])
                                        + ",".join([rows] * 2048) + "]}\n")
    browser.run("heatmap", folder / "large.jsonl", "-o", folder / "large.html")
    assert (folder / "large.html").stat().st_size < 4e6
    page.go("file://%s" % (folder / "large.html"))
    assert "of 2048 ranks the longest wait in each 16 × 16 cells" in page.text("#foot")
    assert page.hover(*page.cell(100, 777)).startswith("rank 100 (host gpu-node-012) waits for rank 777 (host gpu-node-097)\n2")
    assert page.hover(*page.cell(100, 300)).startswith("ranks 96–111 wait for ranks 288–303\nlongest of")
    assert_texts_are_apart(page)
    page.keys("f")
    assert page.script("return document.body.app.view.n") == 64
    assert_texts_are_apart(page)


def assert_texts_are_apart(page):
    """No text of a map touches another one, but for the name of the axis, which is turned."""
    texts = page.script(
        "const all = [], draw = CanvasRenderingContext2D.prototype.fillText, map = document.body.app.panels[0].map;"
        "CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {"
        "  const w = this.measureText(text).width, left = this.textAlign === 'right' ? x - w : this.textAlign === 'center' ? x - w / 2 : x;"
        "  if (x !== 0) all.push([String(text), left, left + w, y]);"
        "  draw.call(this, text, x, y); };"
        "map.draw(); CanvasRenderingContext2D.prototype.fillText = draw; return all;")
    assert len(texts) > 10
    for i, (text, left, right, y) in enumerate(texts):
        for other, begin, end, below in texts[:i]:
            assert abs(y - below) >= 11 or right + 2 < begin or end + 2 < left, (text, other)


def test_a_report_begins_at_the_incident_and_gives_its_recording_back(page, small, folder):
    recording = folder / "small.jsonl"
    browser.run("report", recording, "-o", folder / "report.html")
    page.go("file://%s" % (folder / "report.html"))
    assert page.text("#which").startswith("window 10,")
    # One sentence is one paragraph, however it was broken for a terminal.
    assert re.search(r"rank 5 .*late in dispatch since window 10, in 10 of 10 windows: .* of the step", page.text("#side"))
    assert "all 40 lines of the recording (a window of one operator each) are in this page" in page.text("#foot")
    assert page.script("return document.getElementById('save').hidden") is False
    saved = page.script("return recordingBytes().then((blob) => blob.text())")
    assert [json.loads(line) for line in saved.splitlines()] == [json.loads(line) for line in recording.read_text().splitlines()]
