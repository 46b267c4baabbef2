// SPDX-License-Identifier: Apache-2.0
// The lists beside the maps: groups and operators at the left, findings at the right.

function element(name, text, className) {
  const made = document.createElement(name);
  if (text) made.textContent = plain(text);
  if (className) made.className = className;
  return made;
}

function button(text, pressed, click, className) {
  const made = element("button", text, className);
  made.type = "button";
  if (pressed !== null) made.setAttribute("aria-pressed", pressed);
  made.addEventListener("click", click);
  return made;
}

const runTitle = (run, index) => run.name || run.group || run.case || run.instance || ("run " + (index + 1));

function showNav(app) {
  const nav = $("nav");
  const held = document.activeElement && nav.contains(document.activeElement) ? document.activeElement.textContent : null;
  nav.replaceChildren(element("h2", app.source.live ? "Groups" : "Runs"));
  app.source.runs.forEach((run, index) => {
    nav.append(button(runTitle(run, index), run === app.run, () => app.setRun(run)));
    const facts = [run.ranks + " ranks"];
    if (run.hosts && run.hosts.length > 1) facts.push(run.hosts.length + " hosts");
    if (run.instance && run.instance !== runTitle(run, index)) facts.push(run.instance);
    if (run.source) facts.push(run.source);
    nav.append(element("p", facts.join(", "), "about"));
    if (run.open) nav.append(element("p", run.open + (run.open === 1 ? " open incident" : " open incidents"), "about open"));
  });
  if (!app.run) return;
  nav.append(element("h2", "Operators"));
  app.run.operators.forEach((operator, index) => {
    const only = app.shown.length === 1 && app.shown[0] === index;
    nav.append(button(operator.name, only, () => app.setShown([index])));
  });
  if (app.run.operators.length > 1)
    nav.append(button("side by side", app.shown.length > 1, () => app.setShown(app.pair())));
  // Of many, the one that is shown is in view, until somebody scrolls.
  const name = app.run.id === undefined ? app.source.runs.indexOf(app.run) : app.run.id;
  const shown = nav.querySelector("[aria-pressed=true]");
  if (shown && name !== app.inView) shown.scrollIntoView({ block: "nearest" });
  app.inView = name;
  if (held) for (const b of nav.querySelectorAll("button")) if (b.textContent === held) b.focus();
}

function placeWords(finding) {
  const device = finding.device || {}, words = [];
  if (finding.host) words.push("host " + finding.host);
  if (device.gpu !== undefined && device.gpu !== null) words.push("GPU " + device.gpu);
  if (device.uuid) words.push(device.uuid);
  if (device.pid) words.push("process " + device.pid);
  return words.join(", ");
}

function findingCard(app, panel, finding, index) {
  const chosen = app.chosen && app.chosen.operator === panel.index && app.chosen.finding === index;
  const card = element("div", null, "finding " + plain(finding.severity) + (chosen ? " chosen" : ""));
  const click = button(finding.text || finding.kind, null, () => app.choose(panel.index, index));
  click.setAttribute("aria-pressed", chosen ? "true" : "false");
  card.append(click);
  const sure = typeof finding.confidence === "number" ? ", " + (100 * finding.confidence).toFixed(finding.confidence > 0.999 ? 0 : 1).replace(/^100$/, "> 99.9") + " % sure" : "";
  card.append(element("p", [(finding.severity || "") + sure, placeWords(finding)].filter(Boolean).join(" · "), "where"));
  const advice = app.source.about.advice && app.source.about.advice[finding.kind];
  if (advice) card.append(element("p", "next: " + advice, "next"));
  return card;
}

// Sentences of a text that was broken for 80 columns: what is indented further goes on with the line before.
const sentences = (text) => text.replace(/\n {3,}/g, " ").split("\n").filter((line) => line.trim());

function showFindings(app) {
  const side = $("side");
  const held = side.contains(document.activeElement) ? [...side.querySelectorAll("button")].indexOf(document.activeElement) : -1;
  side.replaceChildren();
  for (const line of (app.run.lines || []).flatMap(sentences)) side.append(element("p", line, "note"));
  for (const panel of app.panels) {
    if (!panel.window) continue;
    side.append(element("h2", panel.window.title || panel.operator.name + ", " + app.windowName(panel.window)));
    const findings = findingsOf(panel.window), explained = explainedWords(panel.window, panel.otherWindows());
    findings.forEach((finding, index) => side.append(findingCard(app, panel, finding, index)));
    for (const line of explained) side.append(element("p", line, "note"));
    if (!findings.length && !explained.length && verdictOf(panel.window)) {
      const healthy = verdictOf(panel.window) === "healthy";
      side.append(element("p", healthy ? "healthy: nobody stands out" : verdictOf(panel.window) === "inconclusive"
        ? "inconclusive: too thin or too noisy to tell" : "slow", "note " + (healthy ? "fine" : "")));
    }
    for (const line of sentences(panel.window.caption || "")) side.append(element("p", line, "note"));
  }
  showIncidents(app, side);
  if (held >= 0 && side.querySelectorAll("button")[held]) side.querySelectorAll("button")[held].focus();
}

// Incidents of a live page; in a file what the timeline says of the run.
function showIncidents(app, side) {
  if (app.run.incidents && app.run.incidents.length) {
    side.append(element("h2", "Incidents"));
    for (const incident of app.run.incidents) {
      const card = element("div", null, "finding " + plain(incident.severity));
      card.append(button(incident.text, null, () => app.goIncident(incident)));
      card.append(element("p", (incident.state === "open" ? "open since " : "from ") + clock(incident.begin, true) +
        (incident.end ? " to " + clock(incident.end, false) : ""), "where"));
      side.append(card);
    }
    return;
  }
  // A summary says the same.
  if (app.run.lines && app.run.lines.length) return;
  for (const panel of app.panels) {
    if (!panel.track || !panel.track.caption) continue;
    side.append(element("h2", panel.operator.name + " over the run"));
    for (const line of sentences(panel.track.caption)) side.append(element("p", line, "note"));
  }
}

// The key below a map: the colours, and what stands for what.
function showKey(canvas, panel) {
  const { context: c, width } = begin(canvas), scale = panel.scale;
  if (!scale) return;
  const left = leftOf(panel.run), size = Math.max(60, Math.min(panel.map.geometry ? panel.map.geometry.size : 280, 480, width - left - 10));
  for (let x = 0; x < size; x++) {
    c.fillStyle = cssOf(colourAt(x / (size - 1)));
    c.fillRect(left + x, 8, 1, 10);
  }
  c.fillStyle = theme.muted;
  c.textAlign = "center";
  let last = -Infinity;
  for (const tick of scale.ticks()) {
    const x = left + scale.position(tick) * (size - 1), text = short(tick, scale.measure);
    if (x - last < c.measureText(text).width + 12) continue;
    c.fillText(text, Math.min(x, width - c.measureText(text).width / 2 - 1), 27);
    c.fillRect(x, 18, 1, 3);
    last = x;
  }
}
