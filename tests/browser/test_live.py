# SPDX-License-Identifier: Apache-2.0
"""The page of a running `deepxtrace serve`."""
import contextlib
import json
import os
import sys

import pytest

import browser
from browser import ARROW_LEFT

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "monitor"))
import monitor  # noqa: E402


class Job:
    """16 ranks of which rank 5 is late in windows 10 to 19; its recording grows when told so."""

    def __init__(self, folder):
        lines = browser.run("simulate", "-n", 16, "--windows", 30, "--from", 10, "--slow", "dispatch:5:200us").stdout
        self.lines = [self.place(line) for line in lines.splitlines() if json.loads(line)["window"] < 20]
        well = browser.run("simulate", "-n", 16, "--windows", 30, "--seed", 2).stdout
        self.lines += [self.place(line) for line in well.splitlines() if json.loads(line)["window"] >= 20]
        self.written = 0
        self.file = open(folder / "decode.jsonl", "w", encoding="utf-8")

    @staticmethod
    def place(line):
        window = json.loads(line)
        window["begin"] = "2026-11-26T03:%02d:%02d.000Z" % divmod(20 * window["window"], 60)
        window["hosts"] = ["<b>gpu-%d" % (rank // 8) for rank in range(16)]
        return json.dumps(window) + "\n"

    def until(self, window):
        """All windows before this one are there."""
        self.file.writelines(self.lines[self.written:2 * window])
        self.written = 2 * window
        self.file.flush()


@pytest.fixture
def job(tmp_path):
    (tmp_path / "logs").mkdir()
    made = Job(tmp_path / "logs")
    yield made
    made.file.close()


@contextlib.contextmanager
def serve(page, tmp_path, *arguments):
    with monitor.Serve(tmp_path / "s.db", "--keep", "36500d", *arguments, tmp_path / "logs") as server:
        yield server
        page.leave()


def shows(page, window):
    page.until("document.getElementById('which').innerText.startsWith(arguments[0])", "window %d," % window)
    page.settle()


def test_an_incident_comes_and_goes(page, job, tmp_path):
    job.until(8)
    with serve(page, tmp_path) as server:
        page.go("http://127.0.0.1:%d/" % server.port)
        shows(page, 7)
        assert "healthy: nobody stands out" in page.text("#side")
        assert "decode" in page.text("#nav") and "2 hosts" in page.text("#nav")
        job.until(15)
        shows(page, 14)
        page.until("document.getElementById('side').innerText.includes('open since 2026-11-26 03:03:20 UTC')")
        assert "rank 5 (host <b>gpu-0) is late in dispatch" in page.text("#side")
        assert "1 open incident" in page.text("#nav")
        # The matrices of some windows are gone.
        assert page.text("#which").endswith(" kept)")
        assert "rank 3 (host <b>gpu-0) waits for rank 5" in page.hover(*page.cell(3, 5))
        assert "w=" not in page.script("return location.hash")
        # Who looks at something else is left in peace.
        page.keys(ARROW_LEFT + "f")
        link = page.script("return location.href")
        job.until(30)
        page.until("document.getElementById('side').innerText.includes('from 2026-11-26 03:03:20 UTC to')")
        assert page.text("#which").startswith("window 13,")
        page.keys("n")
        shows(page, 29)
        assert "healthy: nobody stands out" in page.text("#side")
        assert "open incident" not in page.text("#nav")
        page.go(link)
        shows(page, 13)
        assert page.script("return document.body.app.chosen") == {"operator": 0, "finding": 0}


def test_the_page_waits_for_the_first_window(page, job, tmp_path):
    with serve(page, tmp_path) as server:
        page.go("http://127.0.0.1:%d/" % server.port)
        assert page.text("#status") == "no windows yet"
        job.until(3)
        shows(page, 2)
        assert page.script("return document.body.app.panels.length") == 2


def test_of_many_groups_the_one_that_is_shown_is_in_view(page, tmp_path):
    (tmp_path / "logs").mkdir()
    lines = browser.run("simulate", "-n", 4, "--windows", 1).stdout.splitlines()
    for group in range(40):
        named = [json.dumps({**json.loads(line), "group": "group %d" % group}) for line in lines]
        (tmp_path / "logs" / ("%d.jsonl" % group)).write_text("\n".join(named) + "\n")
    with serve(page, tmp_path) as server:
        monitor.until(lambda: len(server.get("/api/v1/groups")["groups"]) == 40)
        page.go("http://127.0.0.1:%d/" % server.port)
        shows(page, 0)
        for click in ("", "const all = document.querySelectorAll('#nav button'); all[30].click()"):
            page.script(click)
            page.settle()
            assert page.script(
                "const b = document.querySelector('#nav [aria-pressed=true]').getBoundingClientRect(),"
                " n = document.getElementById('nav').getBoundingClientRect(); return b.top >= n.top && b.bottom <= n.bottom")


def test_slow_paths_have_rows_and_nodes_are_drawn(page, tmp_path):
    (tmp_path / "logs").mkdir()
    browser.simulate(tmp_path / "logs" / "decode.jsonl", "-n", 8, "--ranks-per-node", 4, "--windows", 6, "--from", 2,
                     "--slow-path", "dispatch:2<-1:150us")
    with serve(page, tmp_path) as server:
        page.go("http://127.0.0.1:%d/#o=dispatch" % server.port)
        shows(page, 5)
        track = page.script("const t = document.body.app.panels[0].track; return [t.strips, [...t.waits[0]]]")
        assert track[0] == ["1 \u2192 2"]
        assert track[1][:2] == [0, 0] and track[1][2:] == [pytest.approx(150e3, rel=0.1)] * 4
        at = page.script("const t = document.body.app.panels[0].time, b = t.canvas.getBoundingClientRect(), g = t.geometry;"
                         " return [b.left + g.left + g.width * 4.5 / 6, b.top + g.stripTop + 5]")
        assert page.hover(*at).startswith("path 1 \u2192 2\nwindow 4") and "slower by 1" in page.text("#tip")
        assert page.script("return nodeEnds(document.body.app.run)") == [4]
        assert "host" not in page.text("#nav")
        # What the path holds up is red in combine, has its number there, and the page says why.
        page.go("http://127.0.0.1:%d/#o=combine" % server.port)
        shows(page, 5)
        assert "column 2 is no finding of its own; the cause: the path 1 \u2192 2 is slow in dispatch" in page.text("#side")
        assert "nobody stands out" not in page.text("#side")
        assert "2" in page.framed()


def test_a_slow_link_has_a_row_of_its_own(page, tmp_path):
    (tmp_path / "logs").mkdir()
    browser.simulate(tmp_path / "logs" / "decode.jsonl", "-n", 16, "--ranks-per-node", 8, "--windows", 6, "--nic-in", "dispatch:5:150us")
    with serve(page, tmp_path) as server:
        page.go("http://127.0.0.1:%d/#o=dispatch" % server.port)
        shows(page, 5)
        page.until("document.getElementById('side').innerText.includes('open since')")
        # Nobody is late for it: no row of a rank is outlined.
        assert page.script("const t = document.body.app.panels[0].track; return [t.strips, t.marks]") == [["\u2192 5"], []]


def test_names_from_outside_stay_text(page, tmp_path):
    evil = "</script><img src=x onerror=alert(1)>\u202e<i>"
    (tmp_path / "logs").mkdir()
    lines = [json.loads(line) for line in browser.run("simulate", "-n", 4, "--windows", 4, "--slow", "dispatch:2:1ms").stdout.splitlines()]
    for line in lines:
        line.update(hosts=[evil] * 4, group=evil, instance=evil, case=evil, source=evil, phase=line["phase"] + evil)
    (tmp_path / "logs" / "<img src=x>.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with serve(page, tmp_path) as server:
        for link in ("", "#o=<img src=x>|%s&g=<i>&t=<i>&f=0.0&w=-5" % evil, "#z=1e300,NaN,-1&w=99999999999999999&f=999.9999", "#%"):
            page.go("http://127.0.0.1:%d/%s" % (server.port, link))
            page.until("document.getElementById('side').innerText.includes('late')")
            assert "<img src=x" in page.text("#nav") and "<img src=x" in page.text("#side")
            assert "<img src=x" in page.hover(*page.cell(1, 2))
            assert page.script("return document.querySelectorAll('img, i').length") == 0
            assert "\u202e" not in page.script("return document.body.innerText")


@pytest.mark.parametrize("ranks, late", ((2, 1), (8, 3)))
def test_who_is_named_stands_out_over_time(page, tmp_path, ranks, late):
    """Of two ranks, one of which is late most of the time, lateness is no ordinary thing."""
    (tmp_path / "logs").mkdir()
    browser.simulate(tmp_path / "logs" / "decode.jsonl", "-n", ranks, "--windows", 12, "--from", 3,
                     "--slow", "dispatch:%d:80us" % late)
    with serve(page, tmp_path) as server:
        page.go("http://127.0.0.1:%d/#o=dispatch" % server.port)
        shows(page, 11)
        positions = page.script("const { track } = document.body.app.panels[0], scale = trackScale(track, 0);"
                                " return [...Array(track.ranks).keys()].map((rank) => scale.position(track.at(rank, 8)))")
        assert positions.pop(late) > 0.8 and max(positions) < 0.3


LONGEST = """const cells = document.body.app.panels[0].cells, wrong = [];
await cells.prepare();
for (const block of [2, 4]) {
  const { side, codes } = cells.level(block);
  for (let row = 0; row < side; row += 7)
    for (let column = 0; column < side; column++) {
      let most = NaN;
      for (let r = row * block; r < Math.min(cells.ranks, (row + 1) * block); r++)
        for (let c = column * block; c < Math.min(cells.ranks, (column + 1) * block); c++) {
          const value = cells.at(r, c)[0];
          if (value === value && !(most >= value)) most = value;
        }
      if (!Object.is(cells.table[codes[row * side + column]], most)) wrong.push([block, row, column]);
    }
}
return wrong;"""

DRAWN = """const { map, cells, scale } = document.body.app.panels[0], v = document.body.app.view, g = map.geometry, wrong = [];
const dpr = devicePixelRatio, { width, height } = map.canvas;
const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
context.drawImage(map.canvas, 0, 0);
for (let row = Math.ceil(v.y); row + 1 < v.y + v.n; row++)
  for (let column = Math.ceil(v.x); column + 1 < v.x + v.n; column++) {
    const at = (rank, from, edge) => Math.round(dpr * (edge + (rank + 0.5 - from) * g.px));
    const [r, green, b] = context.getImageData(at(column, v.x, g.left), at(row, v.y, g.top), 1, 1).data;
    const value = cells.at(row, column)[0];
    if (value === value && cssOf(r << 16 | green << 8 | b) !== scale.css(value)) wrong.push([row, column]);
  }
return wrong;"""


def test_a_large_group_is_drawn_as_it_is(page, tmp_path):
    """Of more than 512 ranks only what is in view becomes an image, and an odd number of cells is halved."""
    (tmp_path / "logs").mkdir()
    browser.simulate(tmp_path / "logs" / "large.jsonl", "-n", 521, "--windows", 1)
    with serve(page, tmp_path) as server:
        page.go("http://127.0.0.1:%d/#o=dispatch" % server.port)
        shows(page, 0)
        assert page.script("return document.body.app.panels[0].cells.levels[0].codes instanceof Uint8Array")
        assert page.script(LONGEST) == []
        for view in ((0, 0, 30), (491, 300.4, 30), (200.5, 491, 30)):
            page.script("document.body.app.view.set(...arguments); document.body.app.draw()", *view)
            assert page.script(DRAWN) == []


def test_a_token_is_asked_for(page, job, tmp_path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef\n")
    job.until(2)
    with serve(page, tmp_path, "--token-file", token) as server:
        page.ask("POST", page.of("/url"), {"url": "http://127.0.0.1:%d/" % server.port})
        page.until("document.forms.length === 1")
        page.script("document.forms[0].token.value = '0123456789abcdef'; document.forms[0].submit()")
        page.until("document.body.app !== undefined")
        shows(page, 1)
    assert len(page.complaints()) == 1  # the 401 that brought the form
