// Positions, cell edges, ticks and colours.

function clip(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// The least and the greatest of the finite numbers; infinities where there are none.
function limits(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  return [low, high];
}

// A number as people read it, to some digits.
function said(value, digits = 4) {
  if (value === undefined || Number.isNaN(value)) return "none";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}

// A number to six digits as Python reads it.
function exact(value) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return String(Number(value.toPrecision(6)));
}

// Where the values of a coordinate lie along an axis of a figure.
class Scale {
  constructor(coordinate) {
    this.coordinate = coordinate;
    const { values, texts, scaled } = coordinate;
    const numbers = scaled ? values : null;
    const low = numbers && Math.min(...numbers);
    this.log = Boolean(numbers && low > 0 && Math.max(...numbers) >= 10 * low);
    this.places = texts.map((_, i) => (numbers ? this.to(numbers[i]) : i));
    this.order = texts.map((_, i) => i).sort((a, b) => this.places[a] - this.places[b]);
    this.edges = edges(this.order.map((i) => this.places[i]));
    this.low = this.edges[0];
    this.high = this.edges[this.edges.length - 1];
  }

  to(value) {
    return this.log ? Math.log10(value) : value;
  }

  // The position along the axis of the cell at a place of the figure; -1 outside.
  cell(place) {
    for (let k = 0; k < this.order.length; k++) {
      if (place >= this.edges[k] && place <= this.edges[k + 1]) return this.order[k];
    }
    return -1;
  }

  span(i) {
    const k = this.order.indexOf(i);
    return [this.edges[k], this.edges[k + 1]];
  }

  // The next position along the axis, in ascending order.
  next(i, by) {
    return this.order[clip(this.order.indexOf(i) + by, 0, this.order.length - 1)];
  }

  ticks() {
    if (!this.coordinate.scaled) return this.names(12);
    return this.log ? logTicks(this.low, this.high) : linearTicks(this.low, this.high);
  }

  // Some of the values that lie side by side.
  names(most) {
    const every = Math.ceil(this.order.length / most);
    return this.order.filter((_, k) => k % every === 0).map((i) => [i, this.coordinate.said[i]]);
  }
}

function edges(places) {
  if (places.length === 1) return [places[0] - 0.5, places[0] + 0.5];
  const middle = places.slice(1).map((place, i) => (place + places[i]) / 2);
  const last = places.length - 1;
  return [2 * places[0] - middle[0], ...middle, 2 * places[last] - middle[last - 1]];
}

function linearTicks(low, high, n = 6) {
  const rough = (high - low) / n;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= rough);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
    found.push([k * step, said(k * step)]);
  }
  return found;
}

// Ticks at logarithms: 1, 0.3, 0.1 and so on, more of them over few decades.
function logTicks(low, high) {
  const span = high - low;
  if (span < 0.3) {
    return linearTicks(10 ** low, 10 ** high, 3)
      .filter(([value]) => value > 0)
      .map(([value, text]) => [Math.log10(value), text]);
  }
  const between = span < 1 ? [1, 2, 3, 5, 7] : span <= 3 ? [1, 3] : [1];
  const every = Math.ceil(span / 7);
  const found = [];
  for (let decade = Math.floor(low); decade <= Math.ceil(high); decade += every) {
    for (const k of between) {
      const place = decade + Math.log10(k);
      if (place >= low - 1e-9 && place <= high + 1e-9) found.push([place, said(10 ** place, 3)]);
    }
  }
  return found;
}

// Text that Bokeh takes for no mathematics, for which it would ask a server.
function plain(text) {
  return text.replace(/\$\$|\\\(|\\\[/g, (mark) => `${mark[0]}\u200b${mark[1]}`);
}

function setTicks(axis, ticks) {
  const texts = ticks.map(([place, text]) => [place, plain(text)]);
  axis.formatter.args = new Map([["texts", texts]]);
  axis.ticker.ticks = ticks.map(([place]) => place);
}

// Numbers to colours: `palette` from `low` to `high`, evenly or in the logarithm.
class Colors {
  constructor(palette, low, high, log = false) {
    Object.assign(this, { palette, low, high, log });
  }

  share(value) {
    if (this.low === this.high) return 0.5;
    const to = this.log ? Math.log : (x) => x;
    return clip((to(value) - to(this.low)) / (to(this.high) - to(this.low)), 0, 1);
  }

  of(value) {
    return this.palette[Math.round(this.share(value) * (this.palette.length - 1))];
  }

  ticks() {
    if (this.low === this.high) return [[this.low, said(this.low)]];
    if (!this.log) return linearTicks(this.low, this.high, 5);
    const ticks = logTicks(Math.log10(this.low), Math.log10(this.high));
    return ticks.map(([place, text]) => [10 ** place, text]);
  }
}
