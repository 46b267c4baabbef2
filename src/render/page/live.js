// SPDX-License-Identifier: Apache-2.0
// What a running `deepxtrace serve` answers, as the page wants it.

// Windows of an operator that are kept, as in src/monitor/view.c, and how lateness is coded there.
const MOST_WINDOWS = 512, LATE_LOW = 1, LATE_STEPS = 8;
// How src/monitor/record.h codes cells: 1 = float32, 2 = a byte.
const CELLS_LOW = 1 / 16, CELLS_STEPS = 6;
// Slow ways with a row of their own, as in a page in a file.
const MOST_STRIPS = 8;

class Gone extends Error {}

async function ask(path, parameters) {
  const query = new URLSearchParams(parameters).toString();
  const answer = await fetch("/api/v1/" + path + (query ? "?" + query : ""), { credentials: "same-origin" });
  if (answer.status === 401) location.reload();
  if (answer.status === 404) throw new Gone(path);
  if (!answer.ok) throw new Error(path + ": " + answer.status);
  return answer;
}

class LiveSource {
  constructor(about) { Object.assign(this, { about, runs: [], live: true, loaded: new Map() }); }

  static async open(element) {
    const source = new LiveSource(JSON.parse(new TextDecoder().decode(await partBytes(element))));
    await source.findGroups();
    const wished = source.runs.find((run) => String(run.id) === Link.read().g);
    const run = wished || source.runs[source.runs.length - 1];
    if (run) await source.enter(run);
    return source;
  }

  // Groups in the order in which they were last heard of.
  async findGroups() {
    const { groups } = await (await ask("groups", { limit: 1000 })).json();
    for (const group of groups) {
      let run = this.runs.find((known) => known.id === group.id);
      if (!run) this.runs.push(run = { id: group.id, ranks: group.ranks, operators: [], incidents: [], entered: false });
      Object.assign(run, { name: group.group, instance: group.instance, open: group.open_incidents, last: group.last || "" });
      const rank = (name) => (name.endsWith("dispatch") ? 0 : name.endsWith("combine") ? 1 : 2);
      const names = [...group.operators].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
      for (const name of names)
        if (!run.operators.some((operator) => operator.name === name)) run.operators.push({ name, windows: [], all: [], late: [], after: 0 });
    }
    this.runs.sort((a, b) => (a.last < b.last ? -1 : a.last > b.last ? 1 : a.id - b.id));
  }

  async enter(run) {
    if (!run.entered) {
      const { places } = await (await ask("places", { group: run.id })).json();
      if (places.length) this.usePlaces(run, places);
      run.entered = true;
    }
    await this.update(run);
  }

  usePlaces(run, places) {
    const known = new Map();
    run.host = new Array(run.ranks).fill(0);
    run.gpu = new Array(run.ranks).fill(-1);
    const nodes = new Array(run.ranks).fill(null);
    for (const [rank, host, gpu, , node] of places) {
      if (!known.has(host || "")) known.set(host || "", known.size);
      if (rank < run.ranks) {
        run.host[rank] = known.get(host || "");
        run.gpu[rank] = gpu === null ? -1 : gpu;
        nodes[rank] = node;
      }
    }
    run.hosts = [...known.keys()].some(Boolean) ? [...known.keys()] : null;
    if (nodes.every((node) => node !== null)) run.nodes = nodes;
  }

  // What is new in a group since the last time. @return whether anything is.
  async update(run) {
    const found = await Promise.all(run.operators.map((operator) => this.updateOperator(run, operator)));
    const { incidents } = await (await ask("incidents", { group: run.id, limit: 1000 })).json();
    run.incidents = incidents.slice(-50).reverse().sort((a, b) => (a.state === b.state ? 0 : a.state === "open" ? -1 : 1));
    this.giveKeys(run);
    return found.some(Boolean);
  }

