"""Files that are not as a sweep leaves them: each opens, or says in one line why not."""

import numpy as np
import pytest
import xarray as xr

import jsuper as js

pytestmark = pytest.mark.browser


def show(ds, opened, tmp_path):
    return opened(js.explore(ds).save(tmp_path / "page.html"))


def line(tab):
    return tab.locator("#python").inner_text()


def test_a_name_with_spaces_and_quotes(made, opened, tmp_path):
    path = tmp_path / "a file's name & <b>.nc"
    js.save(made({"density": [0.1, 1.0]}), path)
    tab = opened(js.explore(path).save(tmp_path / "a page.html"))
    assert tab.locator("h1").inner_text() == path.name
    assert tab.title() == path.name
    assert line(tab).startswith('js.load("a file\'s name & <b>.nc").isel(density=')


@pytest.mark.parametrize("seeds", [3, 1, None])
def test_one_axis(made, opened, tmp_path, seeds):
    ds = made({"density": [0.1, 0.3, 1.0]}, seeds=seeds)
    tab = show(ds, opened, tmp_path)
    tab.locator("#map").focus()
    tab.keyboard.press("End")
    assert "density=2" in line(tab)


@pytest.mark.parametrize("seeds", [3, None])
def test_one_model_in_a_cell(made, opened, tmp_path, seeds):
    tab = show(made({}, seeds=seeds), opened, tmp_path)
    assert line(tab) == ("ds.isel(seed=2)" if seeds else "ds")
    assert tab.locator("#embeddings").is_visible()
    assert tab.locator("#show").is_visible()


def test_diverged_models(made, opened, tmp_path):
    ds = made({"density": [0.1, 0.3]}, seeds=2)
    ds["finite"][0] = False
    ds["finite"][1, 0] = False
    for name in ("W", "b", "loss"):
        ds[name] = ds[name].where(ds["finite"])
    tab = show(ds, opened, tmp_path)
    tab.locator("#map").focus()
    tab.keyboard.press("Home")
    assert tab.locator("#model-said").inner_text() == "This model has diverged."
    assert not tab.locator("#embeddings-part").is_visible()
    assert "diverged" in tab.locator("#map-said").inner_text()
    tab.keyboard.press("End")
    assert "loss" in tab.locator("#model-said").inner_text()


def test_measures_of_nan(made, opened, tmp_path):
    ds = made({"density": [0.1, 0.3], "threshold": [0.0, 0.1]})
    ds = ds.assign(nothing=ds["loss"] * np.nan, some=ds["loss"].where(ds["density"] > 0.2))
    tab = show(ds, opened, tmp_path)
    for name in ("nothing", "some"):
        tab.select_option("#show", name)
        assert "no value" in tab.locator("#legend").inner_text()


def test_names_as_axes(made, opened, address, tmp_path):
    axes = {"activation": ["relu", "ge lu", "a, b=c&d"], "flag": [False, True]}
    path = js.explore(made(axes)).save(tmp_path / "page.html")
    tab = opened(path)
    tab.locator("#map").focus()
    tab.keyboard.press("End")
    tab.keyboard.press("PageUp")
    assert "isel(activation=2, flag=1" in line(tab)
    again = opened(path, address(tab))
    assert line(again) == line(tab)


def test_mathematics_in_names_asks_for_nothing(made, opened, tmp_path):
    # Bokeh would fetch what sets it from a server.
    ds = made({"density": [0.1, 0.3], "way": ["$$x$$", r"\(y\)", r"\[z\]"]})
    ds["density"].attrs["long_name"] = r"$$\rho$$ and \(s\)"
    ds["loss"].attrs["long_name"] = r"$$\mathcal{L}$$"
    tab = show(ds, opened, tmp_path)
    tab.select_option("#show", "loss")
    tab.wait_for_timeout(500)


def test_an_axis_that_python_cannot_name(made, opened, tmp_path):
    ds = made({"learning rate": [0.1, 0.3]}, seeds=None)
    tab = show(ds, opened, tmp_path)
    assert line(tab) == 'ds.isel({"learning rate": 1})'


