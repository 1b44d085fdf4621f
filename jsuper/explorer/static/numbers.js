// The chosen model in text: its coordinates, exact numbers, and the line of Python.

// Coordinates of a model, such as "density 0.1, threshold −0.25, seed 3".
function coordinates(models, at) {
  const parts = [];
  for (const [name, axis] of models.axes) {
    const i = name === "seed" ? models.seedPosition(at) : at[name];
    parts.push(`${name.replaceAll("_", " ")} ${axis.said[i]}`);
  }
  return parts.join(", ") || "the model";
}

// Selects the model from the file, by position, which no rounding can mistake.
function pythonLine(models, at, source) {
  const places = [];
  for (const name of models.axes.keys()) {
    const i = name === "seed" ? models.seedPosition(at) : at[name];
    places.push(/^[A-Za-z_]\w*$/.test(name) ? [`${name}=${i}`, name, i] : [null, name, i]);
  }
  if (!places.length) return source;
  if (places.every(([keyword]) => keyword)) return `${source}.isel(${places.map((p) => p[0]).join(", ")})`;
  return `${source}.isel({${places.map(([, name, i]) => `${JSON.stringify(name)}: ${i}`).join(", ")}})`;
}

function cell(tag, text, scope) {
  const element = document.createElement(tag);
  element.textContent = text;
  if (scope) element.scope = scope;
  return element;
}

function row(...cells) {
  const element = document.createElement("tr");
  element.append(...cells);
  return element;
}

// Tables of the numbers of a model: one for each model, and one for each feature.
function numberTables(models, at) {
  const own = document.createElement("table");
  own.id = "numbers";
  own.append(caption("Numbers of the model"));
  const columns = [];
  for (const [name, v] of models.variables) {
    if (name === "order") continue;
    const values = v.isNames ? [v.name_of(at)] : Array.from(v.of(at));
    const perFeature = v.own[0] === "feature" && v.own.length === 1 && !v.isNames;
    if (perFeature) columns.push([v.long_name, values, name]);
    else if (name === models.held.weights) columns.push(...weightColumns(v, values, name, models.wrong(at)));
    else if (!v.isNames || values[0]) {
      const data = cell("td", v.isNames ? values[0] : values.map(exact).join(", "));
      data.dataset.name = name;
      own.append(row(cell("th", v.label, "row"), data));
    }
  }
  return columns.length ? [own, featureTable(columns)] : [own];
}

// A column for each hidden dimension, without those that only larger models have.
function weightColumns(v, values, name, wrong) {
  const [n, m] = v.shape.slice(-2);
  const [features, hidden, entry] =
    v.own[0] === "feature" ? [n, m, (i, j) => values[i * m + j]] : [m, n, (i, j) => values[j * m + i]];
  const column = (j) => range(features).map((i) => entry(i, j));
  const columns = range(hidden).map((j) => [`${name}[·, ${j}]`, column(j), `${name}.${j}`]);
  return columns.filter(([, values]) => wrong || !values.every(Number.isNaN));
}

function featureTable(columns) {
  const table = document.createElement("table");
  table.id = "feature-numbers";
  table.append(caption("Numbers of each feature"));
  const head = document.createElement("thead");
  head.append(row(cell("th", "feature", "col"), ...columns.map(([label]) => cell("th", label, "col"))));
  const body = document.createElement("tbody");
  range(columns[0][1].length).forEach((i) => {
    const cells = columns.map(([, values, name]) => {
      const data = cell("td", exact(values[i]));
      data.dataset.name = name;
      return data;
    });
    body.append(row(cell("th", String(i), "row"), ...cells));
  });
  table.append(head, body);
  return table;
}

function caption(text) {
  return cell("caption", text);
}
