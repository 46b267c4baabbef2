# SPDX-License-Identifier: Apache-2.0
"""How long the page of `deepxtrace serve` keeps a browser busy (figures: docs/monitoring.md):

    scripts/python.sh pytest bench/page_frames.py [--ranks 2048] [--windows 6] [--past 500]

A group of so many ranks is followed in Chromium while its recording grows by a window at a time;
the timeline is first made as long as after `--past` windows. It prints one line of JSON for each
of: opened, a new window, a zoom, a finding, dark. `longest_ms` is the longest task of the page's
thread, while which nothing moves; browsers tell those of 50 ms and more, 0 = there was none."""
import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
os.environ.setdefault("DXT_BUILD_DIR", os.path.join(ROOT, "build"))
sys.path[:0] = [os.path.join(ROOT, "tests", part) for part in ("browser", "monitor")]
import browser  # noqa: E402
import monitor  # noqa: E402

WATCH = """window.tasks = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration)))
  .observe({ type: "longtask", buffered: true });"""

# A past, so that the timeline is as long as after hours: the windows there are, again and again.
AGE = """for (const operator of document.body.app.run.operators) {
  const { all, late } = operator, have = all.length, add = Math.max(0, arguments[0] - have);
  const first = all[0];
  for (let i = 0; i < add; i++) {
    all.unshift({ ...first, id: first.id - 1 - i, window: first.window - 1 - i, coding: null });
    late.unshift(late[(i * 7) % have]);
  }
  operator.track = null;
}
document.body.app.source.giveKeys(document.body.app.run);"""


def tell(what, page, seconds):
    time.sleep(0.3)  # the observer hears of a task after its end
    tasks = page.script("const all = window.tasks || []; window.tasks = []; return all")
    print(json.dumps({"what": what, "seconds": round(seconds, 2),
                      "longest_ms": round(max(tasks, default=0)),
                      "above_50_ms": len([t for t in tasks if t > 50])}), flush=True)


def timed(page, act):
    begin = time.monotonic()
    act()
    page.settle()
    return time.monotonic() - begin


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", type=int, default=2048)
    parser.add_argument("--windows", type=int, default=6)
    parser.add_argument("--past", type=int, default=500)
    return parser.parse_args()


def main():
    options = parse()
    with tempfile.TemporaryDirectory(prefix="dxt-frames-") as name:
        folder = pathlib.Path(name)
        lines = monitor.simulate("-n", options.ranks, "--ranks-per-node", 8,
                                 "--windows", options.windows, "--from", 1,
                                 "--slow", "dispatch:%d:300us" % (options.ranks // 3))
        with open(folder / "r.jsonl", "w", encoding="utf-8") as growing:
            grow(growing, lines, 1)
            page = browser.Browser(folder)
            try:
                with monitor.Serve(folder / "s.db", "--keep", "36500d",
                                   folder / "r.jsonl") as server:
                    look(page, server, growing, lines, options)
                    page.leave()
            finally:
                page.close()


def grow(file, lines, window):
    file.writelines(lines[2 * window - 2:2 * window])
    file.flush()


def shows(page, window):
    page.until("document.body.app.panels.length && document.body.app.panels.every("
               "(p) => p.window && p.window.window >= arguments[0])", window)


def look(page, server, growing, lines, options):
    monitor.until(lambda: len(server.get("/api/v1/windows")["windows"]) == 2)
    seconds = timed(page, lambda: page.go("http://127.0.0.1:%d/" % server.port))
    page.script(WATCH)
    tell("opened", page, seconds)
    page.script(AGE, options.past)
    for window in range(1, options.windows):
        page.script("window.tasks = []")
        begin = time.monotonic()
        grow(growing, lines, window + 1)
        shows(page, window)
        page.settle()
        tell("window %d, from written to drawn" % window, page, time.monotonic() - begin)
    page.script("window.tasks = []")
    for what, keys in (("zoom", "+++"), ("whole", "0"), ("finding", "f"), ("dark", "t"),
                       ("window before", browser.ARROW_LEFT)):
        tell(what, page, timed(page, lambda keys=keys: page.keys(keys)))


if __name__ == "__main__":
    sys.exit(main())
