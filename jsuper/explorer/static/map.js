// The map: one quantity over two axes, its legend, theory's lines, and the chosen cell.

const CATEGORIES = ["#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9", "#f0e442"];
const OTHER = "#8a8a8a"; // names for which no colour is left
const COUNTS = ["represented", "dedicated", "superposed"];

class PhaseMap {
  constructor(models, state, palettes) {
    Object.assign(this, { models, state, palettes, nothing: "#dddddd" });
  }

  // Scales along x and y, of a single cell where nothing lies along one.
  scales() {
    const none = { values: null, texts: [""], said: [""], scaled: false, long_name: "" };
    return [this.state.x, this.state.y].map(
      (name) => this.state.coordinates.get(name)?.scale ?? new Scale(none),
    );
  }

  // Which model, or models, a cell stands for: positions along all axes.
  at(i, j, others = this.state.at) {
    const [x, y] = this.state.mapAxes;
    const at = { ...others };
    if (x) at[x] = i;
    if (y) at[y] = j;
    if (x === "seed" || y === "seed") {
      at.seed = this.models.rankOf({ ...at, seed: 0 }, x === "seed" ? i : j);
    }
    return at;
  }

  // The quantity of a cell: a number, or the position of a name.
  value(at) {
    const { variable: v, of, feature } = this.state;
    if (!v.has("seed") || this.state.mapAxes.includes("seed") || of === "chosen") return v.one(at, feature);
    if (of === "best") return v.one({ ...at, seed: 0 }, feature);
    const values = [];
    for (let seed = 0; seed < this.models.heldSeeds; seed++) values.push(v.one({ ...at, seed }, feature));
    return { mean, spread, frequent: mostFrequent }[of](values);
  }

  // Values of all cells, row by row, with the positions of each.
  cells(others = this.state.at) {
    const [x, y] = this.scales();
    const found = [];
    for (const j of y.order) {
      for (const i of x.order) found.push({ i, j, value: this.value(this.at(i, j, others)) });
    }
    return found;
  }

  // Colours by number: those of all steps, so that they keep their meaning during play.
  colors(cells) {
    const { variable: v, of, show } = this.state;
    const spreads = of === "spread" && this.state.ways().length > 0;
    let values = cells.map((cell) => cell.value);
    if (v.has("step") && !this.state.mapAxes.includes("step")) {
      for (let step = 0; step < this.models.size("step"); step++) {
        values = values.concat(this.cells({ ...this.state.at, step }).map((cell) => cell.value));
      }
    }
    const [low, high] = limits(values);
    const { viridis, cividis, diverging } = this.palettes;
    if (high < low) return new Colors(viridis, 0, 1);
    if (spreads) return new Colors(cividis, 0, high || 1);
    if (COUNTS.includes(show)) {
      const features = this.models.get("norm")?.ownSize ?? high;
      return new Colors(viridis, 0, features);
    }
    if (low < 0) return new Colors(diverging, -Math.max(high, -low), Math.max(high, -low));
    const log = low > 0 && (high >= 100 * low || show === "loss") && high > low;
    return new Colors(viridis, low, high, log);
  }

  // A colour for each name, by how often it occurs, so that it stays the same.
  nameColors() {
    const v = this.state.variable;
    if (this.named?.name !== v.name) {
      const counts = new Array(v.names.length).fill(0);
      for (const k of v.values) counts[k]++;
      const order = counts.map((_, k) => k).filter((k) => v.names[k] !== "");
      order.sort((a, b) => counts[b] - counts[a]);
      const colors = new Map(order.map((k, rank) => [k, CATEGORIES[rank] ?? OTHER]));
      this.named = { name: v.name, colors, order };
    }
    return this.named;
  }

  said(cell) {
    const { variable: v } = this.state;
    const at = this.at(cell.i, cell.j);
    const seed = this.state.ways().length && this.state.of === "best" ? { ...at, seed: 0 } : at;
    const alone = !this.state.ways().length || ["best", "chosen"].includes(this.state.of);
    const wrong = alone ? this.models.wrong(seed) : "";
    if (v.isNames) return v.names[cell.value] || wrong || "no value";
    return Number.isNaN(cell.value) ? wrong || "no value" : said(cell.value);
  }

