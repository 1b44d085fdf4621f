"""Features that change places: against all orders, and what stays as it is."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import jsuper as js

DENSITY = np.array([0.7, 0.3, 0.1, 0.5])
IMPORTANCE = np.array([0.5, 1.0, 2.0, 0.1])


def task(threshold, n=4, importance=IMPORTANCE, density=DENSITY):
    model = js.ToyModel(n, 2, threshold, tied=False)
    return js.Task(js.SparseFeatures(n, density), model, jnp.asarray(importance))


@pytest.fixture(scope="module")
def ds():
    """Six random models, W_out with features on its last axis."""
    draw = np.random.default_rng(0).normal
    arrays = {
        "W": (("seed", "feature", "hidden"), draw(size=(6, 4, 2))),
        "W_out": (("seed", "hidden", "feature"), draw(size=(6, 2, 4))),
        "b": (("seed", "feature"), 0.2 * draw(size=(6, 4))),
    }
    return xr.Dataset(arrays, {"seed": range(6), "threshold": [-0.1, 0.0]})


def params_of(model, order=slice(None)):
    ordered = model.isel(feature=order)
    dims = js.ToyModel(4, 2, tied=False).dims
    return {name: jnp.asarray(ordered[name].transpose(*dims[name]).values) for name in dims}


def losses_of(model, orders):
    own = task(float(model["threshold"]))
    every = [params_of(model, list(order)) for order in orders]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *every)
    return np.asarray(jax.vmap(lambda params: js.population_loss(own, params))(stacked))


def test_no_change_of_two_lowers_the_loss_and_most_orders_are_the_best(ds):
    found = js.rearrange(task, ds)
    assert found["loss"].attrs["kind"] == "population"
    swaps = [list(range(4))]
    for i, j in itertools.combinations(range(4), 2):
        order = list(range(4))
        order[i], order[j] = j, i
        swaps.append(order)
    n_best = 0
    for threshold, seed in itertools.product((-0.1, 0.0), range(6)):
        before = ds.sel(threshold=threshold, seed=seed)
        after = found.sel(threshold=threshold, seed=seed)
        losses = losses_of(after, swaps)
        np.testing.assert_allclose(after["loss"], losses[0], rtol=1e-5)
        assert losses.min() > losses[0] * (1 - 1e-5)
        every = losses_of(before, list(itertools.permutations(range(4))))
        assert losses[0] > every.min() * (1 - 1e-5)
        n_best += losses[0] < every.min() * (1 + 1e-5)
        # Embeddings, outputs and biases go together.
        rows = [
            np.concatenate(
                [
                    one["W"],
                    one["W_out"].transpose("feature", "hidden"),
                    one["b"].data[:, None],
                ],
                axis=1,
            )
            for one in (before, after)
        ]
        order = [int(np.abs(rows[0] - row).sum(1).argmin()) for row in rows[1]]
        assert sorted(order) == [0, 1, 2, 3]
        np.testing.assert_allclose(rows[0][order], rows[1], rtol=1e-6)
    assert n_best >= 8  # of 12


def test_equal_features_and_models_that_diverged_stay(ds):
    one = ds.isel(threshold=0, seed=[0]).copy(deep=True)

    def equal(threshold):
        return task(threshold, importance=np.ones(4), density=0.3)

    np.testing.assert_allclose(js.rearrange(equal, one)["W"], one["W"], rtol=1e-6)
    one["W"][:] = np.nan
    found = js.rearrange(task, one)
    assert found["W"].isnull().all()
    assert found["loss"].isnull().all()
    np.testing.assert_allclose(found["b"], one["b"], rtol=1e-6)


def test_what_cannot_be_done_is_said(ds):
    def sampled(threshold):
        model = js.ToyModel(4, 2, activation="gelu", tied=False)
        return js.Task(js.SparseFeatures(4, 0.3 + 0.1 * threshold), model)

    with pytest.raises(TypeError, match="does not cover activation gelu"):
        js.rearrange(sampled, ds)
