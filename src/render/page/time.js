// SPDX-License-Identifier: Apache-2.0
// The ranks over time: a row is a rank, a column a window or several; a click picks one.

const STRIP = 12;

class TimeLine {
  constructor(canvas, on) {
    Object.assign(this, { canvas, on, image: null });
    canvas.addEventListener("pointermove", (e) => on.hover(this, this.at(e)));
    canvas.addEventListener("pointerleave", () => on.hover(this, null));
    canvas.addEventListener("click", (e) => { const at = this.at(e); if (at) on.pick(this.what.track.first[at[1]], this.what.track.last[at[1]]); });
    canvas.addEventListener("keydown", (e) => {
      if (e.key !== "Enter" || !this.what) return;
      on.pick(this.what.number, this.what.number);
      e.preventDefault();
    });
  }

  // run, operator, track, measure, number: of the window shown.
  show(what) {
    if (!this.what || this.what.track !== what.track) this.image = null;
    this.what = what;
    this.draw();
  }

  // [row, column, x, y] under the pointer.
  at(event) {
    const g = this.geometry;
    if (!g) return null;
    const box = this.canvas.getBoundingClientRect(), { track } = this.what;
    const column = Math.floor((event.clientX - box.left - g.left) / g.width * track.columns);
    const y = event.clientY - box.top;
    if (column < 0 || column >= track.columns || y < g.top - 14 || y >= g.bottom) return null;
    const strip = Math.floor((y - g.stripTop) / STRIP);
    const row = Math.min(track.ranks - 1, Math.max(0, Math.floor((y - g.top) / g.height * track.ranks)));
    return [strip >= 0 && track.rows > track.ranks ? Math.min(track.rows - 1, track.ranks + strip) : row, column, event.clientX, event.clientY];
  }

  // As many pixels as there is room for, each the latest of those in it.
  pooled(width, height) {
    const { track } = this.what;
    const columns = Math.min(track.columns, Math.max(1, Math.round(width))), rows = Math.min(track.ranks, Math.max(1, Math.round(height)));
    if (this.image && this.image.columns === columns && this.image.rows === rows) return this.image.canvas;
    const canvas = imageOf(track.pooled(columns, rows), columns, rows, trackScale(track, this.what.measure), track.table);
    this.image = { columns, rows, canvas };
    return this.image.canvas;
  }

  draw() {
    if (!this.what || !this.what.track) return;
    const { context: c, width: all, height } = begin(this.canvas);
    const { track } = this.what, left = 84, strips = STRIP * track.strips.length;
    const g = { left, top: 28, width: all - left - 10, height: Math.max(10, height - 28 - 18 - strips) };
    g.stripTop = g.top + g.height + (strips ? 2 : 0);
    g.bottom = g.top + g.height + strips;
    this.geometry = g;
    c.fillStyle = theme.silent;
    c.fillRect(g.left, g.top, g.width, g.height);
    c.drawImage(this.pooled(g.width, g.height), g.left, g.top, g.width, g.height);
    c.strokeStyle = theme.line;
    c.strokeRect(g.left - 0.5, g.top - 0.5, g.width + 1, g.height + 1);
    this.drawStrips(c, g);
    this.drawVerdicts(c, g);
    this.drawMarks(c, g);
    this.drawWords(c, g);
    this.drawNow(c, g);
  }

  x(column) { return this.geometry.left + column * this.geometry.width / this.what.track.columns; }

  // Slow paths have rows of their own, high enough to be seen.
  drawStrips(c, g) {
    const { track, measure } = this.what, scale = trackScale(track, measure);
    track.strips.forEach((name, i) => {
      c.drawImage(imageOf(track.waits[i], track.columns, 1, scale), g.left, g.stripTop + i * STRIP, g.width, STRIP - 2);
    });
  }

  // A bar above each column in which something was found.
  drawVerdicts(c, g) {
    const { track, windows } = this.what;
    const slow = track.slow ? track.slow : windows.filter((w) => verdictOf(w) === "slow").map((w) => track.columnOf(w.key));
    c.fillStyle = theme.slow;
    for (const column of slow) c.fillRect(this.x(column), g.top - 6, Math.max(1.5, g.width / track.columns - 0.5), 4);
  }

