"""The page in a browser that has no network: clicks, keys, play, address, numbers."""

import re

import numpy as np
import pytest
import xarray as xr

import jsuper as js

pytestmark = pytest.mark.browser

CLICK = """([i, j]) => {
    const { map, figures } = jsuperExplorer.explorer;
    const [x, y] = map.scales();
    const { frame, el } = Bokeh.index.find_one_by_id(figures.map.id);
    const middle = ([a, b]) => (a + b) / 2;
    const box = el.getBoundingClientRect();
    return [
        box.left + frame.x_scale.compute(middle(x.span(i))),
        box.top + frame.y_scale.compute(middle(y.span(j))),
    ];
}"""
"""Where on the screen a cell of the map is."""


def click(tab, i, j):
    tab.locator("#map").scroll_into_view_if_needed()
    tab.mouse.click(*tab.evaluate(CLICK, [i, j]))


def numbers(tab, name):
    """The texts of a variable in the tables of the chosen model."""
    return tab.locator(f"#tables td[data-name='{name}']").all_inner_texts()


def to_six_digits(values):
    return [float(f"{value:.6g}") for value in np.ravel(values)]


def chosen(tab, ds):
    """The model that the page's line of Python selects."""
    line = tab.locator("#python").inner_text()
    return eval(line, {"ds": ds, "js": js})


def saved(ds, path, **given):
    return js.explore(ds, **given).save(path / "a page.html")


def same_numbers(tab, model):
    for name in ("loss", "b", "norm", "dimensionality", "superposition", "superposed"):
        found = [float(text) for text in numbers(tab, name)]
        assert found == to_six_digits(model[name].values), name
    for j in range(model.sizes["hidden"]):
        found = [float(text) for text in numbers(tab, f"W.{j}")]
        assert found == to_six_digits(model["W"].isel(hidden=j).values)


def test_cell_seed_numbers(made, opened, tmp_path):
    ds = made({"density": np.geomspace(0.05, 1, 6), "threshold": [-0.5, -0.2, 0.0, 0.1]})
    tab = opened(saved(ds, tmp_path))
    measured = js.measure(ds)
    rng = np.random.default_rng(0)
    for _ in range(10):
        i, j, rank = (int(rng.integers(n)) for n in (6, 4, 3))
        click(tab, i, j)
        best = js.best_seed(measured.isel(density=i, threshold=j))
        tab.locator("#seeds button").nth(0).click()
        same_numbers(tab, best)
        tab.locator("#seeds button").nth(rank).click()
        model = chosen(tab, measured)
        assert model["density"] == ds["density"][i]
        assert model["threshold"] == ds["threshold"][j]
        expected = js.lowest(ds.isel(density=i, threshold=j), 3)["seed"][rank]
        assert model["seed"] == expected
        assert f"seed {expected.item()}" in tab.locator("#model-title").inner_text()
        same_numbers(tab, model)


def test_map_shows_the_best_the_mean_and_the_spread(made, opened, tmp_path):
    ds = made({"density": [0.1, 0.3, 1.0], "threshold": [-0.5, 0.0]})
    tab = opened(saved(ds, tmp_path))
    ds = js.measure(ds)
    tab.select_option("#show", "norm")
    ways = {"best": js.best_seed(ds)["norm"], "mean": ds["norm"].mean("seed")}
    ways["spread"] = ds["norm"].mean("feature").std("seed")
    for way, expected in ways.items():
        tab.select_option("#of", way)
        values = "jsuperExplorer.explorer.map.cells().map((cell) => cell.value)"
        if "feature" in expected.dims:
            expected = expected.mean("feature")
        expected = expected.transpose("threshold", "density").values.ravel()
        np.testing.assert_allclose(tab.evaluate(values), expected, rtol=1e-5)
    tab.select_option("#of", "best")
    tab.select_option("#feature", "2")
    expected = ways["best"].isel(feature=2).transpose("threshold", "density").values
    np.testing.assert_allclose(tab.evaluate(values), expected.ravel(), rtol=1e-6)


