// The chosen model in figures: embeddings, W Wᵀ, bars, training curve, dimensionalities.

// At most some ten features are named along an axis.
function featureTicks(n) {
  const every = [1, 2, 5, 10, 20, 50, 100, 200].find((step) => n / step <= 12) ?? n;
  return range(n).filter((i) => i % every === 0).map((i) => [i, String(i)]);
}

// Rows of numbers as Bokeh's arrays.
function pixels(rows) {
  const { ndarray } = Bokeh.require("core/util/ndarray");
  const shape = [rows.length, rows[0].length];
  return ndarray(Float64Array.from(rows.flat()), { dtype: "float64", shape });
}

class ModelView {
  constructor(models, state, palettes, parts) {
    Object.assign(this, { models, state, palettes, ...parts }); // figures and sources
  }

  // Colours of a page that is light or dark: the end that would be lost is left out.
  ramp() {
    const { viridis } = this.palettes;
    const n = viridis.length;
    return this.dark ? viridis.slice(0.3 * n) : viridis.slice(0, 0.85 * n).reverse();
  }

  draw(at) {
    const W = weightsOf(this.models, at);
    this.dimensions = W ? W[0].length : 0;
    const told = { embeddings: this.drawEmbeddings(W, at), gram: this.drawGram(W, at) };
    for (const [name, variable] of [["norm", "norm"], ["superposition", "superposition"], ["bias", "b"]]) {
      told[name] = this.drawBars(name, variable, W, at);
    }
    told.curve = this.drawCurve(at);
    told.distribution = this.drawDistribution(W, at);
    return told;
  }

  drawEmbeddings(W, at) {
    const { arrows, arrow_names: names, guide } = this.sources;
    const figure = this.figures.embeddings;
    if (!W) {
      arrows.data = { x: [], y: [], zero_x: [], zero_y: [], color: [], angle: [], text: [], said: [] };
      names.data = { x: [], y: [], text: [] };
      guide.data = { xs: [], ys: [] };
      return "";
    }
    const { points, words, rows } = projected(W, this.state.turn);
    const importance = importances(this.models, at, W.length);
    const colors = importanceColors(this.models, this.ramp());
    const norms = W.map((row) => Math.hypot(...row));
    const zero = rows ? points.map((point) => [0, point[1]]) : points.map(() => [0, 0]);
    const extent = 1.18 * Math.max(1.1, this.largest(at));
    const high = rows ? Math.max(extent, points.length / 2 + 0.3) : extent;
    figure.x_range.setv({ start: -extent, end: extent });
    figure.y_range.setv({ start: -high, end: high });
    arrows.data = {
      x: points.map((p) => p[0]),
      y: points.map((p) => p[1]),
      zero_x: zero.map((p) => p[0]),
      zero_y: zero.map((p) => p[1]),
      color: importance.map((value) => colors.of(value)),
      angle: points.map((p, i) => Math.atan2(p[1] - zero[i][1], p[0] - zero[i][0]) - Math.PI / 2),
      text: points.map((_, i) => String(i)),
      said: norms.map((norm, i) => `feature ${i}: norm ${said(norm)}, importance ${said(importance[i])}`),
    };
    const away = (p, i) => {
      const [dx, dy] = [p[0] - zero[i][0], p[1] - zero[i][1]];
      const size = Math.hypot(dx, dy) || 1;
      return [p[0] + (0.09 * extent * dx) / size, p[1] + (rows ? 0 : (0.09 * extent * dy) / size)];
    };
    const long = (i) => rows || Math.hypot(...points[i]) > 0.15 * extent;
    const named = range(points.length).filter((i) => long(i) && points.length <= 30);
    const places = named.map((i) => away(points[i], i));
    names.data = { x: places.map((p) => p[0]), y: places.map((p) => p[1]), text: named.map(String) };
    const circle = range(73).map((k) => (k * Math.PI) / 36);
    guide.data = rows
      ? { xs: [[0, 0]], ys: [[-high, high]] }
      : { xs: [circle.map(Math.cos)], ys: [circle.map(Math.sin)] };
    const list = norms.slice(0, 20).map((norm, i) => {
      const angle = (Math.atan2(points[i][1], points[i][0]) * 180) / Math.PI;
      return `feature ${i} norm ${said(norm, 3)}${rows || norm < 0.01 ? "" : ` at ${Math.round(angle)}°`}`;
    });
    this.words = words;
    return `Embeddings of ${W.length} features, ${words}: ${list.join(", ")}`;
  }