  drawMarks(c, g) {
    const { track } = this.what, row = g.height / track.ranks;
    c.strokeStyle = theme.mark;
    c.lineWidth = 1.5;
    for (const [rank, first, last] of track.marks) {
      const height = Math.max(4, row);
      c.strokeRect(this.x(first), g.top + rank * row - (height - row) / 2, Math.max(2, this.x(last + 1) - this.x(first)), height);
    }
    c.lineWidth = 1;
  }

  drawWords(c, g) {
    const { track } = this.what, row = g.height / track.ranks, used = [];
    const free = (y) => used.every((other) => Math.abs(other - y) >= 13) && used.push(y);
    c.textAlign = "right";
    c.fillStyle = theme.text;
    for (const [rank] of track.marks) {
      const y = g.top + (rank + 0.5) * row;
      if (free(y)) c.fillText("rank " + rank, g.left - 6, y);
    }
    track.strips.forEach((name, i) => {
      const y = g.stripTop + (i + 0.5) * STRIP - 1;
      if (free(y)) c.fillText(fitText(c, plain(name), g.left - 8), g.left - 6, y);
    });
    c.fillStyle = theme.muted;
    const step = niceStep(16 / row);
    for (let rank = 0; rank < track.ranks; rank += step) {
      const y = g.top + (rank + 0.5) * row;
      if (free(y)) c.fillText(rank, g.left - 6, y);
    }
    c.textAlign = "left";
    c.fillText(fitText(c, "ranks over time, how late in " + plain(this.what.operator.name), g.width + g.left / 2), g.left / 2, 7);
    const [from, to] = [this.timeOf(0, true), this.timeOf(track.columns - 1, true)];
    const long = c.measureText(from + to).width < g.width - 12;
    c.fillText(long ? from : this.timeOf(0, false), g.left, g.bottom + 10);
    c.textAlign = "right";
    c.fillText(long ? to : this.timeOf(track.columns - 1, false), g.left + g.width, g.bottom + 10);
  }

  timeOf(column, long) {
    const { track } = this.what, number = track.first[column], time = track.times[column] ? plain(track.times[column]) : "";
    return long ? "window " + number + (time ? ", " + time : "") : time || String(number);
  }

  // The window that the map shows.
  drawNow(c, g) {
    const { track, number } = this.what, column = track.columnOf(number);
    const width = Math.max(3, g.width / track.columns), x = this.x(column) + (g.width / track.columns - width) / 2;
    c.strokeStyle = theme.chosen;
    c.lineWidth = 2;
    c.strokeRect(x, g.top - 2, width, g.bottom - g.top + 4);
    c.fillStyle = theme.chosen;
    c.beginPath();
    c.moveTo(x + width / 2 - 5, g.top - 13);
    c.lineTo(x + width / 2 + 5, g.top - 13);
    c.lineTo(x + width / 2, g.top - 7);
    c.fill();
    c.lineWidth = 1;
  }

  // What a place says.
  words(at) {
    const { track, run, measure } = this.what, [row, column] = at, value = track.at(row, column);
    const several = track.last[column] > track.first[column];
    const when = (several ? "windows " + track.first[column] + " to " + track.last[column] : "window " + track.first[column]) +
      (track.times[column] ? ", " + plain(track.times[column]) : "");
    const way = plain(track.strips[row - track.ranks]), who = row < track.ranks ? rankName(run, row) : (/^\S+ → \S+$/.test(way) ? "path " : "link ") + way;
    if (value !== value) return [who, when, "sent nothing"];
    const late = value > 0 ? wait(value, measure) + per(measure) + (several ? " at most" : "") : "as the others";
    return [who, when, (row < track.ranks ? "late by " : "slower by ") + late].map((s) => s.replace("late by as", "comes as").replace("slower by as", "as fast as"));
  }
}

// Green is what is nobody's concern.
function trackScale(track, measure) {
  const high = Math.max(track.largest, 4 * track.ordinary, 1e-9);
  return new Scale(Math.min(Math.max(track.ordinary, high / 1e3), high / 4), high, measure);
}