  draw(sources, figure) {
    const { variable: v } = this.state;
    const [x, y] = this.scales();
    const cells = this.cells();
    const colors = v.isNames ? null : this.colors(cells);
    const names = v.isNames ? this.nameColors() : null;
    const color = (value) =>
      names ? names.colors.get(value) ?? this.nothing : Number.isNaN(value) ? this.nothing : colors.of(value);
    const spans = cells.map(({ i, j }) => [...x.span(i), ...y.span(j)]);
    const texts = (scale, name) => (k) => (name ? `${name}: ${scale.coordinate.said[k]}` : "");
    const [xText, yText] = [texts(x, this.state.x), texts(y, this.state.y)];
    sources.cells.data = {
      left: spans.map((s) => s[0]),
      right: spans.map((s) => s[1]),
      bottom: spans.map((s) => s[2]),
      top: spans.map((s) => s[3]),
      color: cells.map((cell) => color(cell.value)),
      x: cells.map((cell) => xText(cell.i)),
      y: cells.map((cell) => yText(cell.j)),
      said: cells.map((cell) => this.said(cell)),
    };
    this.frame(figure, x, y);
    this.drawTheory(sources, x, y);
    this.drawChosen(sources);
    return { colors, names, cells };
  }

  frame(figure, x, y) {
    const shape = `${this.state.x} ${this.state.y}`;
    if (this.shape === shape) return; // keeps what the reader has zoomed into
    this.shape = shape;
    for (const [range, scale] of [[figure.x_range, x], [figure.y_range, y]]) {
      range.setv({ start: scale.low, end: scale.high, reset_start: scale.low, reset_end: scale.high });
    }
    const label = ({ coordinate: { long_name, units } }) => long_name + (units ? ` (${units})` : "");
    for (const [axis, scale] of [[figure.below[0], x], [figure.left[0], y]]) {
      setTicks(axis, scale.coordinate.long_name ? scale.ticks() : []);
      axis.axis_label = plain(label(scale));
      const crowded = scale.coordinate.said.some((text) => text.length > 8) && !scale.coordinate.scaled;
      axis.major_label_orientation = axis === figure.below[0] && crowded ? 0.7 : "horizontal";
    }
  }

  // The lines that lie over these two axes, and which they are.
  lines() {
    const { x, y, coordinates } = this.state;
    const axes = [x, y].filter((name) => coordinates.get(name)?.scale.coordinate.scaled);
    const { axes: all } = this.models;
    const isThere = ([axis, value]) => all.get(axis)?.texts[this.state.at[axis]] === value;
    return this.models.held.theory.filter(
      (line) => line.axes.every((axis) => axes.includes(axis)) && Object.entries(line.where).every(isThere),
    );
  }

  drawTheory(sources, x, y) {
    const dashes = [[], [7, 4], [2, 3], [9, 3, 2, 3]];
    const along = (line, name, scale, across) => {
      const k = line.axes.indexOf(name);
      if (k < 0) return across;
      const places = line.points[k].map((value) => scale.to(value));
      return places.length === 1 ? [places[0], places[0]] : places;
    };
    const lines = this.lines();
    const data = {
      xs: lines.map((line) => along(line, this.state.x, x, [x.low, x.high])),
      ys: lines.map((line) => along(line, this.state.y, y, [y.low, y.high])),
      dash: lines.map((_, k) => dashes[k % dashes.length]),
    };
    sources.theory.data = data;
    sources.rim.data = data;
  }

  drawChosen(sources) {
    const [x, y] = this.scales();
    const [i, j] = this.chosen();
    const [left, right] = x.span(i);
    const [bottom, top] = y.span(j);
    const data = { left: [left], right: [right], bottom: [bottom], top: [top] };
    sources.chosen_rim.data = data;
    sources.chosen.data = { ...data };
  }

  // Positions of the chosen cell along x and y.
  chosen() {
    return this.state.mapAxes.map((axis) => {
      if (!axis) return 0;
      return axis === "seed" ? this.models.seedPosition(this.state.at) : this.state.at[axis];
    });
  }

  // Chooses the cell at positions along x and y.
  choose(i, j) {
    Object.assign(this.state.at, this.at(i, j));
  }

  // The cell at a place of the figure, if there is one.
  find(placeX, placeY) {
    const [x, y] = this.scales();
    const found = [x.cell(placeX), y.cell(placeY)];
    return found.includes(-1) ? null : found;
  }

  step(byX, byY) {
    const [x, y] = this.scales();
    const [i, j] = this.chosen();
    this.choose(x.next(i, byX), y.next(j, byY));
  }
}
