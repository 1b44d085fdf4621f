"""Models along training are the models of a sweep, looked at on the way."""

import os

import jax
import numpy as np
import pytest

import jsuper as js

KEY = jax.random.key(0)
AXES = {"density": [1.0, 0.3], "seed": 3}
RECIPE = js.Recipe(steps=40, batch_size=64, eval_batches=4)


def task(density):
    return js.Task(js.SparseFeatures(4, density), js.ToyModel(4, 2), 0.9 ** np.arange(4))


@pytest.fixture(scope="module")
def along():
    return js.snapshots(task, AXES, RECIPE, key=KEY, at=[0, 1, 7, 40])


def test_the_last_look_is_the_sweep(along):
    ds = js.sweep(task, AXES, RECIPE, key=KEY)
    last = along.isel(step=-1)
    for name in ("W", "b", "loss"):
        np.testing.assert_array_equal(last[name], ds[name])
    np.testing.assert_array_equal(along["importance"], ds["importance"])


def test_every_look_is_a_shorter_sweep(along):
    for steps in (1, 7):
        ds = js.sweep(task, AXES, js.Recipe(steps, 64, eval_batches=4), key=KEY)
        snapshot = along.sel(step=steps)
        np.testing.assert_array_equal(snapshot["W"], ds["W"])
        np.testing.assert_array_equal(snapshot["loss"], ds["loss"])


def test_step_0_is_how_models_start(along):
    for seed in range(3):
        from_seed = jax.random.fold_in(jax.random.fold_in(KEY, seed), 0)
        W = task(1.0).init(from_seed)["W"]
        start = along["W"].sel(step=0, seed=seed, density=0.3)
        np.testing.assert_allclose(start, W, rtol=1e-6)
    assert along["history"].sel(step=0).isnull().all()


def test_history_is_the_mean_loss_since_the_last_look(along):
    ds = js.sweep(task, AXES, js.Recipe(40, 64, log_every=1, eval_batches=4), key=KEY)
    history = ds["history"].transpose(..., "step").values
    np.testing.assert_allclose(along["history"].sel(step=1), history[..., 0], rtol=1e-6)
    np.testing.assert_allclose(
        along["history"].sel(step=40), history[..., 7:].mean(-1), rtol=1e-5
    )


@pytest.mark.slow
@pytest.mark.optimized
@pytest.mark.skipif(
    "fusion_emitters=false" in os.environ.get("XLA_FLAGS", ""),
    reason="programs of other rounding than those of users: set XLA_FLAGS to nothing",
)
def test_measures_go_along(along):
    measured = js.measure(along)
    for step in (0, 40):
        one = js.measure(along.sel(step=step, drop=True))
        np.testing.assert_array_equal(
            measured["dimensionality"].sel(step=step), one["dimensionality"]
        )
    assert measured["norm"].dims == ("density", "seed", "step", "feature")


def test_a_model_that_diverges_is_known_from_when_it_does():
    import optax

    recipe = js.Recipe(steps=30, batch_size=8, optimizer=optax.sgd(1e4))
    with pytest.warns(RuntimeWarning, match=r"^1 of 1 models diverged: density=1$"):
        ds = js.snapshots(task, {"density": [1.0]}, recipe, key=KEY, at=[0, 30])
    assert ds["finite"].values.tolist() == [[True, False]]


def test_without_seeds_or_axes():
    ds = js.snapshots(lambda: task(0.5), {}, RECIPE, key=KEY, at=[2])
    assert ds["W"].dims == ("step", "feature", "hidden")
    assert ds["step"].values.tolist() == [2]


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ([], r"^at must be a list of at least one step, got \[\]$"),
        (10, "^at must be a list of at least one step, got 10$"),
        ([3, 3], r"^at must ascend, got \[3, 3\]$"),
        ([5, 2], "^at must ascend"),
        ([0, 41], "^at must end by recipe.steps = 40, got 41$"),
        ([-1, 2], "^at must be an integer of at least 0, got -1$"),
        ([0.5], "^at must be an integer of at least 0, got 0.5$"),
    ],
)
def test_bad_steps(at, message):
    with pytest.raises(ValueError, match=message):
        js.snapshots(task, AXES, RECIPE, key=KEY, at=at)


def test_key_must_be_typed():
    with pytest.raises(TypeError, match=r"^key must be a typed key"):
        js.snapshots(task, AXES, RECIPE, key=0, at=[1])


def test_the_best_seed_is_that_of_the_last_look(along):
    best = js.best_seed(along)
    assert best["seed"].dims == ("density",)
    for density in (1.0, 0.3):
        last = along["loss"].sel(density=density).isel(step=-1)
        assert int(best["seed"].sel(density=density)) == int(last.idxmin("seed"))


def test_figures_of_one_step_ask_for_it(along):
    with pytest.raises(ValueError, match=r"^the figure shows models at one step"):
        js.plots.embeddings(along)
    js.plots.embeddings(along.isel(step=-1))


def test_loss_curves_leave_out_step_0(along):
    figure = js.plots.loss_curves(along.isel(density=[0], seed=[0]))
    line = figure.axes[0].lines[0]
    np.testing.assert_array_equal(line.get_xdata(), [1, 7, 40])
    expected = along["history"].isel(density=0, seed=0).values[1:]
    np.testing.assert_allclose(line.get_ydata(), expected)


def test_info_speaks_of_the_last_look(along, tmp_path, capsys):
    from jsuper import cli

    js.save(along, tmp_path / "along.nc")
    assert cli.main(["info", str(tmp_path / "along.nc")]) == 0
    said = capsys.readouterr().out
    assert "at step 40:\nfinite: 6 of 6 models" in said
    assert "converged" not in said
