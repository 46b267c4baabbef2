// SPDX-License-Identifier: Apache-2.0
// What all drawings share: colours, a canvas as fine as the screen, texts that fit, the ranks in view.

const theme = {};
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["paper", "text", "muted", "rule", "line", "silent", "hatch", "mark", "on-mark", "chosen", "slow", "node"])
    theme[name.replace("-m", "M")] = style.getPropertyValue("--" + name).trim();
}

// Make the canvas as fine as the screen; its size in CSS pixels and the context to draw with.
function begin(canvas) {
  const box = canvas.parentElement.getBoundingClientRect(), dpr = window.devicePixelRatio || 1;
  const width = Math.max(40, Math.round(box.width)), height = Math.max(40, Math.round(box.height));
  if (canvas.width !== width * dpr || canvas.height !== height * dpr) {
    canvas.width = width * dpr;
    canvas.height = height * dpr;
  }
  const context = canvas.getContext("2d");
  context.setTransform(dpr, 0, 0, dpr, 0, 0);
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = false;
  context.font = "12px system-ui, 'DejaVu Sans', sans-serif";
  context.textBaseline = "middle";
  context.lineWidth = 1;
  return { context, width, height };
}

// A text that fits, its end cut.
function fitText(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let cut = text;
  while (cut.length > 1 && context.measureText(cut + "…").width > width) cut = cut.slice(0, -1);
  return cut + "…";
}

// The same with its begin cut: the ends of host names tell them apart.
function fitEnd(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let cut = text;
  while (cut.length > 1 && context.measureText("…" + cut).width > width) cut = cut.slice(1);
  return "…" + cut;
}

// What all maps show: the same square of ranks.
class View {
  constructor(ranks) { this.reset(ranks); }

  reset(ranks) { Object.assign(this, { ranks, x: 0, y: 0, n: ranks }); }

  get whole() { return this.n >= this.ranks; }

  set(x, y, n) {
    this.n = Math.min(this.ranks, Math.max(Math.min(2, this.ranks), n));
    this.x = Math.min(this.ranks - this.n, Math.max(0, x));
    this.y = Math.min(this.ranks - this.n, Math.max(0, y));
  }

  // Keep the point (column, row) where it is.
  zoom(factor, column, row) {
    const n = Math.min(this.ranks, Math.max(Math.min(2, this.ranks), this.n * factor)), f = n / this.n;
    this.set(column - (column - this.x) * f, row - (row - this.y) * f, n);
  }
}
