// The legend below the map: colours with numbers or names, theory's lines, what is missing.

const DASHES = ["solid", "dashed", "dotted", "dashed"];

function legend(element, { map, state, drawn }) {
  const { colors, names, cells } = drawn;
  const title = cell("div", legendTitle(state));
  title.className = "legend-title";
  const body = colors ? [ramp(colors)] : [swatches(map, names, cells)];
  const missing = colors && cells.some((c) => Number.isNaN(c.value));
  if (missing) body.push(items([[swatch(map.nothing), "no value"]]));
  const lines = map.lines().map((line, k) => {
    const sample = document.createElement("span");
    sample.className = `line ${DASHES[k % DASHES.length]}`;
    return [sample, line.name];
  });
  if (lines.length) body.push(items(lines, "theory"));
  element.replaceChildren(title, ...body);
}

function legendTitle(state) {
  const { variable: v, feature, of } = state;
  const way = state.ways().find(([key]) => key === of);
  const which = v.own.length ? (feature === "mean" ? ", mean over features" : `, feature ${feature}`) : "";
  return `${v.label}${which}${way ? `: ${way[1]}` : ""}`;
}

function ramp(colors) {
  const { palette } = colors;
  const bar = document.createElement("div");
  bar.className = "ramp";
  bar.style.backgroundImage = gradient(palette);
  const scale = document.createElement("div");
  scale.className = "ramp-ticks";
  for (const [value, text] of colors.ticks()) {
    const tick = cell("span", text);
    tick.style.left = `${100 * colors.share(value)}%`;
    scale.append(tick);
  }
  const box = document.createElement("div");
  box.className = "ramp-box";
  box.append(bar, scale);
  return box;
}

function gradient(palette) {
  const stops = range(17).map((k) => palette[Math.round((k / 16) * (palette.length - 1))]);
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

function swatch(color) {
  const element = document.createElement("span");
  element.className = "swatch";
  element.style.background = color;
  return element;
}

function swatches(map, names, cells) {
  const there = new Set(cells.map((c) => c.value));
  const { variable: v } = map.state;
  const shown = names.order.filter((k) => there.has(k));
  const own = shown.filter((k) => names.colors.get(k) !== OTHER);
  const found = own.map((k) => [swatch(names.colors.get(k)), v.names[k]]);
  const others = shown.length - own.length;
  if (others) found.push([swatch(OTHER), others === 1 ? v.names[shown.at(-1)] : `${others} other names`]);
  if (cells.some((c) => !v.names[c.value])) found.push([swatch(map.nothing), "no value"]);
  return items(found);
}

function items(pairs, title) {
  const list = document.createElement("ul");
  list.className = "legend-items";
  if (title) list.append(cell("li", `${title}:`));
  for (const [sample, text] of pairs) {
    const entry = document.createElement("li");
    entry.append(sample, text);
    list.append(entry);
  }
  return list;
}