def test_keys_alone(made, opened, tmp_path):
    ds = made({"density": [0.1, 0.3, 1.0], "threshold": [-0.5, 0.0], "n": [1, 2, 3]})
    tab = opened(saved(ds, tmp_path))
    tab.locator("#map").focus()
    for key in ("Home", "PageDown", "ArrowRight", "ArrowUp"):
        tab.keyboard.press(key)
    assert "isel(density=1, threshold=1, n=0" in tab.locator("#python").inner_text()
    assert "density 0.3, threshold 0" in tab.locator("#map-said").inner_text()
    tab.locator("#at-n").focus()
    tab.keyboard.press("ArrowRight")
    assert "n=1" in tab.locator("#python").inner_text()
    tab.locator("#seeds button").nth(2).focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#seeds button[aria-pressed=true]").count() == 1
    assert tab.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    # Every control can be reached, and says what it is.
    tab.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(60):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("document.activeElement.id"))
    assert {"show", "of", "x", "y", "at-n", "map", "at-seed", "copy", "tables"} <= reached
    unnamed = tab.evaluate(
        """[...document.querySelectorAll("select, input, button")].filter((control) =>
            !control.labels?.length && !control.textContent.trim()
            && !control.getAttribute("aria-label")).length"""
    )
    assert unnamed == 0


def test_figures_have_text_alternatives(made, opened, tmp_path):
    tab = opened(saved(made({"density": [0.1, 1.0]}), tmp_path))
    for name in ("embeddings", "gram", "norm", "superposition", "bias", "curve"):
        said = tab.locator(f"#{name}").get_attribute("aria-label")
        assert re.search(r"\d", said), name
    assert "Arrow keys" in tab.locator("#map").get_attribute("aria-label")


def test_address_holds_the_model(made, opened, address, tmp_path):
    ds = made({"density": np.geomspace(0.01, 1, 7), "threshold": [-0.5, 0.0]})
    path = saved(ds, tmp_path)
    tab = opened(path)
    tab.select_option("#show", "loss")
    tab.select_option("#of", "mean")
    click(tab, 2, 1)
    tab.locator("#seeds button").nth(1).click()
    line = tab.locator("#python").inner_text()
    tab.wait_for_function(
        "location.hash.slice(1) === jsuperExplorer.explorer.state.toHash()"
    )
    address = tab.evaluate("location.hash")
    assert "at.density=0.0464" in address
    again = opened(path, address)
    assert again.locator("#python").inner_text() == line
    assert again.locator("#show").input_value() == "loss"
    assert again.locator("#of").input_value() == "mean"
    again.evaluate("location.hash = '#x=threshold&y=density&at.threshold=-0.4'")
    again.wait_for_function("document.getElementById('x').value === 'threshold'")
    assert "threshold=0" in again.locator("#python").inner_text()
    opened(path, "#show=nothing&x=%20&at.density=word&at.seed=99&turn=1,2,3&feature=-1")


@pytest.fixture
def snapshots(made):
    ds = made({"density": [0.1, 1.0]}, n_features=4, n_hidden=3, steps=6)
    growth = xr.DataArray(np.linspace(0.1, 1, 6), dims="step")
    ds = ds.assign(W=ds["W"] * growth, loss=ds["loss"] / growth)
    return ds.assign(finite=ds["finite"].broadcast_like(ds["loss"]))


def test_play_moves_the_embeddings(snapshots, opened, tmp_path):
    tab = opened(saved(snapshots, tmp_path))
    assert "step 60" in tab.locator("#model-title").inner_text()
    ends = "JSON.stringify([...jsuperExplorer.explorer.sources.arrows.data.x])"
    last = tab.evaluate(ends)
    tab.locator("#at-step").focus()
    tab.keyboard.press("Home")
    assert "step 10" in tab.locator("#model-title").inner_text()
    assert tab.evaluate(ends) != last
    tab.locator("#play").click()
    assert tab.locator("#play").inner_text() == "Pause"
    tab.wait_for_function("document.getElementById('play').textContent === 'Play'")
    assert "step 60" in tab.locator("#model-title").inner_text()
    assert tab.evaluate(ends) == last
    assert tab.locator("#distribution-part").is_visible()
    assert "step 60" in tab.locator("#distribution").get_attribute("aria-label")


