// SPDX-License-Identifier: Apache-2.0
// The page: what is shown, what happens on a click or a key.

class App {
  constructor(source) {
    Object.assign(this, { source, run: null, shown: [], panels: [], key: null, chosen: null, follow: Boolean(source.live), turn: 0 });
    this.view = new View(2);
    const wished = matchMedia("(prefers-color-scheme: dark)");
    this.usual = wished.matches;
    this.setDark(wished.matches);
    wished.addEventListener("change", () => { this.usual = wished.matches; this.setDark(wished.matches); this.draw(); });
    $("title").textContent = plain(source.about.title || "DeepXTrace");
    const { about } = source, foot = (about.left_out || []).map(plain);
    if (about.raw !== undefined)
      foot.push((about.raw < about.read ? about.raw + " of " : "all ") + about.read + " lines of the recording (a window of one operator each) are in this page");
    $("foot").textContent = foot.join("; ");
    this.bind();
  }

  // ---- what is shown ----

  pair() { return this.run.operators.slice(0, 2).map((_, index) => index); }

  begin(link) {
    const { runs, about } = this.source;
    let run = runs[runs.length - 1];
    if (about.start !== undefined)
      run = runs.find((r) => r.operators.some((o) => o.windows.some((w) => w.key === about.start))) || run;
    if (link.g !== undefined) run = runs.find((r, index) => String(r.id === undefined ? index : r.id) === link.g) || run;
    this.useRun(run);
    if (!run) return this.refresh();
    if (link.o) {
      const names = link.o.split("|");
      const shown = run.operators.flatMap((operator, index) => (names.includes(operator.name) ? [index] : []));
      if (shown.length) this.useShown(shown.slice(0, 2));
    }
    if (link.t) this.setDark(link.t === "dark");
    this.key = this.lastKey();
    if (about.start !== undefined) this.key = about.start;
    else if (about.raw !== undefined) this.key = this.worstKey();
    if (link.w !== undefined) {
      this.key = link.w;
      this.follow = false;
    }
    if (link.z) this.view.set(...link.z);
    if (link.f) this.chosen = { operator: link.f[0], finding: link.f[1] };
    return this.refresh();
  }

  useRun(run) {
    this.run = run;
    this.chosen = null;
    if (!run) return;
    this.view.reset(run.ranks);
    this.useShown(this.pair());
    this.usualShown = true;
  }

  useShown(shown) {
    this.shown = shown;
    this.usualShown = this.usualShown && shown.length === this.pair().length;
    this.panels = shown.map((index) => new Panel(this, this.run, index));
    $("panels").replaceChildren(...this.panels.map((panel) => panel.box));
    $("panels").classList.toggle("only", shown.length === 1);
    $("panels").classList.toggle("turned", this.source.about.first === "timeline");
  }

  async setRun(run) {
    this.useRun(run);
    this.key = null;
    if (this.source.live) await this.source.enter(run);
    this.key = this.lastKey();
    return this.refresh();
  }

  setShown(shown) {
    if (this.chosen && !shown.includes(this.chosen.operator)) this.chosen = null;
    this.useShown(shown);
    return this.refresh();
  }

  keys() {
    const keys = new Set();
    for (const panel of this.panels) for (const window of panel.operator.windows) keys.add(window.key);
    return [...keys].sort((a, b) => a - b);
  }

  lastKey() {
    const keys = this.keys();
    return keys.length ? keys[keys.length - 1] : null;
  }

  // The first window of what costs most: a page for a ticket begins there.
  worstKey() {
    let worst = null, most = 0;
    for (const operator of this.run.operators)
      for (const window of operator.windows)
        for (const finding of findingsOf(window)) {
          const named = finding.kind !== "early_rank" && finding.share;
          // What is nearly as much as the worst so far does not begin anew.
          if (named && finding.share > 1.5 * most) [worst, most] = [window.key, finding.share];
        }
    return worst === null ? this.lastKey() : worst;
  }

  setKey(key) {
    const keys = this.keys();
    if (!keys.length) return;
    this.key = keys.reduce((best, other) => (Math.abs(other - key) < Math.abs(best - key) ? other : best), keys[0]);
    this.chosen = null;
    this.follow = Boolean(this.source.live) && this.key === keys[keys.length - 1];
    this.refresh();
  }

  step(by) {
    const keys = this.keys(), at = Math.max(0, keys.findIndex((key) => key >= this.key));
    this.setKey(keys[Math.min(keys.length - 1, Math.max(0, at + by))]);
  }

  // The next window that says something else than the one shown.
  stepChange(by) {
    const says = (key) => this.panels.map((panel) => findingsOf(panel.windowFor(key) || {}).map((f) => JSON.stringify([f.kind, f.rank, f.path, f.node, f.path_nodes])).sort().join()).join("/");
    const keys = this.keys(), from = says(this.key);
    let at = keys.indexOf(this.key) + by;
    while (keys[at] !== undefined && says(keys[at]) === from) at += by;
    if (keys[at] !== undefined) this.setKey(keys[at]);
  }