  async updateOperator(run, operator) {
    const asked = { group: run.id, operator: operator.name, after: operator.after };
    const { windows } = await (await ask("view", asked)).json();
    if (!windows.length) return false;
    const late = new Uint8Array(await (await ask("lateness", asked)).arrayBuffer());
    // One may have come between the two answers: it is asked for again.
    const count = Math.min(windows.length, late.length / run.ranks);
    for (let i = 0; i < count; i++) operator.late.push(late.slice(i * run.ranks, (i + 1) * run.ranks));
    operator.all.push(...windows.slice(0, count));
    operator.after = operator.all[operator.all.length - 1].id;
    operator.all.splice(0, Math.max(0, operator.all.length - MOST_WINDOWS));
    operator.late.splice(0, Math.max(0, operator.late.length - MOST_WINDOWS));
    operator.windows = operator.all.filter((window) => window.coding);
    operator.track = null;
    return count > 0;
  }

  // Numbers of windows, where all operators have them and they grow; else ids.
  giveKeys(run) {
    const grows = ({ all }) => all.every((w, i) => w.window !== null && (i === 0 || w.window > all[i - 1].window));
    const numbered = run.operators.every(grows);
    for (const { all } of run.operators)
      for (const window of all) {
        window.ordinal = window.id;
        window.key = numbered ? window.window : window.id;
      }
  }

  // The windows that a live page leaves out are those that the server has not kept whole.
  async cells(run, operator, window) {
    if (this.loaded.has(window.id)) return this.loaded.get(window.id);
    let answer;
    try {
      answer = await ask("cells", { window: window.id });
    } catch (error) {
      if (error instanceof Gone) operator.windows = operator.windows.filter((other) => other !== window);
      throw error;
    }
    const bytes = await inflate(new Uint8Array(await answer.arrayBuffer()), "deflate");
    const coding = window.coding === 1 ? 0 : 1, codes = codesOf(bytes, coding);
    const cells = new Cells(run.ranks, run.ranks, 1, codes, tableOf(coding, CELLS_LOW, CELLS_STEPS));
    window.missing = emptyRows(codes, run.ranks);
    this.loaded.set(window.id, cells);
    const most = run.ranks > 512 ? 4 : 64;
    for (const id of this.loaded.keys()) if (this.loaded.size > most) this.loaded.delete(id);
    return cells;
  }

  // Colours stay what they are until the waits are of another size.
  survey(run, operator, cells) {
    if (!cells.survey) {
      cells.survey = new Survey();
      cells.survey.take(cells);
    }
    return {
      scale: (measure) => {
        const scale = cells.survey.scale(measure), before = operator.scale;
        const stays = before && before.measure === measure && scale.high <= before.high && scale.high >= before.high / 4 &&
          scale.low <= before.low * 4 && scale.low >= before.low / 4;
        if (!stays) operator.scale = scale;
        return operator.scale;
      },
    };
  }

  track(run, operator) {
    if (!operator.all.length) return null;
    if (!operator.track) operator.track = this.makeTrack(run, operator);
    return operator.track;
  }

  makeTrack(run, operator) {
    const columns = operator.all.length, keys = operator.all.map((window) => window.key), strips = stripsOf(operator.all);
    const codes = new Uint8Array(columns * run.ranks), table = meaningOf(LATE_LOW, LATE_STEPS);
    operator.late.forEach((row, column) => codes.set(row, column * run.ranks));
    const waits = strips.map((strip) => Float32Array.from(keys, (_, column) => strip.waits.get(column) || 0));
    const track = new Track({ columns, strips: strips.map((strip) => strip.name), marks: [], first: keys, last: keys, caption: "",
      times: operator.all.map((window) => clock(window.begin, false)) }, run.ranks, { codes, table, stride: 1, waits });
    track.ordinary = ordinaryIn(track, operator.all);
    track.slow = operator.all.flatMap((window, column) => (verdictOf(window) === "slow" ? [column] : []));
    for (const incident of run.incidents) {
      if (incident.operator !== operator.name || incident.rank === null || incident.first_window === null) continue;
      if (incident.last_window < track.first[0] || incident.path || isLink(incident.kind)) continue;
      track.marks.push([incident.rank, track.columnOf(incident.first_window), track.columnOf(incident.last_window)]);
    }
    return track;
  }

