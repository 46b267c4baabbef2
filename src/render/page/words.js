// SPDX-License-Identifier: Apache-2.0
// Figures, names and sentences.

const three = (value) => {
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return value === 0 ? "0" : value.toFixed(digits).replace(/\.?0+$/, (z) => (digits ? "" : z));
};

// "12.3 µs", "2.1M cycles".
function wait(value, measure) {
  if (value !== value || value === null || value === undefined) return "not observed";
  if (measure >= 2) {
    for (const [factor, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]])
      if (value >= factor * 0.9995) return three(value / factor) + letter + " cycles";
    return three(value) + " cycles";
  }
  for (const [factor, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]])
    if (Math.abs(value) >= factor * 0.9995) return three(value / factor) + " " + unit;
  return three(value) + " ns";
}
// Short, for inside cells and beside ticks: in µs or cycles.
function short(value, measure) {
  const shown = measure < 2 ? value / 1000 : value;
  for (const [factor, letter] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]])
    if (shown >= factor * 0.9995) return three(shown / (letter === "k" ? 1e3 : factor)) + letter;
  return three(shown);
}
const quantity = (measure) => ["mean wait in µs", "sum of waits in µs", "mean wait in cycles", "sum of waits in cycles"][measure];
const per = (measure) => (measure === 0 || measure === 2 ? " per operation" : " in the window");

const hostOf = (run, rank) => (run.hosts ? plain(run.hosts[run.host[rank]]) : "");
const severalHosts = (run) => run.hosts && run.hosts.length > 1;

// "rank 3 (host gpu-17, GPU 2)".
function rankName(run, rank) {
  const where = [];
  if (hostOf(run, rank)) where.push("host " + hostOf(run, rank));
  if (run.gpu && run.gpu[rank] >= 0) where.push("GPU " + run.gpu[rank]);
  return "rank " + rank + (where.length ? " (" + where.join(", ") + ")" : "");
}

const ranksName = (first, last) => (last > first ? "ranks " + first + "–" + last : "rank " + first);

// What a cell says: "rank 3 (…) waits for rank 2 (…)" and "1.03 ms per operation".
function cellWords(run, cells, window, row, column) {
  if (window.missing && window.missing.includes(row)) return [rankName(run, row), "sent no counters in this window"];
  const [value, exact] = cells.at(row, column), b = cells.block;
  if (exact)
    return [rankName(run, row) + " waits for " + (row === column ? "itself" : rankName(run, column)),
      wait(value, window.measure) + (value === value ? per(window.measure) : "")];
  const end = (rank) => Math.min(run.ranks, (Math.floor(rank / b) + 1) * b) - 1;
  const begin = (rank) => Math.floor(rank / b) * b;
  return [ranksName(begin(row), end(row)) + " wait for " + ranksName(begin(column), end(column)),
    "longest of " + (cells.rows.size || cells.columns.size ? "those in no whole row or column: " : "them: ") + wait(value, window.measure) + per(window.measure)];
}

const two = (number) => String(number).padStart(2, "0");
// "14:03:05" of a time, with its date if asked for.
function clock(text, withDate) {
  const at = text ? new Date(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : text.replace(" ", "T") + "Z") : null;
  if (!at || isNaN(at)) return "";
  const time = two(at.getUTCHours()) + ":" + two(at.getUTCMinutes()) + ":" + two(at.getUTCSeconds());
  return (withDate ? at.toISOString().slice(0, 10) + " " : "") + time + (withDate ? " UTC" : "");
}

const findingsOf = (window) => (window.diagnosis && window.diagnosis.findings) || [];
const verdictOf = (window) => (window.diagnosis ? window.diagnosis.verdict : "");

const explainedOf = (window) => (window.diagnosis && window.diagnosis.explained) || [];

// Why ranks stand out that no finding names in this window, as captions of pictures say it; `others` are the windows of
// the other operators.
function explainedWords(window, others) {
  const found = findingsOf(window).length > 0;
  const from = others.find((other) => findingsOf(other).length && !(found && explainedOf(other).some(({ why }) => why === "held_up")));
  return explainedOf(window).flatMap(({ why, text }) => {
    if (why === "silent") return [text];
    if (from) return [text + "; the cause: " + findingsOf(from)[0].text];
    return why === "held_up" ? [text + "; the cause is what " + (found ? "the" : "the other operator's") + " findings name"] : [];
  });
}

// Which cells a finding is about: whole columns, whole rows, single cells, rectangles of ranks.
function cellsOf(finding, run) {
  const cells = { columns: [], rows: [], points: [], ranks: [] };
  const one = finding.rank === undefined || finding.rank === null ? [] : [finding.rank];
  const many = finding.ranks || one;
  switch (finding.kind) {
  case "early_rank": case "slow_receiver": cells.rows = one; break;
  case "silent_rank": cells.rows = one; cells.columns = one; break;
  case "late_node": cells.columns = many; break;
  case "slow_link": case "slow_node_link":
    if (finding.direction !== "out") cells.rows = many;
    if (finding.direction !== "in") cells.columns = many;
    break;
  case "slow_path": case "path_stalls":
    cells.points = finding.paths || (finding.path ? [finding.path] : []);
    break;
  case "slow_node_path":
    if (run.nodes && finding.path_nodes) {
      const of = (node) => run.nodes.flatMap((n, rank) => (n === node ? [rank] : []));
      cells.ranks = [of(finding.path_nodes[0]), of(finding.path_nodes[1])];
    }
    break;
  case "systemic_skew": break;
  default: cells.columns = one;
  }
  return cells;
}

// The ranks that a finding is about, to zoom to: [first row, last row, first column, last column].
function boxOf(cells) {
  const rows = [...cells.rows, ...cells.points.map((p) => p[0]), ...(cells.ranks[0] || [])];
  const columns = [...cells.columns, ...cells.points.map((p) => p[1]), ...(cells.ranks[1] || [])];
  const end = (list, f) => (list.length ? f(...list) : null);
  return [end(rows, Math.min), end(rows, Math.max), end(columns, Math.min), end(columns, Math.max)];
}

// The longest wait in what is outlined, as marked_value() in ../model.c takes it: of a row or a column at most three times
// its mean. 0 = nothing is outlined.
function longestOf(marked, cells) {
  let longest = 0;
  const line = (at) => {
    let most = 0, sum = 0, count = 0;
    for (let other = 0; other < cells.ranks; other++) {
      const [value] = at(other);
      if (!(value > 0)) continue;
      most = Math.max(most, value);
      sum += value;
      count++;
    }
    if (count) longest = Math.max(longest, Math.min(most, 3 * sum / count));
  };
  for (const { columns, rows, points } of marked) {
    for (const column of columns.slice(0, 64)) line((row) => cells.at(row, column));
    for (const row of rows.slice(0, 64)) line((column) => cells.at(row, column));
    for (const [row, column] of points) longest = Math.max(longest, cells.at(row, column)[0] || 0);
  }
  return longest;
}

// Marks that a window came with, where nobody judged it.
function marksAsCells(marks) {
  const cells = { columns: [], rows: [], points: [], ranks: [] };
  for (const [kind, row, column] of marks || []) {
    if (kind === 0) cells.columns.push(column);
    else if (kind === 1) cells.rows.push(row);
    else cells.points.push([row, column]);
  }
  return cells;
}