  choose(operator, finding) {
    const same = this.chosen && this.chosen.operator === operator && this.chosen.finding === finding;
    this.chosen = same ? null : { operator, finding };
    const panel = this.panels.find((p) => p.index === operator);
    if (this.chosen && panel) this.lookAt(boxOf(cellsOf(findingsOf(panel.window)[finding], this.run)));
    this.draw();
    showFindings(this);
  }

  stepFinding(by) {
    const all = this.panels.flatMap((panel) => findingsOf(panel.window || {}).map((_, finding) => [panel.index, finding]));
    if (!all.length) return;
    const at = this.chosen ? all.findIndex(([o, f]) => o === this.chosen.operator && f === this.chosen.finding) : by > 0 ? -1 : 0;
    const [operator, finding] = all[(at + by + all.length) % all.length];
    this.choose(operator, finding);
    say(findingsOf(this.panels.find((p) => p.index === operator).window)[finding].text);
  }

  // Move the view, no closer than needed, so that a cause is in it and large enough to be seen.
  lookAt([top, bottom, left, right]) {
    const v = this.view, most = 64;
    if (this.run.ranks <= most) return;
    const high = top === null ? 1 : bottom - top + 1, wide = left === null ? 1 : right - left + 1;
    const n = Math.min(this.run.ranks, Math.max(most, 1.5 * Math.max(high, wide)));
    const x = left === null ? v.x + v.n / 2 : (left + right + 1) / 2, y = top === null ? v.y + v.n / 2 : (top + bottom + 1) / 2;
    v.set(x - n / 2, y - n / 2, n);
  }

  goIncident(incident) {
    const index = this.run.operators.findIndex((operator) => operator.name === incident.operator);
    if (index >= 0 && !this.shown.includes(index)) this.useShown([index]);
    if (incident.first_window !== null) this.setKey(incident.state === "open" ? incident.last_window : incident.first_window);
  }

  // ---- drawing ----

  async refresh() {
    const turn = ++this.turn;
    showNav(this);
    if (!this.run || this.key === null) {
      $("status").textContent = this.source.live ? "no windows yet" : "";
      return;
    }
    await Promise.all(this.panels.map((panel) => panel.load(this.key)));
    if (turn !== this.turn) return;
    this.showPick();
    showFindings(this);
    this.draw();
    document.body.dataset.ready = String(this.turn);
  }

  windowName(window) {
    const time = clock(window.begin, false);
    return "window " + (window.window === null ? window.ordinal : window.window) + (time ? ", " + time : "");
  }

  showPick() {
    const keys = this.keys(), at = keys.indexOf(this.key), slider = $("slider");
    slider.max = Math.max(0, keys.length - 1);
    slider.value = at < 0 ? keys.length - 1 : at;
    const first = this.panels.map((panel) => panel.window).find(Boolean);
    const name = first ? this.windowName(first) : "";
    $("which").textContent = name + (keys.length > 1 ? " (" + (Number(slider.value) + 1) + " of " + keys.length + (this.source.live ? " kept)" : ")") : "");
    slider.setAttribute("aria-valuetext", name);
    $("pick").classList.toggle("alone", keys.length < 2);
    $("newest").hidden = !this.source.live || this.follow;
    $("status").textContent = [this.source.runs.length > 1 ? runTitle(this.run, this.source.runs.indexOf(this.run)) : "", this.run.ranks + " ranks", clock(first && first.begin, true)].filter(Boolean).map(plain).join(" · ");
  }

  draw() {
    readTheme();
    for (const panel of this.panels) panel.show();
    Link.write(this);
  }

  // Whether the server answers.
  lost(lost) {
    document.body.classList.toggle("lost", lost);
    if (lost) $("status").textContent = "the server does not answer; trying again";
  }

  setDark(dark) {
    this.dark = dark;
    document.documentElement.classList.toggle("dark", dark);
    $("theme").textContent = dark ? "Light" : "Dark";
    readTheme();
  }

  // ---- what happens ----

  onMap(panel) {
    return {
      hover: (map, at) => { if (at && panel.cells) tip(cellWords(this.run, panel.cells, panel.window, at[0], at[1]), at[2], at[3]); else tip(null); },
      cursor: (map, at) => { const words = cellWords(this.run, panel.cells, panel.window, at[0], at[1]); say(words.join(": ")); this.tipAt(map, at, words); },
      zoom: (factor, column, row) => this.zoom(factor, column, row),
      moved: () => this.draw(),
    };
  }

