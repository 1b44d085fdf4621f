// A section through the map: the quantity of every single model along x.

const MAX_DOTS = 4000;

class Section {
  constructor(map) {
    Object.assign(this, { map, models: map.models, state: map.state });
  }

  // What lies upwards: the quantity, or the loss of what only has a name.
  get variable() {
    const { variable: v } = this.state;
    const loss = this.models.get("loss");
    return v.isNames ? (loss && !loss.own.length ? loss : null) : v;
  }

  // Seeds of each cell, the best ones where there are too many to draw at every click.
  nSeeds(rows) {
    const [x] = this.map.scales();
    const most = Math.floor(MAX_DOTS / (rows * x.order.length));
    return clip(most, 1, this.models.heldSeeds);
  }

  // Models of the chosen row: all its seeds; where the rows are seeds or minima, all rows.
  all(i) {
    const [, y] = this.map.scales();
    const [, j] = this.map.chosen();
    const [x, axis] = this.state.mapAxes;
    const rows = ["seed", "minimum", "rank"].includes(axis) ? y.order : [j];
    const single = !this.models.hasSeeds || axis === "seed" || x === "seed";
    const seeds = single ? [null] : range(this.nSeeds(rows.length));
    this.kept = seeds.length;
    return rows.flatMap((row) => {
      const at = this.map.at(i, row);
      return seeds.map((seed) => (seed === null ? at : { ...at, seed }));
    });
  }

  draw(sources, figure, drawn) {
    const v = this.variable;
    const empty = { x: [], y: [], color: [], said: [] };
    this.points = [];
    if (v && this.state.x) this.points = this.found(v, drawn);
    const values = this.points.map((point) => point.value);
    const [low, high] = limits(values);
    if (!this.points.length) {
      sources.dots.data = empty;
      return "";
    }
    const log = low > 0 && high >= 10 * low;
    const to = (value) => (log ? Math.log10(value) : value);
    const [x] = this.map.scales();
    for (const point of this.points) Object.assign(point, { x: x.places[point.i], y: to(point.value) });
    sources.dots.data = {
      x: this.points.map((point) => point.x),
      y: this.points.map((point) => point.y),
      color: this.points.map((point) => point.color),
      said: this.points.map((point) => point.said),
    };
    this.frame(figure, x, v, [to(low), to(high)], log);
    this.mark(sources);
    const own = this.points.filter((point) => this.isChosen(point.at));
    const value = own.length ? `, ${said(own[0].value)} at the chosen model` : "";
    const span = `from ${said(low)} to ${said(high)}${value}`;
    return `${v.label} of ${this.points.length} models along ${this.state.x}, ${span}`;
  }

  found(v, { colors, names }) {
    const [x] = this.map.scales();
    const named = this.state.variable;
    const feature = v === named ? this.state.feature : "mean";
    const points = [];
    for (const i of x.order) {
      for (const at of this.all(i)) {
        const value = v.one(at, feature);
        if (!Number.isFinite(value)) continue;
        const name = named.isNames ? named.one(at) : null;
        const color = names ? names.colors.get(name) ?? OTHER : colors.of(value);
        const what = names ? `${named.names[name] || "no name"}, ` : "";
        points.push({ i, at, value, color, said: `${coordinates(this.models, at)}: ${what}${said(value)}` });
      }
    }
    return points;
  }

  frame(figure, x, v, [low, high], log) {
    const room = 0.06 * (high - low) || 0.5;
    figure.x_range.setv({ start: x.low, end: x.high });
    figure.y_range.setv({ start: low - room, end: high + room });
    setTicks(figure.below[0], x.ticks());
    setTicks(figure.left[0], log ? logTicks(low - room, high + room) : linearTicks(low - room, high + room, 4));
    figure.below[0].axis_label = plain(x.coordinate.long_name);
    figure.left[0].axis_label = plain(v.long_name);
  }

  isChosen(at) {
    return Object.entries(at).every(([axis, i]) => this.state.at[axis] === i);
  }

  // A ring around the chosen model.
  mark(sources) {
    const own = this.points.filter((point) => this.isChosen(point.at));
    sources.ring.data = { x: own.map((point) => point.x), y: own.map((point) => point.y) };
  }

  // Chooses the model whose dot is nearest to a place of the figure.
  tapped(figure, placeX, placeY) {
    const width = figure.x_range.end - figure.x_range.start;
    const height = figure.y_range.end - figure.y_range.start;
    const distance = ({ x, y }) => Math.hypot(2 * (x - placeX) / width, (y - placeY) / height);
    const best = this.points.reduce((a, b) => (distance(a) <= distance(b) ? a : b), this.points[0]);
    if (best) Object.assign(this.state.at, best.at);
    return Boolean(best);
  }
}