def test_three_dimensions_turn(snapshots, opened, address, tmp_path):
    tab = opened(saved(snapshots, tmp_path))
    ends = "JSON.stringify([...jsuperExplorer.explorer.sources.arrows.data.x])"
    seen = [tab.evaluate(ends)]
    for selector in ("#embeddings", "#turn-0"):
        tab.locator(selector).focus()
        tab.keyboard.press("ArrowRight")
        seen.append(tab.evaluate(ends))
    box = tab.locator("#embeddings").bounding_box()
    tab.mouse.move(box["x"] + 150, box["y"] + 150)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 220, box["y"] + 170, steps=5)
    tab.mouse.up()
    seen.append(tab.evaluate(ends))
    assert len(set(seen)) == 4
    assert "turn=" in address(tab)


DOT = """(k) => {
    const { figures, section } = jsuperExplorer.explorer;
    const { frame, el } = Bokeh.index.find_one_by_id(figures.section.id);
    const box = el.getBoundingClientRect();
    const { x, y } = section.points[k];
    return [box.left + frame.x_scale.compute(x), box.top + frame.y_scale.compute(y)];
}"""


def test_a_dot_of_the_section_chooses_its_model(made, opened, tmp_path):
    ds = made({"density": [0.1, 0.3, 1.0], "threshold": [-0.5, 0.0]})
    tab = opened(saved(ds, tmp_path))
    tab.select_option("#show", "loss")
    values = tab.evaluate("jsuperExplorer.explorer.section.points.map((p) => p.value)")
    assert sorted(values) == sorted(ds["loss"].isel(threshold=1).values.ravel().tolist())
    for k in (4, 8):
        tab.mouse.click(*tab.evaluate(DOT, k))
        assert float(numbers(tab, "loss")[0]) == float(f"{values[k]:.6g}")


def test_names_have_colours(made, opened, tmp_path):
    ds = made({"density": [0.1, 0.3], "threshold": [-0.5, 0.0]}, seeds=None)
    names = ("density", "threshold"), [["digon", "pentagon"], ["digon", "dedicated"]]
    tab = opened(saved(ds.assign(level=names), tmp_path))
    tab.select_option("#show", "level")
    legend = tab.locator("#legend li").all_inner_texts()
    assert sorted(legend) == ["dedicated", "digon", "pentagon"]
    colors = tab.evaluate("[...jsuperExplorer.explorer.sources.cells.data.color]")
    assert len(set(colors)) == 3


def test_theory_lies_over_its_axes_alone(made, opened, tmp_path):
    ds = made({"density": [0.1, 0.3, 1.0], "threshold": [-0.5, 0.0], "n": [1, 2]})
    theory = {
        "pairs pay": {"threshold": [-0.4, -0.1], "density": [0.2, 0.9]},
        "no pair": {"threshold": -0.3},
    }
    tab = opened(saved(ds, tmp_path, theory=theory))
    lines = "jsuperExplorer.explorer.sources.theory.data"
    assert "pairs pay" in tab.locator("#legend").inner_text()
    np.testing.assert_allclose(tab.evaluate(f"{lines}.xs[0]"), np.log10([0.2, 0.9]))
    assert tab.evaluate(f"{lines}.ys[1]") == [-0.3, -0.3]
    tab.select_option("#y", "n")
    assert tab.evaluate(f"{lines}.xs.length") == 0


def test_a_page_in_a_notebook(made, opened, tmp_path):
    shown = js.explore(made({"density": [0.1, 1.0]}))._repr_html_()
    (tmp_path / "notebook.html").write_text(
        f"<!DOCTYPE html><html data-ready='true'><body>{shown}</body></html>"
    )
    tab = opened(tmp_path / "notebook.html")
    frame = tab.frame_locator("iframe")
    frame.locator("html[data-ready=true]").wait_for()
    frame.locator("#map").focus()
    tab.keyboard.press("Home")
    assert "isel(density=0" in frame.locator("#python").inner_text()
    frame.locator("#seeds button").nth(1).click()
    assert frame.locator("#seeds button[aria-pressed=true]").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 800])
def test_nothing_is_wider_than_the_screen(made, opened, tmp_path, width, scheme):
    path = saved(made({"density": [0.1, 1.0]}, n_features=12), tmp_path)
    tab = opened(path, width=width, scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    style = "getComputedStyle(document.body)"
    ink, paper = tab.evaluate(f"[{style}.color, {style}.backgroundColor]")
    light = [sum(map(int, re.findall(r"\d+", color))) for color in (ink, paper)]
    assert (light[0] > light[1]) == (scheme == "dark")
    assert abs(light[0] - light[1]) > 450
