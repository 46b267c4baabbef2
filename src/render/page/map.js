// SPDX-License-Identifier: Apache-2.0
// A wait matrix on a canvas: rows wait, columns are awaited.

class HeatMap {
  constructor(canvas, on) {
    Object.assign(this, { canvas, on, images: new Map(), cursor: null, hover: null });
    canvas.addEventListener("pointermove", (e) => this.move(e));
    canvas.addEventListener("pointerleave", () => { this.hover = null; on.hover(this, null); this.draw(); });
    canvas.addEventListener("pointerdown", (e) => this.press(e));
    canvas.addEventListener("pointerup", (e) => this.release(e));
    canvas.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    canvas.addEventListener("dblclick", (e) => { const at = this.rankAt(e); if (at) on.zoom(1 / 4, at[1] + 0.5, at[0] + 0.5); });
    canvas.addEventListener("keydown", (e) => this.key(e));
  }

  // run, operator, window, cells, scale, view, chosen: cells of a finding or null.
  show(what) {
    if (this.what && (this.what.cells !== what.cells || this.what.scale !== what.scale)) this.images.clear();
    this.what = what;
    this.draw();
  }

  // ---- pointing ----

  rankAt(event) {
    const g = this.geometry;
    if (!g) return null;
    const box = this.canvas.getBoundingClientRect();
    const column = this.what.view.x + (event.clientX - box.left - g.left) / g.px;
    const row = this.what.view.y + (event.clientY - box.top - g.top) / g.px;
    const v = this.what.view;
    if (column < v.x || row < v.y || column >= v.x + v.n || row >= v.y + v.n) return null;
    const { marked, cells } = this.what, near = (at, ranks) => this.nearest(at, ranks);
    return [near(row, [...marked.flatMap((m) => [...m.rows, ...m.points.map((p) => p[0])]), ...keys(cells.rows)]),
      near(column, [...marked.flatMap((m) => [...m.columns, ...m.points.map((p) => p[1])]), ...keys(cells.columns)]),
      event.clientX, event.clientY];
  }

  // Who is named is drawn wider than a rank that is smaller than a pixel, and can be pointed at as wide.
  nearest(at, ranks) {
    const away = (rank) => Math.abs(rank + 0.5 - at) * this.geometry.px;
    const close = this.geometry.px < 3 ? ranks.filter((rank) => away(rank) <= 2) : [];
    return close.length ? close.reduce((best, rank) => (away(rank) < away(best) ? rank : best)) : Math.floor(at);
  }

  move(event) {
    if (this.drag) {
      const g = this.geometry, v = this.what.view;
      v.set(this.drag.x - (event.clientX - this.drag.px) / g.px, this.drag.y - (event.clientY - this.drag.py) / g.px, v.n);
      this.drag.moved = true;
      this.on.moved();
      return;
    }
    this.hover = this.rankAt(event);
    this.on.hover(this, this.hover);
    this.draw();
  }

  press(event) {
    if (!this.what) return;
    const v = this.what.view;
    this.drag = { px: event.clientX, py: event.clientY, x: v.x, y: v.y, moved: false };
    this.canvas.setPointerCapture(event.pointerId);
  }

  release(event) {
    const drag = this.drag;
    this.drag = null;
    if (drag && !drag.moved) {
      const at = this.rankAt(event);
      if (at) this.cursor = [at[0], at[1]];
      this.draw();
    }
  }

  wheel(event) {
    const at = this.rankAt(event);
    if (!at) return;
    event.preventDefault();
    this.on.zoom(Math.pow(1.0015, Math.max(-400, Math.min(400, event.deltaY))), at[1] + 0.5, at[0] + 0.5);
  }

