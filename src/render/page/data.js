"use strict";
// SPDX-License-Identifier: Apache-2.0
// From bytes to numbers: the parts of a page, the cells of a window, the ranks over time.

const $ = (id) => document.getElementById(id);

// Texts come from outside. Nothing here makes markup of them; what cannot be seen, or would turn
// the text around it, is shown as '?'.
const plain = (text) => String(text === null || text === undefined ? "" : text)
  // eslint-disable-next-line no-control-regex
  .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ufeff]/g, "?");

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

// The numbers of one coding: 0 = float32, 1 = a byte on a logarithmic scale.
function numbersOf(bytes, coding, low, steps) {
  if (coding === 0) return new Float32Array(bytes.slice().buffer);
  const table = new Float32Array(256);
  table[0] = NaN;
  for (let code = 2; code < 256; code++) table[code] = low * Math.pow(2, (code - 2) / steps);
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) values[i] = table[bytes[i]];
  return values;
}

// The cells of one window: `side` × `side` values, each of block × block ranks, and the rows and
// columns that are there whole.
class Cells {
  constructor(ranks, side, block, values) {
    Object.assign(this, { ranks, side, block, rows: new Map(), columns: new Map() });
    this.levels = [{ side, block, values: values.subarray(0, side * side) }];
  }

  static read(ranks, about, bytes) {
    const values = numbersOf(bytes, about.coding, about.low, about.steps);
    const cells = new Cells(ranks, about.side, about.block, values);
    let at = about.side * about.side;
    for (const [kept, list] of [[cells.rows, about.rows], [cells.columns, about.columns]]) {
      for (const rank of list) {
        kept.set(rank, values.subarray(at, at + ranks));
        at += ranks;
      }
    }
    return cells;
  }

  get values() { return this.levels[0].values; }

  // The wait of one rank for another: [value, exact]; else the longest of its block.
  at(row, column) {
    if (this.rows.has(row)) return [this.rows.get(row)[column], true];
    if (this.columns.has(column)) return [this.columns.get(column)[row], true];
    const b = this.block;
    return [this.values[Math.floor(row / b) * this.side + Math.floor(column / b)], b === 1];
  }

  // Cells twice as large, each the longest of four, until one of them is at least `ranks` wide.
  level(ranks) {
    let k = 0;
    while (this.levels[k].block < ranks && this.levels[k].side > 1) {
      k++;
      if (!this.levels[k]) this.levels[k] = Cells.halve(this.levels[k - 1]);
    }
    return this.levels[k];
  }

  static halve(from) {
    const side = Math.ceil(from.side / 2);
    const values = new Float32Array(side * side).fill(NaN);
    for (let row = 0; row < from.side; row++) {
      const to = (row >> 1) * side;
      for (let column = 0; column < from.side; column++) {
        const value = from.values[row * from.side + column];
        const at = to + (column >> 1);
        if (!(values[at] >= value) && value === value) values[at] = value;
      }
    }
    return { side, block: from.block * 2, values };
  }
}

// How late each rank was over a run: `rows` × `columns`.
class Track {
  constructor(about, ranks, values) {
    Object.assign(this, about);
    this.ranks = ranks;
    this.rows = ranks + this.strips.length;
    this.values = values;
    this.largest = 0;
    for (const value of values) if (value > this.largest) this.largest = value;
  }

  at(row, column) { return this.values[row * this.columns + column]; }

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
      about.track = new Track(about, run.ranks, numbersOf(bytes, 1, about.low, about.steps));
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
