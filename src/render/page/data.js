"use strict";
// SPDX-License-Identifier: Apache-2.0
// From bytes to numbers: the parts of a page, the cells of a window, the ranks over time.

const $ = (id) => document.getElementById(id);

// Texts come from outside. Nothing here makes markup of them; what cannot be seen, or would turn
// the text around it, is shown as '?'.
const plain = (text) => String(text === null || text === undefined ? "" : text)
  // eslint-disable-next-line no-control-regex
  .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ufeff]/g, "?");

// Let the browser draw and hear of keys before more is done.
const breathe = () => new Promise((done) => setTimeout(done, 0));

async function inflate(bytes, coding) {
  if (coding === "plain") return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(coding));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function fromBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

const partBytes = (element) => inflate(fromBase64(element.textContent), element.dataset.coding);

// What a byte on a logarithmic scale stands for: 0 is not observed, 1 is zero. A larger byte is a longer wait.
function meaningOf(low, steps) {
  const table = new Float32Array(256);
  table[0] = NaN;
  for (let code = 2; code < 256; code++) table[code] = low * Math.pow(2, (code - 2) / steps);
  return table;
}

// Numbers as they came, and what they stand for: coding 0 = float32, which stands for itself; 1 = a byte.
const codesOf = (bytes, coding) => (coding === 0 ? new Float32Array(bytes.slice().buffer) : bytes);
const tableOf = (coding, low, steps) => (coding === 0 ? null : meaningOf(low, steps));
const numbersOf = (codes, table) => (table ? Float32Array.from(codes, (code) => table[code]) : codes);

// In both codings the larger is the longer; NaN, not observed, is less than all.
const longer = (a, b) => (a >= b || b !== b ? a : b);

// The cells of one window: `side` × `side` codes, each of block × block ranks, and the values of the rows and
// columns that are there whole. Bytes stay bytes: of 2048 ranks there are four million.
class Cells {
  constructor(ranks, side, block, codes, table) {
    Object.assign(this, { ranks, side, block, table, rows: new Map(), columns: new Map() });
    this.levels = [{ side, block, codes: codes.subarray(0, side * side) }];
  }

  static read(ranks, about, bytes) {
    const codes = codesOf(bytes, about.coding), table = tableOf(about.coding, about.low, about.steps);
    const cells = new Cells(ranks, about.side, about.block, codes, table);
    let at = about.side * about.side;
    for (const [kept, list] of [[cells.rows, about.rows], [cells.columns, about.columns]]) {
      for (const rank of list) {
        kept.set(rank, numbersOf(codes.subarray(at, at + ranks), table));
        at += ranks;
      }
    }
    return cells;
  }

  // The wait of one rank for another: [value, exact]; else the longest of its block.
  at(row, column) {
    if (this.rows.has(row)) return [this.rows.get(row)[column], true];
    if (this.columns.has(column)) return [this.columns.get(column)[row], true];
    const b = this.block, code = this.levels[0].codes[Math.floor(row / b) * this.side + Math.floor(column / b)];
    return [this.table ? this.table[code] : code, b === 1];
  }

  // Cells twice as large, each the longest of four, until one of them is at least `ranks` wide.
  level(ranks) {
    let k = 0;
    while (this.levels[k].block < ranks && this.levels[k].side > 1) {
      k++;
      if (this.levels[k]) continue;
      this.levels[k] = Cells.half(this.levels[k - 1]);
      Cells.fill(this.levels[k], this.levels[k - 1], 0, this.levels[k].side);
    }
    return this.levels[k];
  }

  // All large levels, with breaks, so that none has to be made while something is drawn.
  async prepare() {
    for (let k = 0; this.levels[k].side > 512; k++) {
      if (this.levels[k + 1]) continue;
      const next = Cells.half(this.levels[k]);
      for (let row = 0; row < next.side; row += 256) {
        await breathe();
        Cells.fill(next, this.levels[k], row, Math.min(next.side, row + 256));
      }
      this.levels[k + 1] = next;
    }
  }

  static half({ side: from, block, codes }) {
    const side = Math.ceil(from / 2);
    return { side, block: block * 2, codes: new codes.constructor(side * side) };
  }