  // Hear of new windows; what is heard while the page is busy is looked at once.
  follow(app) {
    const events = new EventSource("/api/v1/events");
    let busy = false, more = false;
    const look = async () => {
      if (busy) { more = true; return; }
      busy = true;
      do {
        more = false;
        try { await this.news(app); } catch (error) { if (!(error instanceof Gone)) app.lost(true); }
      } while (more);
      busy = false;
    };
    events.addEventListener("windows", () => { app.lost(false); look(); });
    events.addEventListener("error", () => app.lost(true));
  }

  async news(app) {
    await this.findGroups();
    if (!app.run && this.runs.length) {
      await app.setRun(this.runs[this.runs.length - 1]);
      return;
    }
    if (!app.run) return;
    const any = await this.update(app.run);
    // An operator of which there was no window when the group was entered.
    if (app.usualShown && app.shown.length < app.pair().length) app.useShown(app.pair());
    if (app.follow && app.key !== app.lastKey()) {
      app.key = app.lastKey();
      app.chosen = null;
    }
    if (any) await app.refresh(); else showNav(app);
  }
}

// Kinds that blame what a rank or a node sends or receives: nobody is late for it.
const isLink = (kind) => ["slow_link", "slow_receiver", "slow_node_link"].includes(kind);

// What a finding that makes nobody late is called, as name_way() in tools/deepxtrace/draw/track.c has it; "" = its ranks are.
function wayOf({ kind, path, path_nodes: nodes, rank, node, direction }) {
  if (path) return path[1] + " \u2192 " + path[0];
  if (nodes) return "n" + nodes[1] + " \u2192 n" + nodes[0];
  if (!isLink(kind)) return "";
  const who = kind === "slow_node_link" ? "n" + node : String(rank);
  return direction === "both" ? "\u2194 " + who : direction === "out" ? who + " \u2192" : "\u2192 " + who;
}

// The slow paths and links that windows name, those of most windows: what they are called, and by how much they
// were slower in which column.
function stripsOf(windows) {
  const ways = new Map();
  windows.forEach((window, column) => {
    for (const finding of findingsOf(window)) {
      const name = wayOf(finding);
      if (!name) continue;
      const wait = typeof finding.wait_us === "number" ? 1000 * finding.wait_us : finding.wait_cycles || 0;
      if (!ways.has(name)) ways.set(name, { name, waits: new Map() });
      const { waits } = ways.get(name);
      waits.set(column, Math.max(wait, waits.get(column) || 0));
    }
  });
  const begins = (way) => way.waits.keys().next().value;
  return [...ways.values()].sort((a, b) => b.waits.size - a.waits.size || begins(a) - begins(b)).slice(0, MOST_STRIPS)
    .sort((a, b) => begins(a) - begins(b));
}

// Ranks that sent nothing: nothing of their row was observed. A byte says so by 0, a number by NaN.
function emptyRows(codes, ranks) {
  const rows = [], seen = codes instanceof Uint8Array ? (code) => code > 0 : (value) => value === value;
  for (let row = 0; row < ranks; row++)
    if (!codes.subarray(row * ranks, (row + 1) * ranks).some(seen)) rows.push(row);
  return rows;
}

// Lateness that is nothing to look at: eight times the median of those whom nobody names is what chance alone does not
// reach. What is named is always something to look at.
function ordinaryIn(track, windows) {
  const counts = Float64Array.from(track.counts), named = new Set();
  windows.forEach((window, column) => {
    const ranks = findingsOf(window).flatMap(({ kind, rank, ranks: many }) => (kind === "late_rank" ? [rank] : kind === "late_node" ? many || [] : []));
    for (const rank of new Set(ranks)) {
      if (!(rank < track.ranks)) continue;
      counts[track.code(rank, column)]--;
      named.add(track.code(rank, column));
    }
  });
  const all = counts.subarray(2).reduce((sum, count) => sum + count, 0), least = Math.min(...[...named].filter((code) => code > 1));
  let below = 0, code = 2;
  while (code < 255 && (below += counts[code]) * 2 < all) code++;
  return Math.min(all ? 8 * track.table[code] : 0, least < Infinity ? track.table[least] / 3 : Infinity);
}
