// SPDX-License-Identifier: Apache-2.0
// From waits to colours. The rule is that of src/render/scale.c, the colours those of palette.c.

const STOPS = [0xb4f7ba, 0xb5f4a8, 0xbaf192, 0xc2ec7a, 0xd4e05e, 0xe4d343, 0xefbf24, 0xf3a708, 0xf38d02, 0xed6600,
  0xdd3e15, 0xb6271b, 0x90101a];
const channel = (rgb, i) => (rgb >> (16 - 8 * i)) & 0xff;

function colourAt(position) {
  const at = Math.min(1, Math.max(0, position)) * (STOPS.length - 1);
  const below = Math.min(STOPS.length - 2, Math.floor(at));
  let rgb = 0;
  for (let i = 0; i < 3; i++) {
    const from = channel(STOPS[below], i);
    rgb = (rgb << 8) | Math.round(from + (at - below) * (channel(STOPS[below + 1], i) - from));
  }
  return rgb;
}
const cssOf = (rgb) => "#" + rgb.toString(16).padStart(6, "0");

function isDark(rgb) {
  let light = 0;
  [0.2126, 0.7152, 0.0722].forEach((weight, i) => {
    const c = channel(rgb, i) / 255;
    light += weight * (c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4));
  });
  return light <= 0.1791;
}

const oneFloat = new Float32Array(1), itsBits = new Uint32Array(oneFloat.buffer);
function binOf(value) {
  oneFloat[0] = value;
  return itsBits[0] >>> 18;
}

// Counts values by the upper bits of their float: quantiles in one pass over any number of windows.
class Survey {
  constructor() {
    this.bins = new Float64Array(8192);
    this.cells = this.positive = this.largest = 0;
  }

  take(cells) {
    const { side, codes } = cells.levels[0], own = cells.block === 1 ? side + 1 : 0;
    if (cells.table) this.takeBytes(codes, cells.table, own);
    else for (let i = 0; i < codes.length; i++) this.takeValue(codes[i], 1, own && i % own === 0 ? 1 : 0);
    this.takeWhole(cells);
  }

  // Bytes are counted first: every `own`th is a rank's wait for itself; 0 = there are none.
  takeBytes(codes, table, own) {
    const counts = new Uint32Array(256), selves = new Uint32Array(256);
    for (let i = 0; i < codes.length; i++) counts[codes[i]]++;
    for (let i = 0; own && i < codes.length; i += own) selves[codes[i]]++;
    for (let code = 1; code < 256; code++) if (counts[code]) this.takeValue(table[code], counts[code], selves[code]);
  }

  // A value that is there `count` times, `selves` of them on the diagonal, which says nothing of the others.
  takeValue(value, count, selves) {
    if (value !== value || value === Infinity) return;
    if (value > this.largest) this.largest = value;
    this.cells += count - selves;
    if (!(value > 0)) return;
    this.positive += count - selves;
    this.bins[binOf(value)] += count - selves;
  }

  // Rows and columns that are there whole count like blocks.
  takeWhole(cells) {
    for (const list of [...cells.rows.values(), ...cells.columns.values()]) {
      for (const value of list) if (value > 0) this.takeValue(value, 1, 0);
    }
  }

  nth(rank) {
    let below = 0;
    for (let bin = 0; bin < this.bins.length; bin++) {
      below += this.bins[bin];
      if (below > rank) return new Float32Array(new Uint32Array([bin << 18]).buffer)[0];
    }
    return this.largest;
  }

  scale(measure) {
    const leastHigh = measure === 0 ? 10e3 : measure === 2 ? 20e3 : 0;
    if (this.positive === 0) {
      const high = Math.max(leastHigh, measure < 2 ? 1e5 : 100);
      return new Scale(high / 100, high, measure);
    }
    const quarter = Math.floor(this.cells / 4), zeros = this.cells - this.positive;
    const ordinary = quarter < zeros ? 0 : this.nth(quarter - zeros);
    const some = this.nth(Math.floor(this.positive / 4));
    const high = Math.max(Math.min(this.largest, 1e4 * some), 30 * ordinary, leastHigh);
    let low = ordinary > 0 ? ordinary : this.nth(Math.floor(this.positive / 20));
    low = Math.max(low, high / 1e4, leastHigh / 30);
    return new Scale(Math.min(low, high / 30), high, measure);
  }
}

class Scale {
  constructor(low, high, measure) {
    Object.assign(this, { low, high, measure });
    this.range = Math.log(high / low);
  }

  // What is named is to stand out: the same scale, ending near the longest of it. What everybody waits stays green.
  endingNear(longest) {
    if (!(longest > 0) || longest >= this.high) return this;
    return new Scale(this.low, Math.min(this.high, Math.max(longest, 3 * this.low)), this.measure);
  }

  position(value) {
    if (!(value > this.low)) return 0;
    return value >= this.high ? 1 : Math.log(value / this.low) / this.range;
  }

  css(value) { return cssOf(colourAt(this.position(value))); }

  // A colour for each value of the upper 16 bits of a float, as ImageData has them.
  table() {
    if (this.made) return this.made;
    this.made = new Uint32Array(32768);
    const bits = new Uint32Array(1), value = new Float32Array(bits.buffer);
    for (let i = 0; i < this.made.length; i++) {
      bits[0] = (i << 16) | 0x8000;
      this.made[i] = this.pixel(value[0]);
    }
    return this.made;
  }

  // A colour for each byte.
  tableOf(meaning) { return Uint32Array.from(meaning, (value) => this.pixel(value)); }

  pixel(value) {
    if (value !== value) return 0; // not observed: nothing is drawn
    const rgb = colourAt(this.position(value));
    return (255 << 24 | channel(rgb, 2) << 16 | channel(rgb, 1) << 8 | channel(rgb, 0)) >>> 0;
  }

  ticks() {
    const unit = this.measure < 2 ? 1000 : 1, ticks = [];
    const decades = Math.log10(this.high / this.low);
    for (let e = Math.floor(Math.log10(this.low / unit)); e <= Math.log10(this.high / unit) + 1; e++) {
      for (const step of decades < 3.5 ? [1, 2, 5] : [1]) {
        const tick = step * Math.pow(10, e) * unit;
        if (tick >= this.low * 0.999 && tick <= this.high * 1.001) ticks.push(tick);
      }
    }
    return ticks;
  }
}

// An image of codes, one pixel each; without a table they are values themselves.
function imageOf(codes, width, height, scale, table) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer), colours = table ? scale.tableOf(table) : scale.table();
  if (table) for (let i = 0; i < codes.length; i++) pixels[i] = colours[codes[i]];
  else {
    const bits = new Uint32Array(codes.buffer, codes.byteOffset, codes.length);
    for (let i = 0; i < bits.length; i++) pixels[i] = colours[(bits[i] >>> 16) & 0x7fff];
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
