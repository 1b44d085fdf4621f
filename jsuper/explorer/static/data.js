// What the page holds: variables over named axes, decoded when they are first read.

const BYTES = {
  float32: (bytes) => new Float32Array(bytes.buffer),
  float64: (bytes) => new Float64Array(bytes.buffer),
  count: (bytes) => Float32Array.from(bytes, (k) => (k === 255 ? NaN : k)),
  count16: (bytes) => Float32Array.from(new Uint16Array(bytes.buffer), (k) => (k === 65535 ? NaN : k)),
  name: (bytes) => bytes,
  name16: (bytes) => new Uint16Array(bytes.buffer),
};

function decoded(variable) {
  const text = atob(variable.data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  if (variable.dtype === "log") {
    const { first, step } = variable;
    const exp = (k) => (k === 0 ? NaN : Math.exp(first + (k - 1) * step));
    return Float64Array.from(new Uint16Array(bytes.buffer), exp);
  }
  return BYTES[variable.dtype](bytes);
}

class Variable {
  constructor(name, held) {
    Object.assign(this, held, { name, isNames: held.dtype.startsWith("name") });
    this.strides = strides(held.shape);
    this.ownSize = held.shape.slice(held.axes.length).reduce((a, b) => a * b, 1);
  }

  get values() {
    if (!this.kept) {
      this.kept = decoded(this);
      this.data = null;
    }
    return this.kept;
  }

  has(axis) {
    return this.axes.includes(axis);
  }

  // Place of the first number of a model; `at` maps names of axes to positions.
  place(at) {
    let place = 0;
    this.axes.forEach((axis, i) => (place += at[axis] * this.strides[i]));
    return place;
  }

  // All numbers of a model, its own dimensions flattened.
  of(at) {
    const place = this.place(at);
    return this.values.subarray(place, place + this.ownSize);
  }

  // One number of a model: its only one, that of a feature, or the mean over features.
  one(at, feature) {
    const place = this.place(at);
    if (this.ownSize === 1 && !this.own.length) return this.values[place];
    if (feature !== "mean") return this.values[place + Number(feature)];
    return mean(this.values.subarray(place, place + this.ownSize));
  }

  name_of(at) {
    return this.names[this.values[this.place(at)]];
  }

  get label() {
    return this.long_name + (this.units ? ` (${this.units})` : "");
  }
}

function strides(shape) {
  const found = new Array(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    found[i] = stride;
    stride *= shape[i];
  }
  return found;
}

// Of the numbers that there are; NaN if there are none.
function mean(values) {
  let sum = 0;
  let n = 0;
  for (const value of values) {
    if (!Number.isNaN(value)) {
      sum += value;
      n++;
    }
  }
  return n ? sum / n : NaN;
}

function spread(values) {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}

function mostFrequent(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best = values[0];
  for (const [value, n] of counts) if (n > counts.get(best)) best = value;
  return best;
}

// Linear interpolation between sorted numbers, as NumPy's quantile.
function quantile(sorted, q) {
  if (!sorted.length) return NaN;
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

// Values as people read them, beside those that Python wrote.
function typeset(coordinate) {
  const { texts, values } = coordinate;
  const plain = (text) => text.replaceAll("-", "−").replace("inf", "∞");
  coordinate.said = values ? texts.map(plain) : texts;
}

class Models {
  constructor(held) {
    this.held = held;
    for (const axis of held.axes) [axis, ...axis.beside].forEach(typeset);
    this.axes = new Map(held.axes.map((axis) => [axis.name, axis]));
    const entries = Object.entries(held.variables).map(([name, v]) => [name, new Variable(name, v)]);
    this.variables = new Map(entries);
    this.curve = held.curve && new Variable("history", held.curve);
    this.weights = this.variables.get(held.weights);
    this.status = this.variables.get("status");
    this.order = this.variables.get("order");
    this.hasSeeds = this.axes.has("seed");
    this.heldSeeds = held.seeds.held;
  }

  get(name) {
    return this.variables.get(name);
  }

  size(axis) {
    return axis === "seed" ? this.heldSeeds : this.axes.get(axis).texts.length;
  }

  // The file's position of a seed, of which the page knows the rank.
  seedPosition(at) {
    return this.order.one(at);
  }

  // The rank of the seed at a position of the file; -1 if the page does not hold it.
  rankOf(at, position) {
    for (let rank = 0; rank < this.heldSeeds; rank++) {
      if (this.seedPosition({ ...at, seed: rank }) === position) return rank;
    }
    return -1;
  }

  // What is wrong with a model; empty if nothing is.
  wrong(at) {
    return this.status.name_of(at);
  }

  // Names of what a map can show: one number or name for each model or feature.
  quantities() {
    const shown = [];
    for (const [name, v] of this.variables) {
      const fits = !v.own.length || (v.own.length === 1 && v.own[0] === "feature" && !v.isNames);
      const varies = v.axes.length > 0 || this.axes.size === 0;
      const few = !v.isNames || v.names.length <= 256;
      if (fits && varies && few && name !== "order" && name !== "blocks") {
        if (name !== "status" || v.names.length > 1) shown.push(name);
      }
    }
    return shown;
  }
}