  onTime(panel) {
    return {
      hover: (time, at) => { if (at) tip(time.words(at), at[2], at[3]); else tip(null); },
      pick: (first, last) => {
        const inside = this.keys().filter((key) => key >= first && key <= last);
        const found = inside.find((key) => verdictOf(panel.windowFor(key) || {}) === "slow");
        this.setKey(found !== undefined ? found : inside.length ? inside[0] : first);
      },
    };
  }

  tipAt(map, [row, column], words) {
    const box = map.canvas.getBoundingClientRect(), g = map.geometry, v = this.view;
    tip(words, box.left + g.left + (column + 1 - v.x) * g.px, box.top + g.top + (row + 1 - v.y) * g.px);
  }

  zoom(factor, column, row) {
    const v = this.view;
    v.zoom(factor, column === undefined ? v.x + v.n / 2 : column, row === undefined ? v.y + v.n / 2 : row);
    this.draw();
  }

  bind() {
    const click = (id, act) => $(id).addEventListener("click", act);
    click("before", () => this.step(-1));
    click("after", () => this.step(1));
    click("newest", () => this.toNewest());
    click("in", () => this.zoom(1 / 2));
    click("out", () => this.zoom(2));
    click("whole", () => { this.view.reset(this.run.ranks); this.draw(); });
    click("theme", () => { this.setDark(!this.dark); this.draw(); });
    click("help-button", () => $("help").showModal());
    click("close", () => $("help").close());
    $("slider").addEventListener("input", () => this.setKey(this.keys()[Number($("slider").value)]));
    addEventListener("keydown", (event) => this.onKey(event));
    addEventListener("resize", () => this.draw());
    let dark = false;
    addEventListener("beforeprint", () => { dark = this.dark; this.setDark(false); this.draw(); });
    addEventListener("afterprint", () => { this.setDark(dark); this.draw(); });
    addEventListener("hashchange", () => { if (location.hash !== this.written) this.begin(Link.read()); });
    if (document.querySelector("script.raw")) {
      $("save").hidden = false;
      click("save", save);
    }
  }

  toNewest() {
    this.follow = Boolean(this.source.live);
    this.key = this.lastKey();
    this.chosen = null;
    this.refresh();
  }

  onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || $("help").open || !this.run) return;
    const inSlider = event.target === $("slider");
    const act = {
      ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1),
      Home: () => this.setKey(this.keys()[0]), End: () => this.setKey(this.lastKey()),
      "+": () => this.zoom(1 / 2), "=": () => this.zoom(1 / 2), "-": () => this.zoom(2), "−": () => this.zoom(2),
      0: () => { this.view.reset(this.run.ranks); this.draw(); },
      f: () => this.stepFinding(1), F: () => this.stepFinding(-1), c: () => this.stepChange(1), C: () => this.stepChange(-1),
      o: () => this.nextShown(), g: () => this.nextRun(), n: () => this.toNewest(),
      t: () => { this.setDark(!this.dark); this.draw(); }, "?": () => $("help").showModal(),
      Escape: () => { this.chosen = null; tip(null); for (const panel of this.panels) panel.map.cursor = null; this.draw(); showFindings(this); },
    }[event.key];
    if (!act || (inSlider && /^(Arrow|Home|End)/.test(event.key))) return;
    event.preventDefault();
    tip(null);
    act();
  }

  nextShown() {
    const all = this.run.operators.map((_, index) => [index]);
    if (all.length > 1) all.push(this.pair());
    const at = all.findIndex((shown) => shown.join() === this.shown.join());
    this.setShown(all[(at + 1) % all.length]);
  }

  nextRun() {
    const { runs } = this.source;
    if (runs.length > 1) this.setRun(runs[(runs.indexOf(this.run) + 1) % runs.length]);
  }
}

// ---- words over the page ----

function tip(lines, x, y) {
  const box = $("tip");
  box.hidden = !lines;
  if (!lines) return;
  box.replaceChildren(...lines.map((line, i) => element(i === lines.length - 1 ? "b" : "div", line)));
  const width = box.offsetWidth, height = box.offsetHeight;
  box.style.left = Math.max(4, Math.min(innerWidth - width - 4, x + 14)) + "px";
  box.style.top = (y + 18 + height > innerHeight ? Math.max(4, y - height - 12) : y + 18) + "px";
}

function say(text) { $("spoken").textContent = plain(text); }

async function save() {
  const link = document.createElement("a"), url = URL.createObjectURL(await recordingBytes());
  link.href = url;
  link.download = "recording.jsonl";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

(async () => {
  const about = document.querySelector("script.about");
  const source = about.classList.contains("live") ? await LiveSource.open(about) : await FileSource.open();
  const app = new App(source);
  document.body.app = app;
  await app.begin(Link.read());
  if (source.live) source.follow(app);
})();
