// Controls of the page: plain elements of HTML with labels, which every keyboard and
// screen reader knows.

let made = 0;

function labelled(text, control) {
  control.id ||= `control-${made++}`;
  const label = document.createElement("label");
  label.htmlFor = control.id;
  label.textContent = text;
  const group = document.createElement("div");
  group.className = "control";
  group.append(label, control);
  return group;
}

function option(value, text, chosen) {
  const element = document.createElement("option");
  Object.assign(element, { value, textContent: text, selected: value === chosen });
  return element;
}

// A menu of [value, text]; `change` takes the value chosen.
function menu(text, options, chosen, change, id) {
  const select = document.createElement("select");
  if (id) select.id = id;
  select.append(...options.map(([value, name]) => option(value, name, chosen)));
  select.addEventListener("change", () => change(select.value));
  return labelled(text, select);
}

// A slider over the positions of an axis, in ascending order, which says the value.
function slider(text, scale, chosen, change, id) {
  const input = document.createElement("input");
  const output = document.createElement("output");
  const { said: texts } = scale.coordinate;
  Object.assign(input, { type: "range", min: 0, max: texts.length - 1, step: 1, id });
  input.value = scale.order.indexOf(chosen);
  const say = () => {
    const value = texts[scale.order[input.value]];
    output.textContent = value;
    input.setAttribute("aria-valuetext", value);
  };
  say();
  input.addEventListener("input", () => {
    say();
    change(scale.order[input.value]);
  });
  const group = labelled(text, input);
  output.htmlFor = id;
  group.append(output);
  return group;
}

function button(text, press, id) {
  const element = document.createElement("button");
  Object.assign(element, { type: "button", textContent: text, id });
  element.addEventListener("click", press);
  return element;
}

// Menus above the map: what it shows, and over which axes.
function mapControls(models, state, change) {
  const take = (key) => (value) => {
    state[key] = value;
    state.settle();
    change();
  };
  const quantities = models.quantities().map((name) => [name, models.get(name).label]);
  const controls = [menu("show", quantities, state.show, take("show"), "show")];
  if (state.nFeatures()) {
    const features = range(state.nFeatures()).map((i) => [String(i), `feature ${i}`]);
    const all = [["mean", "mean over features"], ...features];
    controls.push(menu("of", all, state.feature, take("feature"), "feature"));
  }
  if (state.ways().length) controls.push(menu("seeds", state.ways(), state.of, take("of"), "of"));
  const names = [...state.coordinates].map(([name, { axis, scale }]) => {
    const long = scale.coordinate.long_name;
    return [name, name === axis ? long : `${long} (along ${axis})`];
  });
  if (names.length) {
    const others = names.filter(([name]) => state.axisOf(name) !== state.axisOf(state.x));
    controls.push(menu("x", names, state.x, take("x"), "x"));
    controls.push(menu("y", [["", "nothing"], ...others], state.y, take("y"), "y"));
  }
  return controls;
}

// Sliders and menus of the axes that the map does not show.
function axisControls(models, state, change) {
  const controls = [];
  for (const [name, axis] of models.axes) {
    if (state.mapAxes.includes(name) || name === "seed" || models.size(name) === 1) continue;
    const take = (i) => {
      state.at[name] = Number(i);
      change();
    };
    if (axis.values) {
      const scale = new Scale(axis);
      const order = scale.order.slice().sort((a, b) => axis.values[a] - axis.values[b]);
      Object.assign(scale, { order });
      controls.push(slider(axis.long_name, scale, state.at[name], take, `at-${name}`));
    } else {
      const options = axis.said.map((text, i) => [String(i), text]);
      controls.push(menu(axis.long_name, options, String(state.at[name]), take, `at-${name}`));
    }
  }
  return controls;
}

// The seeds of the cell, best first, as a menu; none where there is one, or on the map.
function seedControl(models, state, change) {
  if (!models.hasSeeds || models.heldSeeds === 1) return [];
  const loss = models.get("loss");
  const options = range(models.heldSeeds).map((seed) => {
    const at = { ...state.at, seed };
    const text = models.axes.get("seed").texts[models.seedPosition(at)];
    const value = models.wrong(at) || (loss && !loss.own.length ? `loss ${said(loss.one(at))}` : "");
    return [String(seed), value ? `${text}: ${value}` : text];
  });
  const take = (value) => {
    state.at.seed = Number(value);
    change();
  };
  return [menu("seed", options, String(state.at.seed), take, "at-seed")];
}
