// Weights of one model: its own size, products, and how many dimensions become two.

// Rows of weights without the padding that models of several sizes have; null if diverged.
function weightsOf(models, at) {
  if (!models.weights || models.wrong(at)) return null;
  const [n, m] = models.weights.shape.slice(-2);
  const flat = models.weights.of(at);
  const isFeatureFirst = models.weights.own[0] === "feature";
  const entry = isFeatureFirst ? (i, j) => flat[i * m + j] : (i, j) => flat[j * n + i];
  const [features, hidden] = isFeatureFirst ? [n, m] : [m, n];
  const has = (i, j) => !Number.isNaN(entry(i, j));
  const rows = range(features).filter((i) => range(hidden).some((j) => has(i, j)));
  const columns = range(hidden).filter((j) => rows.some((i) => has(i, j)));
  return rows.length ? rows.map((i) => columns.map((j) => entry(i, j))) : null;
}

function range(n) {
  return Array.from({ length: n }, (_, i) => i);
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function gram(W) {
  return W.map((row) => W.map((other) => dot(row, other)));
}

// Points in the plane, and what became of the dimensions in words.
function projected(W, turn) {
  const m = W[0].length;
  if (m === 1) {
    const n = W.length;
    const rows = W.map((row, i) => [row[0], (n - 1) / 2 - i]);
    return { points: rows, words: "one dimension, along x; features are rows", rows: true };
  }
  if (m === 2) return { points: W, words: "two dimensions" };
  if (m === 3) {
    const [azimuth, elevation] = turn.map((degrees) => (degrees * Math.PI) / 180);
    const [ca, sa, ce, se] = [azimuth, azimuth, elevation, elevation].map((angle, k) =>
      k % 2 ? Math.sin(angle) : Math.cos(angle),
    );
    const across = [-sa, ca, 0];
    const up = [-ca * se, -sa * se, ce];
    const points = W.map((row) => [dot(row, across), dot(row, up)]);
    return { points, words: "three dimensions, seen from an angle that you can turn" };
  }
  const { axes, share } = principal(W, 2);
  const points = W.map((row) => axes.map((axis) => dot(row, axis)));
  const percent = said(100 * share, 3);
  const words = `projection of ${m} dimensions on their first two principal ones, ${percent}% of ‖W‖²`;
  return { points, words };
}

// The first k principal directions of the rows, without a mean taken off, by orthogonal
// iteration, and their share of the squares.
function principal(W, k) {
  const m = W[0].length;
  const axes = range(k).map((a) => range(m).map((j) => Math.cos(1 + a + j * (a + 1.7))));
  for (let round = 0; round < 200; round++) {
    axes.forEach((axis, a) => {
      const along = W.map((row) => dot(row, axis));
      for (let j = 0; j < m; j++) axis[j] = dot(along, W.map((row) => row[j]));
      for (const earlier of axes.slice(0, a)) {
        const overlap = dot(axis, earlier);
        for (let j = 0; j < m; j++) axis[j] -= overlap * earlier[j];
      }
      const norm = Math.sqrt(dot(axis, axis)) || 1;
      for (let j = 0; j < m; j++) axis[j] /= norm;
    });
  }
  const squares = (vectors) => vectors.reduce((sum, row) => sum + dot(row, row), 0);
  const kept = squares(W.map((row) => axes.map((axis) => dot(row, axis))));
  return { axes, share: kept / (squares(W) || 1) };
}

// Importance of each feature of a model; 1 where the file has none.
function importances(models, at, n) {
  const held = models.get(models.held.importance);
  return held ? Array.from(held.of(at)).slice(0, n) : new Array(n).fill(1);
}

// Colours of importances, from the lowest to the highest of all models.
function importanceColors(models, ramp) {
  const held = models.get(models.held.importance);
  models.importanceLimits ??= limits(held ? held.values : [1]);
  const [low, high] = models.importanceLimits;
  return new Colors(low < high ? ramp : ramp.slice(-1), low, high, low > 0 && high >= 10 * low);
}