def test_models_of_several_sizes(made, opened, tmp_path):
    ds = made({"n_hidden": [1, 2, 3]}, n_hidden=3)
    beyond = np.arange(3) >= np.array([1, 2, 3])[:, None]
    ds = ds.assign_coords(hidden_padding=(("n_hidden", "hidden"), beyond))
    ds["W"] = ds["W"].where(~ds["hidden_padding"])
    tab = show(ds, opened, tmp_path)
    for key, words in (("Home", "one dimension"), ("End", "three dimensions")):
        tab.locator("#map").focus()
        tab.keyboard.press(key)
        assert words in tab.locator("#embeddings-words").inner_text()


def test_more_than_three_dimensions_say_that_they_are_projected(made, opened, tmp_path):
    ds = made({"density": [0.1]}, n_features=9, n_hidden=5, seeds=None)
    tab = show(ds, opened, tmp_path)
    words = tab.locator("#embeddings-words").inner_text()
    values = np.linalg.svd(ds["W"].values[0], compute_uv=False)
    share = 100 * (values[:2] ** 2).sum() / (values**2).sum()
    assert words.startswith(", projection of 5 dimensions on their first two principal")
    assert float(words.split()[-3].rstrip("%")) == pytest.approx(share, abs=0.06)


def test_measures_without_weights(made, opened, tmp_path):
    ds = js.measure(made({"density": [0.1, 0.3]})).drop_vars(["W", "b"]).mean("seed")
    ds = ds.drop_vars("finite")
    tab = show(ds, opened, tmp_path)
    assert not tab.locator("#embeddings-part").is_visible()
    assert tab.locator("td[data-name='loss']").count() == 1


def test_what_a_callback_receives(made, opened, tmp_path):
    ds = made({"density": [0.1, 0.3]}).drop_vars("loss")
    tab = show(ds, opened, tmp_path)
    tab.select_option("#show", "last_loss")
    expected = js.best_seed(ds)["history"].isel(step=-1, density=1).item()
    assert f"{expected:.4g}" in tab.locator("#map-said").inner_text()


@pytest.mark.slow
def test_minima(opened, tmp_path):
    def task(density):
        return js.Population(js.Task(js.SparseFeatures(2, density), js.ToyModel(2, 1)))

    import jax

    axes = {"density": [0.3, 0.6]}
    recipe = js.Recipe(200, None, js.decaying_adam, log_every=200)
    ds = js.minima(task, axes, key=jax.random.key(0), starts=10, recipe=recipe)
    tab = show(ds, opened, tmp_path)
    assert tab.locator("#y").input_value() == "minimum"
    assert tab.locator("#show").input_value() == "geometry"
    assert "digon" in tab.locator("#legend").inner_text()


@pytest.mark.slow
def test_a_store_that_is_half_full(made, opened, tmp_path):
    import jax

    def task(density, n_hidden):
        return js.Task(js.SparseFeatures(3, density), js.ToyModel(3, n_hidden))

    axes = {"density": [0.1, 0.3], "n_hidden": [1, 2], "seed": 2}
    store = tmp_path / "grid.zarr"
    js.sweep(task, axes, js.Recipe(2, 4), key=jax.random.key(0), store=store)
    ds = js.load(store)
    done = ds["done"] & (ds["n_hidden"] == 1)
    tab = show(ds.assign(done=done), opened, tmp_path)
    tab.locator("#map").focus()
    tab.keyboard.press("PageUp")
    assert "not trained" in tab.locator("#model-said").inner_text()
    tab = opened(js.explore(store).save(tmp_path / "store.html"))
    assert line(tab).startswith("js.load('grid.zarr').isel(")


@pytest.mark.parametrize(
    ("ds", "message"),
    [
        (xr.Dataset({"loss": (("seed",), [])}), "ds must hold models, got none along"),
        (xr.Dataset(), "ds must hold a variable of models, got none"),
        (
            xr.Dataset({"loss": (("a", "b"), [[1.0]])}).stack(cell=("a", "b")),
            r"ds must have no MultiIndex: ds.unstack\('cell'\) first",
        ),
    ],
)
def test_what_holds_no_model_says_so(ds, message):
    with pytest.raises(ValueError, match=message):
        js.explore(ds)
