// What is chosen, and the address that says so: a link points to a model.

class State {
  constructor(models) {
    this.models = models;
    this.coordinates = new Map();
    for (const axis of models.axes.values()) {
      // Some seeds are no axis: another cell holds others of them.
      if (axis.name === "seed" && models.heldSeeds < axis.texts.length) continue;
      for (const coordinate of [axis, ...axis.beside]) {
        this.coordinates.set(coordinate.name, { axis: axis.name, scale: new Scale(coordinate) });
      }
    }
    this.at = {};
    for (const name of models.axes.keys()) {
      const last = models.size(name) - 1;
      this.at[name] = name === "step" ? last : 0;
    }
    this.show = this.firstQuantity();
    this.feature = "mean";
    [this.x, this.y] = this.firstAxes();
    for (const axis of [this.axisOf(this.x), this.axisOf(this.y)]) {
      const isRanked = ["seed", "minimum", "rank"].includes(axis); // the first is the best
      if (axis && !isRanked) this.at[axis] = Math.floor(models.size(axis) / 2);
    }
    Object.assign(this.at, models.held.start); // where only some models are trained
    this.of = this.ways()[0]?.[0] ?? "one";
    this.turn = [30, 20];
  }

  firstQuantity() {
    const shown = this.models.quantities();
    const first = this.models.axes.has("minimum") ? ["geometry"] : [];
    return [...first, "superposed", "geometry", "loss"].find((name) => shown.includes(name)) ?? shown[0] ?? "";
  }

  firstAxes() {
    const long = [...this.models.axes.keys()].filter((name) => this.models.size(name) > 1);
    const isScaled = (name) => this.models.axes.get(name).scaled;
    const others = long.filter((name) => name !== "seed" && name !== "step");
    const grid = [...others.filter(isScaled), ...others.filter((name) => !isScaled(name))];
    if (grid.includes("minimum")) return [grid.find((name) => name !== "minimum") ?? "", "minimum"];
    if (grid.includes("importance") && grid.includes("density")) return ["importance", "density"];
    if (grid.includes("threshold") && grid.includes("density")) return ["density", "threshold"];
    if (grid.length >= 2) return grid.slice(0, 2);
    const rest = long.filter((name) => !grid.includes(name) && this.coordinates.has(name));
    return [...grid, ...rest.reverse(), "", ""].slice(0, 2);
  }

  // The axis along x or y of the map; empty if nothing lies along it.
  axisOf(name) {
    return this.coordinates.get(name)?.axis ?? "";
  }

  get mapAxes() {
    return [this.axisOf(this.x), this.axisOf(this.y)];
  }

  get variable() {
    return this.models.get(this.show);
  }

  // How one number comes from the seeds of a cell: key and words.
  ways() {
    const v = this.variable;
    if (!v || !v.has("seed") || this.mapAxes.includes("seed")) return [];
    const { held, all } = this.models.held.seeds;
    const which = held < all ? `the best ${held} of ${all} seeds` : `${held} seed${held > 1 ? "s" : ""}`;
    const last = this.models.axes.has("step") ? " at the last step" : "";
    const best = this.models.held.judged ? [["best", `seed of lowest loss${last}`]] : [];
    const rank = ["chosen", this.models.held.judged ? "seeds of the chosen rank, by loss" : "chosen seed"];
    if (v.isNames) return [...best, ["frequent", `most frequent of ${which}`], rank];
    return [...best, ["mean", `mean over ${which}`], ["spread", `standard deviation over ${which}`], rank];
  }

  // Brings what is chosen into line after a change of quantity or axes.
  settle() {
    const ways = this.ways().map(([way]) => way);
    if (ways.length && !ways.includes(this.of)) this.of = ways[0];
    if (!this.variable?.own.length) this.feature = "mean";
    if (this.y === this.x || this.axisOf(this.y) === this.axisOf(this.x)) this.y = "";
  }

  toHash() {
    const said = new URLSearchParams();
    for (const key of ["x", "y", "show", "of"]) said.set(key, this[key]);
    if (this.feature !== "mean") said.set("feature", this.feature);
    for (const [name, axis] of this.models.axes) {
      const i = name === "seed" ? this.models.seedPosition(this.at) : this.at[name];
      said.set(`at.${name}`, shortest(axis, i));
    }
    const turn = this.turn.map(Math.round).join(",");
    if (turn !== "30,20") said.set("turn", turn);
    return said.toString();
  }

  // Takes what an address says, as far as it names what there is.
  fromHash(hash) {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    const { models } = this;
    for (const key of ["x", "y"]) {
      const name = given.get(key);
      if (name === "" || this.coordinates.has(name)) this[key] = name;
    }
    if (models.quantities().includes(given.get("show"))) this.show = given.get("show");
    if (this.ways().some(([way]) => way === given.get("of"))) this.of = given.get("of");
    const feature = Number(given.get("feature") ?? NaN);
    if (Number.isInteger(feature) && feature >= 0 && feature < this.nFeatures()) {
      this.feature = String(feature);
    }
    const turn = (given.get("turn") ?? "").split(",").map(Number);
    if (turn.length === 2 && turn.every(Number.isFinite)) this.turn = turn;
    for (const [name, axis] of models.axes) {
      const text = given.get(`at.${name}`);
      const i = text === null ? -1 : position(axis, text);
      if (i >= 0 && name !== "seed") this.at[name] = i;
    }
    if (models.hasSeeds && given.has("at.seed")) {
      const i = position(models.axes.get("seed"), given.get("at.seed"));
      this.at.seed = Math.max(0, i < 0 ? 0 : models.rankOf(this.at, i));
    }
    this.settle();
  }

  nFeatures() {
    return this.variable?.own.length ? this.variable.ownSize : 0;
  }
}

// The shortest text that stands for a value of an axis alone.
function shortest(axis, i) {
  const { values, texts } = axis;
  const number = values ? Number(values[i]) : NaN;
  if (!Number.isFinite(number)) return texts[i];
  for (let digits = 3; digits <= 17; digits++) {
    const text = String(Number(number.toPrecision(digits)));
    if (position(axis, text) === i) return text;
  }
  return String(number);
}

// The position that a text stands for: the text of a value, or the nearest number.
function position(axis, text) {
  const same = axis.texts.indexOf(text);
  const number = Number(text);
  if (same >= 0 || !axis.values || text.trim() === "" || !Number.isFinite(number)) return same;
  let best = -1;
  axis.values.forEach((value, i) => {
    const finite = Number.isFinite(value);
    if (finite && (best < 0 || Math.abs(value - number) < Math.abs(axis.values[best] - number))) best = i;
  });
  return best;
}
