// All seeds of a cell as small panels, the best first.

const MAX_PANELS = 48;
const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

// A small picture of embeddings, 64 pixels wide.
function smallPanel(W, turn, extent, colors) {
  const panel = svg("svg", { viewBox: "-1 -1 2 2", width: 64, height: 64, "aria-hidden": "true" });
  if (!W) return panel;
  const { points, rows } = projected(W, turn);
  const high = rows ? Math.max(extent, points.length / 2 + 0.3) : extent;
  points.forEach(([x, y], i) => {
    const y1 = rows ? -y / high : 0;
    panel.append(
      svg("line", { x1: 0, y1, x2: x / extent, y2: -y / high, stroke: colors[i], "stroke-width": 0.07 }),
    );
  });
  return panel;
}

// Fills a list of buttons, one for each seed; `choose` takes the rank of the one pressed.
function seedPanels(list, { models, state, ramp, extent }, choose) {
  const at = state.at;
  const n = Math.min(models.heldSeeds, MAX_PANELS);
  const loss = models.get("loss");
  const colors = importanceColors(models, ramp);
  const buttons = range(n).map((seed) => {
    const own = { ...at, seed };
    const W = weightsOf(models, own);
    const wrong = models.wrong(own);
    const text = models.axes.get("seed").texts[models.seedPosition(own)];
    const value = wrong || (loss && !loss.own.length ? said(loss.one(own), 3) : "");
    const shades = importances(models, own, W?.length ?? 0).map((value) => colors.of(value));
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.seed = text;
    button.setAttribute("aria-pressed", String(seed === at.seed));
    const what = loss && !wrong ? `loss ${value}` : value;
    button.setAttribute("aria-label", `seed ${text}${what ? `, ${what}` : ""}`);
    button.append(smallPanel(W, state.turn, extent, shades), cell("span", `seed ${text}`), cell("span", value));
    button.addEventListener("click", () => choose(seed));
    return button;
  });
  // The focus stays where it was: panels are made anew.
  const focused = [...list.children].indexOf(document.activeElement);
  list.replaceChildren(...buttons);
  if (focused >= 0) buttons[focused]?.focus({ preventScroll: true });
  return models.heldSeeds - n;
}
