"""Two features in one dimension: closed forms, integrator, and what findings say."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.optimize
import xarray as xr

import jsuper as js
from jsuper.experiments.two_features import EXPERIMENT, measures, train

SIGNS, LEAVING, SHORT, DEDICATED, PENALTY, AGAIN = range(6)


@pytest.mark.parametrize("density", [0.03, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_costs_of_a_small_second_weight(density, sign):
    r, w = 0.5, 1e-3

    def loss(free):
        W = jnp.stack([free[0], sign * w])[:, None]
        task = js.Task(
            js.SparseFeatures(2, density), js.ToyModel(2, 1), jnp.array([1.0, r])
        )
        return 2 * js.population_loss(task, {"W": W, "b": free[1:]})

    with jax.enable_x64(True):
        value = jax.jit(jax.value_and_grad(loss))
        start = np.array([1.0, -sign * 0.3 * w, density / 2])
        found = scipy.optimize.minimize(value, start, jac=True, options={"gtol": 1e-12})
    cost = (measures.cost_of_equal if sign == 1 else measures.cost_of_opposite)(density)
    dropped = density / 3 - density**2 / 4
    assert (found.fun - r * dropped) / w**2 == pytest.approx(cost - r * dropped, abs=2e-3)
    assert measures.leaving_importance(0.001, measures.cost_of_equal) == pytest.approx(
        5 / 16, abs=1e-3
    )


def test_penalty_from_which_a_drop_is_stable():
    # The second derivative in the second weight changes its sign there.
    p, r = 0.2, 0.7
    gain = r * (p / 3 - p**2 / 4) - measures.cost_of_opposite(p)
    assert 2 * measures.stable_penalty(p, r) == pytest.approx(gain)
    # The ideal pair and the dropped feature cost the same.
    cost = (1 + r) * p**2 / 6 + 2 * measures.ideal_penalty(p, r)
    assert cost == pytest.approx(r * (p / 3 - p**2 / 4))


def test_ends_are_named():
    W = [[1, 0.1], [0.1, 1], [1, -1], [0.7, 0.7], [1, 0]]
    ds = xr.Dataset(
        {
            "W": (("seed", "feature", "hidden"), np.array(W)[..., None]),
            "finite": ("seed", [True, True, True, True, False]),
        }
    )
    assert measures.ends(ds).values.tolist() == [
        "drop",
        "dedicate",
        "pair",
        "other",
        "other",
    ]


@pytest.mark.slow
def test_gradient_flow_is_a_gradient_descent_of_small_steps():
    start = {"W": jnp.array([[0.5], [-0.2]]), "b": jnp.zeros(2)}
    of_step = {"density": [0.3], "importance": [0.5]}

    def sgd(steps, rate):
        recipe = js.Recipe(steps, None, optax.sgd(rate))
        task, key = train.task, jax.random.key(0)
        return js.sweep(task, of_step, recipe, key=key, start=start)

    def length(steps):
        return float(abs(flow(steps)["W"] - sgd(20_000, 0.01)["W"]).max())

    def flow(steps):
        return train.flow(start, steps, **of_step)

    assert length(2_000) < 1e-4
    # A short way along it: the same direction as a small step of gradient descent.
    moved, plain = train.flow(start, 1, 1e-3, **of_step), sgd(1, 1e-3 / (1 + 0.29))
    for name in ("W", "b"):
        np.testing.assert_allclose(moved[name], plain[name], atol=1e-6)


def test_starts_are_normal_and_half_of_them_of_equal_signs():
    ds = train.random_starts({"scale": (0.5, 2.0), "seed": 200})
    W = ds["W"].isel(hidden=0)
    equal = W.prod("feature") > 0
    assert (equal == ~measures.opposite_signs(ds)).all()
    assert equal.mean() == 0.5
    squares = (W**2).mean("seed") / ds["scale"] ** 2
    np.testing.assert_allclose(squares, 1, atol=0.1)
    assert (W.isel(feature=0) > 0).all()


def test_critical_penalties_of_made_models():
    strength = np.linspace(0, 1, 11)
    p, r = 0.1, 0.5
    dropped, unit = r * (p / 3 - p**2 / 4), r * p / 3
    loss = np.minimum(0.5 * dropped + dropped * strength, 1.2 * dropped) / 2 / p
    pair = np.where(strength < 0.75, -1.0, 0)
    ds = xr.Dataset(
        {
            "W": (
                ("density", "importance", "strength", "feature", "hidden"),
                np.stack([np.ones(11), pair], 1)[None, None, :, :, None],
            ),
            "loss": (("density", "importance", "strength"), loss[None, None]),
        },
        {"density": [p], "importance": [r], "strength": strength},
    )
    found = measures.critical_penalties(ds).squeeze()
    assert found["best"] == pytest.approx(0.5 * unit)
    assert found["last"] == pytest.approx(0.75 * unit)
    none = measures.critical_penalties(ds.assign(W=0 * ds["W"]))
    assert (none["last"] == 0).all()
    assert (none["best"] == 0).all()


def flowed(density, importance, scale, n=8):
    """Runs that end as theory says, and at the largest scale one in four that dedicates."""
    dims = {"density": density, "importance": importance, "scale": scale}
    ds = xr.Dataset(coords={**dims, "seed": np.arange(n)})
    s, r = ds["density"], ds["importance"]
    leaves, short = (
        r > xr.apply_ufunc(measures.leaving_importance, s, kwargs={"cost": cost})
        for cost in (measures.cost_of_opposite, measures.cost_of_equal)
    )
    second = xr.where(measures.opposite_signs(ds), -1.0 * leaves, 0.2 * short)
    second = second.broadcast_like(ds["scale"] * ds["seed"])
    dedicated = (ds["scale"] > 1) & (ds["seed"] >= n - 2)
    W = xr.concat(
        [(1.0 + 0 * second).where(~dedicated, 0), second.where(~dedicated, 1)], "feature"
    )
    W = W.expand_dims(hidden=1).transpose(*dims, "seed", "feature", "hidden")
    return ds.assign(W=W, finite=W.notnull().all(("feature", "hidden")))


def penalized(density, importance, n=40):
    """Pairs that end at 0.95 of the sparse limit, and are best up to 0.9 of it."""
    strength = np.linspace(0, 1.1, n)
    ds = xr.Dataset(
        coords={"density": density, "importance": importance, "strength": strength}
    )
    s, r, u = ds["density"], ds["importance"], ds["strength"]
    pair = xr.where(u < 0.95, -1.0, 0) + 0 * s * r
    loss = (r * (1 / 3 - s / 4) + (u - 0.9) * r / 10) / 2
    W = xr.concat([1 + 0 * pair, pair], "feature").expand_dims(hidden=1)
    return ds.assign(W=W, loss=loss)


@pytest.fixture
def made():
    """All datasets, as theory has them where it says something."""
    density, importance = js.log_densities(8, 0.01), np.geomspace(0.1, 1, 9)
    scale = [0.01, 1.0, 3.0]
    cells = {"density": ("cell", [0.02, 0.1]), "importance": ("cell", [0.2, 0.6])}
    u = np.linspace(0, 1.1, 40)
    last = u[u < 0.95].max() + (u[1] - u[0]) / 2
    checked = {"last": ("cell", [last, last]), "best": ("cell", [0.9, 0.9])}
    plane = train.plane_of_starts(3)
    planes = flowed([0.3, 0.05], [0.2, 0.7], [1.0], plane.sizes["seed"]).isel(scale=0)
    return {
        "shares": flowed(density, importance, scale),
        "finer": flowed(density[::3], importance[::4], scale),
        "planes": planes.assign(start=plane["W"]),
        "penalty": penalized(density, importance),
        "checked": xr.Dataset(cells | checked),
    }


def agrees(made):
    found = EXPERIMENT.findings(xr.DataTree.from_dict(made))
    return [finding.agrees for finding in found]


def test_models_as_theory_has_them_agree(made):
    assert agrees(made) == [True] * 6
    found = EXPERIMENT.findings(xr.DataTree.from_dict(made))
    shares = {(c.where, c.quantity): c.value for c in found[SIGNS].cases}
    assert set(shares.values()) == {0.0, 1.0}
    assert found[DEDICATED].cases[-1].value == 0.25


def test_findings_differ_where_models_do(made):
    def differ(name, change):
        changed = {key: ds.copy(deep=True) for key, ds in made.items()}
        changed[name] = change(changed[name])
        return [i for i, agreed in enumerate(agrees(changed)) if not agreed]

    def all_pair(ds):
        return ds.assign(W=xr.where(ds["feature"] == 0, 1.0, -1.0) + 0 * ds["W"])

    made_feature = {name: ds.assign_coords(feature=[0, 1]) for name, ds in made.items()
                    if name in ("shares", "penalty")}  # fmt: skip
    made.update(made_feature)
    assert {SIGNS, LEAVING, SHORT, DEDICATED, AGAIN} == set(differ("shares", all_pair))
    assert differ("finer", lambda ds: ds.assign(W=-0.0 * ds["W"])) == [AGAIN]
    assert differ("penalty", all_pair) == [PENALTY, AGAIN]
    assert differ("checked", lambda ds: ds.assign(best=ds["best"] * 1.1)) == [AGAIN]


def test_figures_show_shares_and_penalties(made):
    figures = EXPERIMENT.figures(xr.DataTree.from_dict(made))
    assert figures.keys() == {"shares", "planes", "penalty"}
    drop, pair = figures["shares"].axes[0], figures["shares"].axes[6]
    of_drop, of_pair = (panel.collections[0].get_array() for panel in (drop, pair))
    np.testing.assert_allclose(of_drop + of_pair, 1)
    assert set(np.unique(of_pair)) == {0.0, 0.5}


@pytest.mark.slow
def test_a_small_run_shows_the_signs_and_the_penalty():
    sizes = {"points": 4, "scales": (0.01, 1.0), "starts": 8, "checked": 0, "plane": 2}
    models = EXPERIMENT.models(dataclasses.replace(EXPERIMENT.quick, **sizes))
    shares = models["shares"].to_dataset()
    end, opposite = measures.ends(shares), measures.opposite_signs(shares)
    sparse = end.sel(importance=1.0, density=0.01, method="nearest")
    assert ((sparse == "pair") == opposite).all()
    dense = end.sel(importance=0.1, density=1.0, method="nearest")
    assert (dense == "drop").all()
    critical = measures.critical_penalties(models["penalty"].to_dataset())
    at = critical.sel(importance=1.0, density=0.01, method="nearest")
    assert 0.9 * 0.01 / 3 < at["best"] <= at["last"] < 1.1 * 0.01 / 3
    dense = critical.sel(density=1.0)
    assert (dense["last"].sel(importance=0.1, method="nearest") == 0).all()