  // The largest norm of the models that share the figure during play.
  largest(at) {
    const norm = this.models.get("norm");
    const steps = norm?.has("step") ? range(this.models.size("step")) : [at.step];
    const all = steps.flatMap((step) => Array.from(norm?.of({ ...at, step }) ?? [1]));
    return all.filter(Number.isFinite).reduce((a, b) => Math.max(a, b), 0);
  }

  drawGram(W, at) {
    const n = W ? W.length : 1;
    const products = W ? gram(W) : [];
    const bias = W && this.perFeature("b", at);
    const strip = 0.08 * n;
    const picture = (rows, x, width) => ({ image: [pixels(rows)], x: [x], width: [width], height: [n] });
    const nothing = { image: [], x: [], width: [], height: [] };
    this.sources.products.data = W ? picture(products, -0.5, n) : nothing;
    const column = bias?.slice(0, n).map((value) => [value]);
    this.sources.biases.data = bias ? picture(column, n - 0.5 + strip / 2, strip) : nothing;
    const { gram: figure } = this.figures;
    figure.x_range.setv({ start: -0.5, end: n - 0.5 + (bias ? 1.5 * strip : 0) });
    figure.y_range.setv({ start: n - 0.5, end: -0.5 });
    setTicks(figure.left[0], featureTicks(n));
    setTicks(figure.below[0], [...featureTicks(n), ...(bias ? [[n - 0.5 + strip, "b"]] : [])]);
    if (!W) return "";
    const pairs = products.flatMap((row, i) => row.slice(0, i).map((value, j) => [value, i, j]));
    pairs.sort((a, b) => Math.abs(b[0]) - Math.abs(a[0]));
    const top = pairs.slice(0, 4).map(([value, i, j]) => `features ${j} and ${i} ${said(value, 3)}`);
    return `W times its transpose; largest products of two features: ${top.join(", ") || "none"}`;
  }

  // Numbers of a variable that has one for each feature; null if there is none.
  perFeature(name, at) {
    const v = this.models.get(name);
    const fits = v && v.own.length === 1 && v.own[0] === "feature" && !v.isNames;
    return fits ? Array.from(v.of(at)) : null;
  }

  drawBars(name, variable, W, at) {
    const found = this.perFeature(variable, at);
    const values = (W && found?.slice(0, W.length)) || [];
    const shared = this.perFeature("superposition", at) ?? [];
    const colors = new Colors(this.ramp(), 0, 1);
    this.sources[`${name}_bars`].data = {
      x: values.map((_, i) => i),
      top: values,
      color: values.map((_, i) => (Number.isNaN(shared[i] ?? NaN) ? OTHER : colors.of(shared[i]))),
      said: values.map((value, i) => `feature ${i}: ${said(value)}`),
    };
    const there = values.filter(Number.isFinite);
    const low = Math.min(0, ...there);
    const high = Math.max(name === "bias" ? 0 : 1, ...there) || (low < 0 ? 0 : 1);
    const room = 0.06 * (high - low);
    this.figures[name].x_range.setv({ start: -0.6, end: Math.max(values.length, 1) - 0.4 });
    setTicks(this.figures[name].below[0], featureTicks(values.length));
    this.figures[name].y_range.setv({ start: low < 0 ? low - room : 0, end: high + room });
    const list = values.slice(0, 30).map((value) => said(value, 3)).join(", ");
    return list && `${name} of each feature: ${list}`;
  }

