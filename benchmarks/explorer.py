"""Pages of the explorer: size, and seconds to make one, to open it and to answer a click.

The models are random, since none of this depends on what they have learned. Opening ends
when all figures are on the screen; a click ends with the second frame after the chosen
model's line of Python has changed. Needs the browser of `make browser`, which has no
network here. Prints a table and writes JSON.

    python benchmarks/explorer.py [--cells 20 40 60] [--clicks 20] [--json FILE]
"""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr
from playwright.sync_api import sync_playwright

import jsuper as js

SEEDS, FEATURES, HIDDEN, POINTS = 10, 3, 2, 100
BROWSERS = "chromium", "chromium-browser", "google-chrome"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

CELL = """(k) => {
    const { map, figures } = jsuperExplorer.explorer;
    const [x, y] = map.scales();
    const { frame, el } = Bokeh.index.find_one_by_id(figures.map.id);
    const box = el.getBoundingClientRect();
    const middle = (scale, i) => scale.span(i).reduce((a, b) => (a + b) / 2);
    const [i, j] = [k % x.order.length, (7 * k) % y.order.length];
    const line = () => document.getElementById("python").textContent;
    const before = line();
    window.answered = new Promise((done) => {
        let began;
        const begin = () => (began = performance.now());
        addEventListener("pointerup", begin, { once: true, capture: true });
        const watch = () => {
            if (line() === before) requestAnimationFrame(watch);
            else requestAnimationFrame(() => done((performance.now() - began) / 1e3));
        };
        watch();
    });
    return [
        box.left + frame.x_scale.compute(middle(x, i)),
        box.top + frame.y_scale.compute(middle(y, j)),
    ];
}"""


def made(n: int) -> xr.Dataset:
    """Random models over n densities, n importances and ten seeds."""
    rng = np.random.default_rng(0)
    dims, shape = ("density", "importance", "seed"), (n, n, SEEDS)
    loss = rng.uniform(0.01, 1, shape).astype(np.float32)
    falling = np.geomspace(10, 1, POINTS, dtype=np.float32)
    parts = {
        "W": ((*dims, "feature", "hidden"), rng.normal(size=(*shape, FEATURES, HIDDEN))),
        "b": ((*dims, "feature"), rng.normal(size=(*shape, FEATURES))),
        "loss": (dims, loss),
        "history": ((*dims, "step"), loss[..., None] * falling),
    }
    coords = {
        "density": np.geomspace(0.01, 1, n),
        "importance": np.geomspace(0.1, 10, n),
        "seed": range(SEEDS),
        "step": np.arange(1, POINTS + 1) * 100,
    }
    ds = xr.Dataset(parts, coords).astype(np.float32)
    return ds.assign_coords(coords).assign(finite=(dims, np.ones(shape, bool)))


def measured(browser, n: int, clicks: int, folder: Path) -> dict:
    """Makes a page, opens it and clicks on cells."""
    ds = made(n)
    began = time.perf_counter()
    page = js.explore(ds)
    seconds = time.perf_counter() - began
    path = page.save(folder / f"{n}.html")
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    began = time.perf_counter()
    tab.goto(path.as_uri())
    tab.wait_for_selector("html[data-ready=true]")
    frames = (
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    tab.evaluate(frames)
    opened = time.perf_counter() - began
    answers = []
    for k in range(1, clicks + 1):
        tab.mouse.click(*tab.evaluate(CELL, k))
        answers.append(tab.evaluate("window.answered"))
        tab.wait_for_timeout(350)
    tab.close()
    return {
        "models": ds["loss"].size,
        "megabytes": round(path.stat().st_size / 1e6, 2),
        "make_s": round(seconds, 2),
        "open_s": round(opened, 2),
        "click_median_s": round(float(np.median(answers)), 3),
        "click_longest_s": round(max(answers), 3),
    }


def main() -> None:
    """Prints a row for each number of cells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs="+", default=[20, 40, 60])
    parser.add_argument("--clicks", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit("no Chromium is installed: make browser installs it")
    rows = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        for n in options.cells:
            rows.append(measured(browser, n, options.clicks, Path(folder)))
            if len(rows) == 1:
                print(*(f"{name:>15}" for name in rows[0]))
            print(*(f"{value:>15}" for value in rows[-1].values()), flush=True)
        browser.close()
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