  key(event) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const v = this.what && this.what.view;
    if (!v || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter" && this.cursor) {
      this.on.zoom(1 / 4, this.cursor[1] + 0.5, this.cursor[0] + 0.5);
    } else if (steps[event.key]) {
      const [dy, dx] = steps[event.key], step = event.shiftKey ? Math.max(1, Math.round(v.n / 8)) : 1;
      const from = this.cursor || [Math.floor(v.y), Math.floor(v.x)];
      const clamp = (rank) => Math.min(v.ranks - 1, Math.max(0, rank));
      this.cursor = this.cursor ? [clamp(from[0] + dy * step), clamp(from[1] + dx * step)] : from;
      const [row, column] = this.cursor;
      v.set(Math.min(column, Math.max(v.x, column + 1 - v.n)), Math.min(row, Math.max(v.y, row + 1 - v.n)), v.n);
      this.on.moved();
      this.on.cursor(this, this.cursor);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // ---- drawing ----

  draw() {
    if (!this.what) return;
    const { context, width, height } = begin(this.canvas);
    const { run, view, cells, missing, window: shown } = this.what;
    const left = leftOf(run), top = severalHosts(run) ? 46 : 30;
    const size = Math.max(30, Math.min(width - left - 10, height - top - 8));
    const px = size / view.n;
    this.geometry = { left, top, size, px };
    const g = { context, left, top, size, px, x: (column) => left + (column - view.x) * px, y: (row) => top + (row - view.y) * px };
    context.fillStyle = theme.silent;
    context.fillRect(left, top, size, size);
    context.save();
    context.beginPath();
    context.rect(left, top, size, size);
    context.clip();
    this.drawCells(g);
    this.hatch(g, shown.missing || missing || []);
    this.drawNodes(g);
    if (px >= 34 && cells.block === 1) this.drawFigures(g);
    this.drawMarks(g);
    context.restore();
    context.strokeStyle = theme.line;
    context.strokeRect(left - 0.5, top - 0.5, size + 1, size + 1);
    this.drawAxes(g);
  }

  drawCells(g) {
    const { cells, view, scale } = this.what;
    const level = cells.level(view.n / g.size), from = (rank) => rank / level.block, n = view.n / level.block;
    const { image, x, y } = this.imageFor(level, from(view.x), from(view.y), n);
    g.context.drawImage(image, from(view.x) - x, from(view.y) - y, n, n, g.left, g.top, g.size, g.size);
    if (cells.block > 1) this.drawWhole(g);
    if (g.px * level.block >= 7) this.grid(g, level.block);
  }

  // Of a large matrix only what is in view: it is never more than there are pixels.
  imageFor({ side, codes }, x, y, n) {
    const { scale, cells } = this.what, all = side <= 512;
    const [left, top] = all ? [0, 0] : [Math.floor(x), Math.floor(y)];
    const [width, height] = all ? [side, side] : [Math.min(side, Math.ceil(x + n)) - left, Math.min(side, Math.ceil(y + n)) - top];
    const name = [side, left, top, width, height].join();
    if (!all) for (const key of this.images.keys()) if (key !== name && key.startsWith(side + ",")) this.images.delete(key);
    if (!this.images.has(name)) {
      const part = all ? codes : new codes.constructor(width * height);
      for (let row = 0; !all && row < height; row++)
        part.set(codes.subarray((top + row) * side + left, (top + row) * side + left + width), row * width);
      this.images.set(name, imageOf(part, width, height, scale, cells.table));
    }
    return { image: this.images.get(name), x: left, y: top };
  }

  // Rows and columns that are there whole lie over the blocks, wide enough to be seen.
  drawWhole(g) {
    const { cells, view, scale } = this.what, wide = Math.max(g.px, Math.min(3, g.px * cells.block));
    for (const [lists, across] of [[cells.rows, true], [cells.columns, false]]) {
      for (const [rank, values] of lists) {
        const from = across ? view.x : view.y, at = (across ? g.y(rank + 0.5) : g.x(rank + 0.5)) - wide / 2;
        const pixels = pool(values, from, view.n, g.size), n = pixels.length;
        const image = across ? imageOf(pixels, n, 1, scale) : imageOf(pixels, 1, n, scale);
        const whole = view.n <= g.size, begin = whole ? (Math.floor(from) - from) * g.px : 0, size = whole ? n * g.px : g.size;
        if (across) g.context.drawImage(image, g.left + begin, at, size, wide);
        else g.context.drawImage(image, at, g.top + begin, wide, size);
      }
    }
  }

  grid(g, step) {
    const { view } = this.what;
    g.context.strokeStyle = theme.paper;
    g.context.globalAlpha = 0.55;
    g.context.beginPath();
    for (let rank = Math.ceil(view.x / step) * step; rank < view.x + view.n; rank += step) {
      g.context.moveTo(Math.round(g.x(rank)) + 0.5, g.top);
      g.context.lineTo(Math.round(g.x(rank)) + 0.5, g.top + g.size);
    }
    for (let rank = Math.ceil(view.y / step) * step; rank < view.y + view.n; rank += step) {
      g.context.moveTo(g.left, Math.round(g.y(rank)) + 0.5);
      g.context.lineTo(g.left + g.size, Math.round(g.y(rank)) + 0.5);
    }
    g.context.stroke();
    g.context.globalAlpha = 1;
  }

  hatch(g, missing) {
    for (const row of missing) {
      const y = g.y(row), height = Math.max(2, g.px);
      if (y + height < g.top || y > g.top + g.size) continue;
      g.context.save();
      g.context.beginPath();
      g.context.rect(g.left, y, g.size, height);
      g.context.clip();
      g.context.fillStyle = theme.silent;
      g.context.fillRect(g.left, y, g.size, height);
      g.context.strokeStyle = theme.hatch;
      g.context.beginPath();
      for (let x = g.left - height; x < g.left + g.size; x += 7) {
        g.context.moveTo(x, y + height);
        g.context.lineTo(x + height, y);
      }
      g.context.stroke();
      g.context.restore();
    }
  }

  drawFigures(g) {
    const { view, cells, scale, window: shown } = this.what;
    g.context.textAlign = "center";
    g.context.font = (g.px >= 44 ? 12 : 10) + "px system-ui, 'DejaVu Sans', sans-serif";
    for (let row = Math.floor(view.y); row < Math.min(view.ranks, view.y + view.n); row++) {
      for (let column = Math.floor(view.x); column < Math.min(view.ranks, view.x + view.n); column++) {
        const value = cells.at(row, column)[0];
        if (value !== value) continue;
        g.context.fillStyle = isDark(colourAt(scale.position(value))) ? "#ffffff" : "#14171a";
        g.context.fillText(short(value, shown.measure), g.x(column + 0.5), g.y(row + 0.5));
      }
    }
    g.context.font = "12px system-ui, 'DejaVu Sans', sans-serif";
  }

  // Lines where one node ends.
  drawNodes(g) {
    const { run, view } = this.what;
    const ends = nodeEnds(run);
    if (!ends.length || ends.length > 1 && g.px * (run.ranks / ends.length) < 5) return;
    g.context.strokeStyle = theme.node;
    g.context.beginPath();
    for (const rank of ends) {
      if (rank > view.x && rank < view.x + view.n) {
        g.context.moveTo(Math.round(g.x(rank)) + 0.5, g.top);
        g.context.lineTo(Math.round(g.x(rank)) + 0.5, g.top + g.size);
      }
      if (rank > view.y && rank < view.y + view.n) {
        g.context.moveTo(g.left, Math.round(g.y(rank)) + 0.5);
        g.context.lineTo(g.left + g.size, Math.round(g.y(rank)) + 0.5);
      }
    }
    g.context.stroke();
  }

  outline(g, cells, colour, width) {
    const c = g.context;
    c.strokeStyle = colour;
    c.lineWidth = width;
    const box = (column, row, columns, rows) => {
      // Around what is drawn, never over it.
      const more = Math.max(g.px, 4) - g.px + width, w = columns * g.px + more, h = rows * g.px + more;
      c.strokeRect(g.x(column) - more / 2, g.y(row) - more / 2, w, h);
    };
    const all = this.what.run.ranks;
    for (const [first, count] of stretches(cells.columns)) box(first, 0, count, all);
    for (const [first, count] of stretches(cells.rows)) box(0, first, all, count);
    for (const [row, column] of cells.points) box(column, row, 1, 1);
    if (cells.ranks.length)
      for (const [row, rows] of stretches(cells.ranks[0]))
        for (const [column, columns] of stretches(cells.ranks[1])) box(column, row, columns, rows);
    c.lineWidth = 1;
  }

  drawMarks(g) {
    const { marked, chosen } = this.what;
    for (const cells of marked) this.outline(g, cells, theme.mark, 1.5);
    if (chosen) this.outline(g, chosen, theme.chosen, 3);
    if (this.cursor) this.outline(g, { columns: [], rows: [], points: [this.cursor], ranks: [] }, theme.text, 2);
    if (!this.hover) return;
    g.context.globalAlpha = 0.5;
    g.context.strokeStyle = theme.text;
    const [row, column] = this.hover, b = this.what.cells.at(row, column)[1] ? 1 : this.what.cells.block;
    const at = (rank) => Math.floor(rank / b) * b;
    g.context.strokeRect(g.x(at(column)), g.top, Math.max(1, g.px * b), g.size);
    g.context.strokeRect(g.left, g.y(at(row)), g.size, Math.max(1, g.px * b));
    g.context.globalAlpha = 1;
  }

  // ---- axes ----

  drawAxes(g) {
    const { run, view, marked } = this.what, c = g.context;
    const wide = numberWidth(c, run), step = niceStep(28 / g.px), across = niceStep(Math.max(28, wide + 8) / g.px);
    c.fillStyle = theme.muted;
    const named = new Set(marked.flatMap((cells) => [...cells.columns, ...cells.points.map((p) => p[1]), ...(cells.ranks[1] || [])]));
    const namedRows = new Set(marked.flatMap((cells) => [...cells.rows, ...cells.points.map((p) => p[0]), ...(cells.ranks[0] || [])]));
    const explained = explainedOf(this.what.window), numbered = (axis, more) => new Set([...explained.flatMap((e) => e[axis] || []), ...more]);
    const columns = numbered("columns", named), rows = numbered("rows", namedRows);
    c.textAlign = "center";
    for (let rank = Math.ceil(view.x / across) * across; rank < view.x + view.n && rank < run.ranks; rank += across) {
      const x = g.x(rank + 0.5), fits = x + c.measureText(rank).width / 2 < g.left + g.size + 10;
      if (!near(columns, rank, Math.max(24, wide + 7) / g.px) && x < g.left + g.size && fits) c.fillText(rank, x, g.top - 9);
    }
    c.textAlign = "right";
    for (let rank = Math.ceil(view.y / step) * step; rank < view.y + view.n && rank < run.ranks; rank += step)
      if (!near(rows, rank, 13 / g.px) && g.y(rank + 0.5) < g.top + g.size) c.fillText(rank, g.left - 6, g.y(rank + 0.5));
    this.nameMarked(g, columns, rows, named, namedRows);
    c.fillStyle = theme.muted;
    c.textAlign = "left";
    const axis = "awaited rank →";
    c.fillText(axis, g.left, 8);
    c.textAlign = "right";
    const b = this.what.cells.block;
    const what = quantity(this.what.scale.measure);
    const key = b > 1 ? "longest of " + b + " × " + b + what.slice(what.lastIndexOf(" in ")) : what;
    c.fillText(fitText(c, key, g.size - c.measureText(axis).width - 8), g.left + g.size, 8);
    c.textAlign = "left";
    c.save();
    c.translate(8, g.top + g.size);
    c.rotate(-Math.PI / 2);
    c.fillText("waiting rank", 0, 0);
    c.restore();
    if (severalHosts(run)) this.drawHosts(g);
  }

  // Who is named has its number in front of the others', never by colour alone; who stands out for a reason that is only
  // told has its own number in a frame.
  nameMarked(g, columns, rows, named, namedRows) {
    const c = g.context, { run, view } = this.what, room = numberWidth(c, run) + 10;
    const label = (text, x, y, filled) => {
      const width = c.measureText(text).width + 8;
      if (x === null) x = g.left - 2 - width / 2;
      c.fillStyle = filled ? theme.mark : theme.paper;
      c.fillRect(x - width / 2, y - 8, width, 16);
      c.strokeStyle = filled ? theme.mark : theme.muted;
      c.strokeRect(x - width / 2 + 0.5, y - 7.5, width - 1, 15);
      c.fillStyle = filled ? theme.onMark : theme.text;
      c.textAlign = "center";
      c.fillText(text, x, y);
    };
    // Those that are named first: the others have what room is left. Neighbours too close for a number each, such as a
    // node, have the first and the last.
    for (const [all, filled] of [[columns, named], [rows, namedRows]]) {
      const across = all === columns, from = across ? view.x : view.y, taken = [];
      const place = (text, middle, length, mark) => {
        if (taken.some(([at, taking]) => Math.abs(at - middle) < (length + taking) / 2)) return;
        taken.push([middle, length]);
        label(text, across ? middle : null, across ? g.top - 9 : middle, mark);
      };
      for (const mark of [true, false]) {
        for (const [first, count] of stretches([...all].filter((rank) => filled.has(rank) === mark).sort((a, b) => a - b))) {
          const begin = Math.max(first, Math.floor(from)), end = Math.min(first + count, Math.ceil(from + view.n)), at = (rank) => (across ? g.x(rank) : g.y(rank));
          if (begin >= end) continue;
          const length = across ? room : 17, text = count > 1 ? first + "–" + (first + count - 1) : String(first);
          const each = !across ? [begin, end - 1] : g.px >= length ? Array.from({ length: end - begin }, (_, i) => begin + i) : [];
          if (across && !each.length) place(text, (at(begin) + at(end)) / 2, c.measureText(text).width + 10, mark);
          for (const rank of new Set(each)) place(String(rank), at(rank + 0.5), length, mark);
        }
      }
    }
  }

  drawHosts(g) {
    const { run, view } = this.what, c = g.context;
    const right = g.left - 12 - Math.max(24, numberWidth(c, run));
    c.fillStyle = theme.text;
    let lastX = -Infinity, lastY = -Infinity;
    for (const [first, count] of hostStretches(run)) {
      const name = shortHost(run, first);
      const from = Math.max(first, view.x), to = Math.min(first + count, view.x + view.n);
      if (to > from && (from + to) / 2 * g.px - lastX > 50) {
        c.textAlign = "center";
        const room = Math.max(46, (to - from) * g.px - 4);
        c.fillText(fitEnd(c, name, room), g.x((from + to) / 2), g.top - 26);
        lastX = (from + to) / 2 * g.px + Math.min(room, c.measureText(name).width) - 46;
      }
      const top = Math.max(first, view.y), end = Math.min(first + count, view.y + view.n);
      if (end > top && g.y((top + end) / 2) - lastY > 14) {
        c.textAlign = "right";
        c.fillText(fitEnd(c, name, right - 18), right, lastY = g.y((top + end) / 2));
      }
    }
  }
}

// Part of a list, in no more numbers than there are pixels: the longest of those that share one.
function pool(values, from, count, pixels) {
  if (count <= pixels) return values.subarray(Math.floor(from), Math.min(values.length, Math.ceil(from + count)));
  const made = new Float32Array(Math.round(pixels)).fill(NaN);
  for (let i = Math.floor(from); i < Math.min(values.length, from + count); i++) {
    const at = Math.min(made.length - 1, Math.max(0, Math.floor((i - from) / count * made.length)));
    if (!(made[at] >= values[i]) && values[i] === values[i]) made[at] = values[i];
  }
  return made;
}

const keys = (lists) => [...(lists || [])].map(([rank]) => rank);
const near = (set, rank, distance) => { for (const other of set) if (Math.abs(other - rank) < distance) return true; return false; };
const niceStep = (least) => { let step = 1; while (step < least) step *= 2; return step; };