  drawCurve(at) {
    const { curve } = this.models;
    const { own_curve: own, median_curve: median, band } = this.sources;
    const at_ = (seed) => curve.of({ ...at, seed });
    const isFine = (seed) => !this.models.wrong({ ...at, seed });
    const curves = curve ? range(this.models.heldSeeds).filter(isFine).map(at_) : [];
    const steps = curve?.steps.map(Number) ?? [];
    const mine = curve ? at_(at.seed) : [];
    const logs = (values) => Array.from(values, (value) => Math.log10(value));
    const kept = range(steps.length).filter((k) => Number.isFinite(Math.log10(mine[k])));
    own.data = { x: kept.map((k) => steps[k]), y: logs(kept.map((k) => mine[k])) };
    const at_step = (k) => curves.map((c) => c[k]).filter((value) => value > 0);
    const sorted = range(steps.length).map((k) => at_step(k).sort((a, b) => a - b));
    const had = range(steps.length).filter((k) => sorted[k].length);
    const at_q = (q) => logs(had.map((k) => quantile(sorted[k], q)));
    const x = had.map((k) => steps[k]);
    const several = curves.length > 1;
    band.data = several ? { x, low: at_q(0.1), high: at_q(0.9) } : { x: [], low: [], high: [] };
    median.data = several ? { x, y: at_q(0.5) } : { x: [], y: [] };
    const all = [...own.data.y, ...band.data.low, ...band.data.high];
    if (!all.length) return "";
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const room = 0.05 * (high - low || 1);
    this.figures.curve.y_range.setv({ start: low - room, end: high + room });
    this.figures.curve.x_range.setv({ start: 0, end: 1.02 * Math.max(...steps) });
    setTicks(this.figures.curve.left[0], logTicks(low - room, high + room));
    if (!own.data.x.length) return "";
    const last = 10 ** own.data.y.at(-1);
    const from = `${said(10 ** own.data.y[0])} at step ${own.data.x[0]}`;
    return `Training loss from ${from} to ${said(last)} at step ${own.data.x.at(-1)}`;
  }

  // Over steps: how many features, over all seeds, have which dimensionality.
  drawDistribution(W, at) {
    const D = this.models.get("dimensionality");
    const { shares, paths, now } = this.sources;
    if (!D?.has("step")) return "";
    const axis = this.models.axes.get("step");
    const scale = new Scale({ ...axis, scaled: false }); // snapshots side by side
    const data = { left: [], right: [], bottom: [], top: [], alpha: [], said: [] };
    const bins = 20;
    for (const step of scale.order) {
      const counts = new Array(bins).fill(0);
      let total = 0;
      for (const seed of range(this.models.heldSeeds)) {
        for (const value of D.of({ ...at, seed, step })) {
          if (Number.isNaN(value)) continue;
          counts[Math.min(bins - 1, Math.floor(value * bins))]++;
          total++;
        }
      }
      const [left, right] = scale.span(step);
      counts.forEach((count, k) => {
        if (!count) return;
        data.left.push(left);
        data.right.push(right);
        data.bottom.push(k / bins);
        data.top.push((k + 1) / bins);
        data.alpha.push(0.08 + (0.72 * count) / total);
        const from = `${said(k / bins)} to ${said((k + 1) / bins)}`;
        data.said.push(`step ${axis.said[step]}: ${said((100 * count) / total, 3)}% of features from ${from}`);
      });
    }
    shares.data = data;
    const importance = importances(this.models, at, D.ownSize);
    const colors = importanceColors(this.models, this.ramp());
    const places = scale.order.map((step) => scale.places[step]);
    const path = (i) => scale.order.map((step) => D.of({ ...at, step })[i]);
    const features = range(D.ownSize);
    paths.data = {
      xs: features.map(() => places),
      ys: features.map(path),
      color: importance.map((value) => colors.of(value)),
    };
    const here = scale.places[at.step];
    now.data = { xs: [[here, here]], ys: [[0, 1.02]] };
    this.figures.distribution.x_range.setv({ start: scale.low, end: scale.high });
    this.figures.distribution.y_range.setv({ start: -0.02, end: 1.05 });
    setTicks(this.figures.distribution.below[0], scale.names(7));
    const own = Array.from(D.of(at)).filter(Number.isFinite).slice(0, 20);
    return `Dimensionalities at step ${axis.said[at.step]}: ${own.map((value) => said(value, 3)).join(", ")}`;
  }
}
