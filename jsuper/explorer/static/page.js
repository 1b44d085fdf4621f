// The page: what is chosen, drawn everywhere, from clicks, keys, menus and the address.

class Explorer {
  constructor(held, figures, sources) {
    this.models = new Models(held);
    this.state = new State(this.models);
    this.state.fromHash(this.hash());
    this.held = held;
    this.figures = figures;
    this.sources = sources;
    this.map = new PhaseMap(this.models, this.state, held.palettes);
    this.section = new Section(this.map);
    this.view = new ModelView(this.models, this.state, held.palettes, { figures, sources });
    this.listen();
    this.nameImportances();
    this.drawAll();
    this.color();
  }

  element(id) {
    return document.getElementById(id);
  }

  hash() {
    return window.location.hash;
  }

  listen() {
    window.addEventListener("hashchange", () => {
      if (this.hash().slice(1) === this.state.toHash()) return;
      this.state.fromHash(this.hash());
      this.drawAll();
    });
    this.element("map").addEventListener("keydown", (event) => this.pressed(event));
    this.element("embeddings").addEventListener("keydown", (event) => this.pressedTurn(event));
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.color());
    this.element("numbers-part").open = (this.models.weights?.ownSize ?? 0) <= 500;
    this.element("numbers-part").addEventListener("toggle", () => this.drawNumbers());
    this.element("copy").addEventListener("click", () => this.copy());
  }

  nameImportances() {
    const { low, high } = importanceColors(this.models, this.held.palettes.viridis);
    this.element("importance-key").hidden = !(low < high);
    this.element("importance-low").textContent = said(low, 3);
    this.element("importance-high").textContent = said(high, 3);
  }

  // Everything, after a change of what the map shows.
  drawAll() {
    const controls = mapControls(this.models, this.state, () => this.drawAll());
    this.element("map-controls").replaceChildren(...this.keepFocus("map-controls", controls));
    this.drawAxes();
    this.drawMap();
    this.drawModel();
    this.restoreFocus();
  }

  // The map and the model, after a change of an axis that the map does not show.
  drawSlice() {
    this.drawMap();
    this.drawModel();
  }

  keepFocus(id, controls) {
    if (this.element(id).contains(document.activeElement)) this.focused = document.activeElement.id;
    return controls;
  }

  restoreFocus() {
    if (this.focused) this.element(this.focused)?.focus();
    this.focused = null;
  }

  drawAxes() {
    this.stop();
    const controls = axisControls(this.models, this.state, () => this.drawSlice());
    this.element("axis-controls").replaceChildren(...this.keepFocus("axis-controls", controls));
    const steps = this.element("at-step");
    if (steps) steps.parentElement.append(button("Play", () => this.play(), "play"));
  }

  drawMap() {
    if (!this.state.variable) {
      this.element("map-part").hidden = true;
      return;
    }
    const drawn = this.map.draw(this.sources, this.figures.map);
    this.drawn = drawn;
    legend(this.element("legend"), { map: this.map, state: this.state, drawn });
    const names = [this.state.x, this.state.y].filter(Boolean).map((name) => name.replaceAll("_", " "));
    const over = names.length ? ` over ${names.join(" and ")}` : "";
    const label = `Map of ${legendTitle(this.state)}${over}. Arrow keys choose a cell.`;
    this.element("map").setAttribute("aria-label", label);
  }

  drawModel() {
    const { at } = this.state;
    const began = performance.now();
    this.map.drawChosen(this.sources);
    const wrong = this.models.wrong(at);
    const told = this.view.draw(at);
    for (const [name, text] of Object.entries(told)) this.tell(name, text);
    this.element("model-title").textContent = coordinates(this.models, at);
    this.element("shared-key").hidden = !told.superposition;
    this.element("model-said").textContent = this.summary(at, wrong);
    if (this.state.variable) {
      this.sayCell();
      this.drawSection();
    }
    this.drawSeeds();
    this.drawTurn();
    this.element("python").textContent = pythonLine(this.models, at, this.held.source);
    this.drawNumbers();
    if (this.view.words) this.element("embeddings-words").textContent = `, ${this.view.words}`;
    this.remember();
    this.answered = performance.now() - began;
  }

  // Large tables are made when they are asked for.
  drawNumbers() {
    const details = this.element("numbers-part");
    if (details.open) this.element("tables").replaceChildren(...numberTables(this.models, this.state.at));
  }

  // Shows a figure with its text alternative, or hides it where there is nothing to show.
  tell(name, text) {
    this.element(`${name}-part`).hidden = !text;
    const role = name === "embeddings" && this.isTurnable() ? "application" : "img";
    this.element(name).setAttribute("role", role);
    this.element(name).setAttribute("aria-label", text);
  }

  summary(at, wrong) {
    if (wrong) return `This model has ${wrong === "diverged" ? "diverged" : `no numbers: ${wrong}`}.`;
    const blocks = this.models.get("blocks")?.name_of(at);
    const loss = this.models.get("loss");
    const parts = [];
    if (loss && !loss.own.length) parts.push(`${loss.label} ${said(loss.one(at))}`);
    if (blocks !== undefined) parts.push(blocks ? `polytopes: ${blocks}` : "no feature is represented");
    return parts.join("; ");
  }

  sayCell() {
    const [i, j] = this.map.chosen();
    const value = this.map.said({ i, j, value: this.map.value(this.map.at(i, j)) });
    const texts = [this.state.x, this.state.y].map((name, k) => {
      const scale = this.state.coordinates.get(name)?.scale;
      return scale ? `${name.replaceAll("_", " ")} ${scale.coordinate.said[[i, j][k]]}` : "";
    });
    const where = texts.filter(Boolean).join(", ");
    this.element("map-said").textContent = `Chosen cell: ${where ? `${where}: ` : ""}${value}`;
  }

  drawSection() {
    this.tell("section", this.section.draw(this.sources, this.figures.section, this.drawn));
    const [, axis] = this.state.mapAxes;
    const rows = ["seed", "minimum", "rank"].includes(axis) ? "all rows" : axis && "the chosen row";
    const where = rows ? `, ${rows} of the map` : "";
    const some = this.section.kept > 1 && this.section.kept < this.models.heldSeeds;
    const which = some ? `The first ${this.section.kept} seeds of each cell` : "Every single model";
    this.element("section-words").textContent = `${which} along x${where}; click a dot to choose it`;
  }

  drawSeeds() {
    const change = () => this.drawModel();
    const controls = this.keepFocus("seed-controls", seedControl(this.models, this.state, change));
    this.element("seed-controls").replaceChildren(...controls);
    this.element("seeds-part").hidden = !controls.length;
    this.restoreFocus();
    if (!controls.length) return;
    const largest = (seed) => this.view.largest({ ...this.state.at, seed });
    const extent = 1.1 * Math.max(1.1, ...range(this.models.heldSeeds).map(largest));
    const given = { models: this.models, state: this.state, ramp: this.view.ramp(), extent };
    const more = seedPanels(this.element("seeds"), given, (seed) => {
      this.state.at.seed = seed;
      this.drawModel();
    });
    this.element("seeds-more").textContent = more > 0 ? `and ${more} more in the menu` : "";
  }

  isTurnable() {
    return this.view.dimensions === 3;
  }

  drawTurn() {
    const element = this.element("turn-controls");
    element.hidden = !this.isTurnable();
    if (element.hidden) return;
    const angles = [["turn around", 360, 0], ["tilt", 180, 1]];
    if (!element.children.length) {
      element.append(...angles.map(([text, full, k]) => {
        const values = range(full / 5 + 1).map((i) => 5 * i - full / 2);
        const texts = values.map((value) => `${said(value)}°`);
        const coordinate = { values, texts, said: texts, scaled: true };
        const change = (i) => {
          this.state.turn[k] = values[i];
          this.drawModel();
        };
        return slider(text, new Scale(coordinate), 0, change, `turn-${k}`);
      }));
    }
    angles.forEach(([, full, k]) => {
      const input = this.element(`turn-${k}`);
      input.value = Math.round((this.state.turn[k] + full / 2) / 5);
      const text = `${Math.round(this.state.turn[k])}°`;
      input.setAttribute("aria-valuetext", text);
      input.nextElementSibling.textContent = text;
    });
  }

  // A drag says how far it has come from where it began.
  turned(dx, dy, begins) {
    if (!this.isTurnable()) return;
    const [x, y] = begins ? [dx, dy] : this.dragged;
    this.dragged = [dx, dy];
    this.turnBy((x - dx) / 2, (dy - y) / 2);
  }

  turnBy(around, tilt) {
    const { turn } = this.state;
    turn[0] = ((turn[0] + around + 540) % 360) - 180;
    turn[1] = clip(turn[1] + tilt, -90, 90);
    this.drawModel();
  }

  tapped(x, y) {
    const found = this.map.find(x, y);
    if (found) this.choose(...found);
  }

  tappedSection(x, y) {
    if (this.section.tapped(this.figures.section, x, y)) this.drawModel();
  }

  choose(i, j) {
    this.map.choose(i, j);
    this.drawModel();
  }

  pressed(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const ends = { Home: [-Infinity, 0], End: [Infinity, 0], PageUp: [0, Infinity], PageDown: [0, -Infinity] };
    const step = steps[event.key] ?? ends[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.map.step(...step);
    this.drawModel();
  }

  pressedTurn(event) {
    const turns = { ArrowLeft: [-5, 0], ArrowRight: [5, 0], ArrowUp: [0, 5], ArrowDown: [0, -5] };
    if (!this.isTurnable() || !turns[event.key]) return;
    event.preventDefault();
    this.turnBy(...turns[event.key]);
  }

  play() {
    if (this.timer) {
      this.stop();
      return;
    }
    const input = this.element("at-step");
    if (Number(input.value) === Number(input.max)) input.value = -1;
    this.element("play").textContent = "Pause";
    this.timer = setInterval(() => {
      const next = Math.min(Number(input.value) + 1, Number(input.max));
      input.value = next;
      input.dispatchEvent(new Event("input"));
      if (next === Number(input.max)) this.stop();
    }, 150);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.element("play")) this.element("play").textContent = "Play";
  }

  // Puts what is chosen into the address, now and then: browsers stop pages that do so at
  // every key of many. Where a frame has no address of its own, it goes without.
  remember() {
    clearTimeout(this.pending);
    const wait = 300 - (performance.now() - (this.remembered ?? -Infinity));
    if (wait > 0) {
      this.pending = setTimeout(() => this.remember(), wait);
      return;
    }
    this.remembered = performance.now();
    try {
      window.history.replaceState(null, "", `#${this.state.toHash()}`);
    } catch {
      // a document within another, as in a notebook
    }
  }

  async copy() {
    const text = this.element("python").textContent;
    const said = this.element("copied");
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "copied";
    } catch {
      window.getSelection().selectAllChildren(this.element("python"));
      said.textContent = "selected: copy it with the keyboard";
    }
  }

  color() {
    theme(this);
    this.drawSlice();
  }
}

window.jsuperExplorer = {
  start(figures, sources) {
    const held = JSON.parse(document.getElementById("held").textContent);
    const explorer = new Explorer(held, figures, sources);
    Object.assign(this, {
      explorer,
      tapped: (x, y) => explorer.tapped(x, y),
      tappedSection: (x, y) => explorer.tappedSection(x, y),
      turned: (...drag) => explorer.turned(...drag),
    });
    document.documentElement.dataset.ready = "true";
  },
};
