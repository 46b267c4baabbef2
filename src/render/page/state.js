// SPDX-License-Identifier: Apache-2.0
// What is shown, and the link that says so.

class Link {
  static read() {
    const given = new URLSearchParams(location.hash.slice(1)), link = {};
    for (const name of ["g", "o", "t"]) if (given.has(name)) link[name] = given.get(name);
    const whole = /^-?\d{1,15}$/;
    if (whole.test(given.get("w") || "")) link.w = Number(given.get("w"));
    const zoom = (given.get("z") || "").split(",").map(Number);
    if (zoom.length === 3 && zoom.every((number) => Number.isFinite(number) && number >= 0)) link.z = zoom;
    const finding = /^(\d{1,3})\.(\d{1,4})$/.exec(given.get("f") || "");
    if (finding) link.f = [Number(finding[1]), Number(finding[2])];
    return link;
  }

  static write(app) {
    const say = new URLSearchParams(), run = app.run;
    if (app.source.runs.length > 1 || app.source.live) say.set("g", run.id === undefined ? app.source.runs.indexOf(run) : run.id);
    say.set("o", app.shown.map((index) => run.operators[index].name).join("|"));
    if (!app.follow && app.key !== null) say.set("w", app.key);
    const v = app.view;
    if (!v.whole) say.set("z", [v.x, v.y, v.n].map((number) => Math.round(number * 10) / 10).join(","));
    if (app.chosen) say.set("f", app.chosen.operator + "." + app.chosen.finding);
    if (app.dark !== app.usual) say.set("t", app.dark ? "dark" : "light");
    const hash = "#" + say.toString();
    if (hash === location.hash) return;
    app.written = hash;
    history.replaceState(null, "", hash);
  }
}

// One operator on the page: its map, its key, its ranks over time.
class Panel {
  constructor(app, run, index) {
    Object.assign(this, { app, run, index, operator: run.operators[index], window: null, cells: null, scale: null, track: null });
    this.box = element("section", null, "panel");
    const head = element("div", null, "head");
    this.name = element("h3", this.operator.name);
    this.verdict = element("span", "", "verdict");
    head.append(this.name, this.verdict);
    this.box.append(head);
    const canvas = (className, label) => {
      const frame = element("div", null, className), made = document.createElement("canvas");
      if (label) {
        made.tabIndex = 0;
        made.setAttribute("role", "application");
        made.setAttribute("aria-label", label);
      }
      frame.append(made);
      this.box.append(frame);
      return made;
    };
    const name = plain(this.operator.name);
    this.mapCanvas = canvas("map", "Waits in " + name + ": rows wait for columns");
    this.keyCanvas = canvas("key", null);
    this.timeCanvas = canvas("time", "Ranks over time in " + name);
    this.map = new HeatMap(this.mapCanvas, app.onMap(this));
    this.time = new TimeLine(this.timeCanvas, app.onTime(this));
  }

  // Of the key that is asked for, or the last one before.
  windowFor(key) {
    let found = this.operator.windows[0] || null;
    for (const window of this.operator.windows) if (window.key <= key) found = window;
    return found;
  }

  // Those of the same moment.
  otherWindows() {
    const others = this.run.operators.filter((operator) => operator !== this.operator);
    return others.flatMap(({ all, windows }) => (all || windows).filter((window) => window.key === this.window.key));
  }

  async load(key) {
    const window = this.windowFor(key), { source } = this.app;
    if (!window) return;
    let cells;
    try {
      cells = await source.cells(this.run, this.operator, window);
    } catch (error) {
      // What was thinned out meanwhile is no longer among the windows: the one before it is shown.
      if (!source.live || this.operator.windows.includes(window)) throw error;
      await this.load(key);
      return;
    }
    await cells.prepare();
    const survey = await source.survey(this.run, this.operator, cells);
    await breathe();
    const track = await source.track(this.run, this.operator);
    await breathe();
    const explained = explainedOf(window).map(({ columns }) => ({ columns: columns || [], rows: [], points: [] }));
    const scale = survey.scale(window.measure).endingNear(longestOf([...this.markedIn(window), ...explained], cells));
    const same = this.scale && this.scale.low === scale.low && this.scale.high === scale.high && this.scale.measure === scale.measure;
    Object.assign(this, { window, cells, track, scale: same ? this.scale : scale });
  }

  // What the findings of a window outline, or the ratio rule's lists, which came with the window.
  markedIn(window) {
    const judged = findingsOf(window).map((finding) => cellsOf(finding, this.run));
    const ratio = !window.diagnosis || window.diagnosis.method === "ratio";
    return ratio && window.marks ? [marksAsCells(window.marks), ...judged] : judged;
  }

  show() {
    const { app, window } = this;
    if (!window || !this.cells) return;
    const judged = findingsOf(window), chosen = app.chosen && app.chosen.operator === this.index ? judged[app.chosen.finding] : null;
    const marked = this.markedIn(window);
    this.verdict.textContent = verdictOf(window) + (judged.length ? ": " + judged.length + (judged.length === 1 ? " finding" : " findings") : "");
    this.verdict.className = "verdict " + verdictOf(window);
    this.map.show({ run: this.run, operator: this.operator, window, cells: this.cells, scale: this.scale, view: app.view, marked,
      chosen: chosen ? cellsOf(chosen, this.run) : null });
    this.timeCanvas.parentElement.hidden = !this.track;
    if (this.track) this.time.show({ run: this.run, operator: this.operator, track: this.track, measure: window.measure,
      number: window.key, windows: this.operator.windows });
    showKey(this.keyCanvas, this);
  }
}