  // Some rows of a level, of the one below it.
  static fill({ side, codes: to }, { side: from, codes }, begin, end) {
    for (let row = begin; row < end; row++) {
      const above = 2 * row * from, below = 2 * row + 1 < from ? above + from : above;
      for (let column = 0; column < side; column++) {
        const left = 2 * column, right = left + 1 < from ? left + 1 : left;
        to[row * side + column] = longer(longer(codes[above + left], codes[above + right]), longer(codes[below + left], codes[below + right]));
      }
    }
  }
}

// How late each rank was over a run: a byte for each of `ranks` × `columns`, those of a rank `stride` apart from those of
// the next; for each slow path, the waits of its columns.
class Track {
  constructor(about, ranks, { codes, table, stride, waits }) {
    Object.assign(this, about, { ranks, codes, table, waits });
    this.rows = ranks + this.strips.length;
    [this.rankStep, this.columnStep] = [stride, stride === 1 ? ranks : 1];
    this.counts = this.count();
    this.largest = Math.max(0, this.table[this.counts.findLastIndex((count, code) => count > 0 && code > 0)] || 0);
    for (const strip of waits) for (const wait of strip) if (wait > this.largest) this.largest = wait;
  }

  // How often each byte is there.
  count() {
    const counts = new Float64Array(256), all = this.ranks * this.columns, { codes } = this;
    for (let i = 0; i < all; i++) counts[codes[i]]++;
    return counts;
  }

  code(rank, column) { return this.codes[rank * this.rankStep + column * this.columnStep]; }

  at(row, column) {
    if (row >= this.ranks) return this.waits[row - this.ranks][column];
    return this.table[this.code(row, column)];
  }

  // As few as `columns` × `rows` codes of its ranks, each the latest of those in it.
  pooled(columns, rows) {
    const pooled = new Uint8Array(columns * rows), { codes, rankStep, columnStep } = this;
    const to = Array.from({ length: this.ranks }, (_, rank) => Math.floor(rank * rows / this.ranks) * columns);
    for (let column = 0; column < this.columns; column++) {
      const across = Math.floor(column * columns / this.columns);
      for (let rank = 0; rank < this.ranks; rank++) {
        const code = codes[rank * rankStep + column * columnStep], at = to[rank] + across;
        if (code > pooled[at]) pooled[at] = code;
      }
    }
    return pooled;
  }

  // The column that a window is in; of one that has none, the nearest.
  columnOf(number) {
    let k = 0;
    while (k + 1 < this.columns && this.last[k] < number) k++;
    return k;
  }
}

// Windows get a key that orders them and that operators share: their number, or their place where
// there is none or it does not grow.
function giveKeys(windows) {
  const numbered = windows.every((w, i) => w.window !== null && (i === 0 || w.window > windows[i - 1].window));
  for (const w of windows) w.key = numbered ? w.window : w.ordinal;
}

// What a file page carries.
class FileSource {
  constructor(about, parts) {
    this.parts = parts;
    this.loaded = new Map();
    this.about = about;
    this.runs = about.runs;
    for (const run of this.runs) for (const operator of run.operators) giveKeys(operator.windows);
  }

  static async open() {
    const about = JSON.parse(new TextDecoder().decode(await partBytes(document.querySelector("script.about"))));
    return new FileSource(about, document.querySelectorAll("script.part"));
  }

  async cells(run, operator, window) {
    if (!this.loaded.has(window.part)) {
      const bytes = await partBytes(this.parts[window.part]);
      this.loaded.set(window.part, Cells.read(run.ranks, window, bytes));
    }
    return this.loaded.get(window.part);
  }

  async track(run, operator) {
    const about = operator.timeline;
    if (!about) return null;
    if (!about.track) {
      const bytes = await partBytes(this.parts[about.part]);
      const table = meaningOf(about.low, about.steps), { columns } = about;
      const waits = about.strips.map((_, i) => numbersOf(bytes.subarray((run.ranks + i) * columns, (run.ranks + i + 1) * columns), table));
      about.track = new Track(about, run.ranks, { codes: bytes, table, stride: columns, waits });
    }
    return about.track;
  }

  // Colours mean the same in all windows of an operator.
  async survey(run, operator) {
    if (!operator.survey) {
      const survey = new Survey();
      for (const window of operator.windows) survey.take(await this.cells(run, operator, window));
      operator.survey = survey;
    }
    return operator.survey;
  }
}

// The recording that a page carries, as a file to save.
async function recordingBytes() {
  const pieces = [];
  for (const element of document.querySelectorAll("script.raw")) pieces.push(await partBytes(element));
  return new Blob(pieces, { type: "application/jsonl" });
}
