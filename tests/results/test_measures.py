"""Measures added to a dataset: the geometry's numbers under the dataset's labels."""

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import jsuper as js

MEASURED = {
    "norm",
    "dimensionality",
    "superposition",
    "is_represented",
    "features_per_dimension",
    "represented",
    "dedicated",
    "superposed",
}


@pytest.fixture
def ds():
    """Random weights in the form of a sweep's result; the last seed diverged."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=(2, 3, 5, 2)).astype(np.float32) * 0.7
    W[1, 0] = [[1, 0], [-1, 0], [0, 1], [0, 0.2], [0, 0]]
    W[0, 2, 3, 1] = np.nan
    loss = rng.uniform(size=(2, 3)).astype(np.float32)
    loss[0, 2] = np.nan
    return xr.Dataset(
        {
            "W": (("density", "seed", "feature", "hidden"), W),
            "loss": (("density", "seed"), loss),
        },
        {"density": [1.0, 0.1], "seed": [4, 5, 6]},
        {"made_by": "hand"},
    )


def test_measures_are_those_of_geometry(ds):
    measured = js.measure(ds)
    assert set(measured.data_vars) == {"W", "loss"} | MEASURED
    assert measured.attrs == ds.attrs
    W = jnp.asarray(ds["W"].values).at[0, 2].set(jnp.nan)  # the model that diverged
    per_feature = {
        "norm": js.feature_norms(W),
        "dimensionality": js.feature_dimensionality(W),
        "superposition": js.superposition(W),
    }
    for name, expected in per_feature.items():
        assert measured[name].dims == ("density", "seed", "feature")
        np.testing.assert_array_equal(measured[name], expected)
    per_dimension = 1 / js.dimensions_per_feature(W)
    assert measured["features_per_dimension"].dims == ("density", "seed")
    np.testing.assert_array_equal(measured["features_per_dimension"], per_dimension)
    good = measured.isel(density=1)
    represented, dedicated = js.is_represented(W)[1], js.is_dedicated(W)[1]
    np.testing.assert_array_equal(good["represented"], represented.sum(-1))
    np.testing.assert_array_equal(good["dedicated"], dedicated.sum(-1))
    np.testing.assert_array_equal(good["superposed"], (represented & ~dedicated).sum(-1))


def test_measures_of_weights_known_by_eye(ds):
    one = js.measure(ds).sel(density=0.1, seed=4)
    # A pair, one dedicated feature with a weak follower of norm 0.2, and one absent.
    norms, superposition = [1, 1, 1, 0.2, 0], [1, 1, 0.04, 1, 0]
    np.testing.assert_allclose(one["norm"], norms, rtol=1e-6)
    np.testing.assert_allclose(one["superposition"], superposition, rtol=1e-6)
    dimensionality = [1 / 2, 1 / 2, 1 / 1.04, 0.04 / 1.04, 0]
    np.testing.assert_allclose(one["dimensionality"], dimensionality, rtol=1e-6)
    np.testing.assert_allclose(one["features_per_dimension"], 3.04 / 2, rtol=1e-6)
    assert [float(one[n]) for n in ("represented", "dedicated", "superposed")] == [3, 1, 2]


def test_the_input_stays_as_it_was(ds):
    before, weights = ds.copy(deep=True), ds["W"].values
    js.measure(ds)
    assert ds.identical(before)
    assert ds["W"].values is weights
    assert weights.tobytes() == before["W"].values.tobytes()


def test_a_diverged_model_is_nan_throughout(ds):
    bad = js.measure(ds).isel(density=0, seed=2)
    counts = ["represented", "dedicated", "superposed", "features_per_dimension"]
    assert all(np.isnan(bad[name]) for name in counts)
    assert np.isnan(bad["norm"][3])
    for name in ["dimensionality", "superposition"]:
        # Every feature is projected on the broken one.
        assert np.isnan(bad[name]).all(), name
    others = js.measure(ds).isel(density=0, seed=slice(2))
    assert all(others[name].notnull().all() for name in MEASURED)


@pytest.mark.parametrize(
    "change",
    [
        lambda ds: ds.isel(seed=1),
        lambda ds: ds.isel(seed=0, density=1),
        lambda ds: ds.transpose("hidden", "seed", "feature", "density"),
        lambda ds: ds.stack(model=("density", "seed")),
    ],
    ids=["isel", "one model", "transposed", "stacked"],
)
def test_measuring_commutes_with_selecting(ds, change):
    xr.testing.assert_allclose(
        js.measure(change(ds)).transpose(..., "feature", "hidden"),
        change(js.measure(ds)).transpose(..., "feature", "hidden"),
        rtol=1e-6,
    )


def test_measuring_twice_changes_nothing(ds):
    once = js.measure(ds)
    assert js.measure(once).identical(once)


@pytest.mark.parametrize(
    "bad",
    [
        xr.Dataset({"loss": ("seed", [0.1])}),
        xr.Dataset({"W": (("a", "b"), np.eye(2))}),
    ],
    ids=["no W", "other dims"],
)
def test_measure_says_what_it_misses(bad):
    message = rf"variable W with dimensions .*got variables \['{next(iter(bad))}'\]"
    with pytest.raises(ValueError, match=message):
        js.measure(bad)


def test_best_seed_has_the_lowest_loss_of_its_cell(ds):
    ds["loss"].values[:] = [[0.3, 0.1, np.nan], [0.2, 0.5, 0.15]]
    best = js.best_seed(ds)
    assert best["seed"].values.tolist() == [5, 6]
    np.testing.assert_array_equal(best["loss"], np.float32([0.1, 0.15]))
    chosen = [ds["W"].values[0, 1], ds["W"].values[1, 2]]
    np.testing.assert_array_equal(best["W"], chosen)


def test_a_diverged_model_is_best_only_among_its_like(ds):
    ds["loss"].values[:] = [[np.nan, np.nan, 1e9], [np.nan, np.nan, np.nan]]
    best = js.best_seed(ds)
    assert int(best["seed"][0]) == 6
    assert np.isnan(best["loss"][1])


@pytest.mark.parametrize("drop", ["loss", "seed"])
def test_best_seed_needs_losses_along_seeds(ds, drop):
    bad = ds.drop_vars("loss") if drop == "loss" else ds.isel(seed=0)
    with pytest.raises(ValueError, match="loss along the dimension seed"):
        js.best_seed(bad)


def test_an_axis_named_like_a_measure_is_not_overwritten(ds):
    with pytest.raises(ValueError, match="no axis named 'norm'"):
        js.measure(ds.rename(density="norm"))


def test_models_measured_by_parts_are_measured_alike(ds, monkeypatch):
    from jsuper.results import measures

    whole = js.measure(ds)
    for models in (1, 4, 5):  # 6 models in all
        monkeypatch.setattr(measures, "AT_ONCE", models * 25)
        xr.testing.assert_allclose(js.measure(ds), whole, rtol=1e-6)
    monkeypatch.setattr(measures, "AT_ONCE", 1)
    assert js.measure(ds)["superposition"].sel(density=0.1, seed=4)[4] == 0


def test_which_features_are_represented(ds):
    measured = js.measure(ds)
    which = measured["is_represented"]
    assert which.dtype == bool
    assert which.dims == ("density", "seed", "feature")
    assert which.sel(density=0.1, seed=4).values.tolist() == [True] * 3 + [False] * 2
    assert not which.isel(density=0, seed=2).any()
    finite = measured["represented"].notnull()
    np.testing.assert_array_equal(
        which.sum("feature"), measured["represented"].where(finite, 0)
    )


def test_other_weights_are_measured_under_their_name(ds):
    renamed = ds.rename(W="W_in").transpose("hidden", "seed", "feature", "density")
    measured, expected = js.measure(renamed, weights="W_in"), js.measure(ds)
    for name in MEASURED:
        values = measured[name].transpose(*expected[name].dims)
        np.testing.assert_allclose(values, expected[name], rtol=1e-6)
    with pytest.raises(ValueError, match=r"variable V with dimensions .* got .*'W_in'"):
        js.measure(renamed, weights="V")


@pytest.mark.parametrize("dtype", ["int8", np.float32, object])
def test_finite_need_not_be_bool(ds, dtype):
    finite = ("seed", "density"), np.array([[1, 1], [0, 1], [1, 1]])
    expected = js.measure(ds.assign(finite=(finite[0], finite[1].astype(bool))))
    measured = js.measure(ds.assign(finite=(finite[0], finite[1].astype(dtype))))
    for name in MEASURED:
        np.testing.assert_array_equal(measured[name], expected[name])
    assert np.isnan(measured["represented"].isel(density=0, seed=1))


def test_missing_models_are_not_measured(ds):
    """As after an outer join, or a mean of finite over seeds."""
    finite = (("density", "seed"), np.ones((2, 3), bool))
    longer = js.measure(ds.assign(finite=finite).reindex(seed=[4, 5, 6, 7]))
    assert longer["superposed"].sel(seed=7).isnull().all()
    assert not longer["is_represented"].sel(seed=7).any()
    np.testing.assert_array_equal(
        longer["norm"].sel(seed=[4, 5]), js.measure(ds)["norm"].sel(seed=[4, 5])
    )
    partly = ds.isel(seed=0).assign(finite=("density", [1.0, 0.5]))
    assert js.measure(partly)["represented"].isnull().values.tolist() == [False, True]


@pytest.mark.parametrize("dtype", [bool, "int8", float])
def test_models_of_several_sizes_are_measured_as_if_alone(dtype):
    rng = np.random.default_rng(1)
    n_hidden, n_features = [1, 2, 4], [3, 5]
    W = np.full((3, 2, 2, 5, 4), np.nan, np.float32)
    for i, j, seed in np.ndindex(3, 2, 2):
        own = rng.normal(size=(n_features[j], n_hidden[i]))
        W[i, j, seed, : n_features[j], : n_hidden[i]] = own
    W[1, 1, 1, 0, 0] = np.nan  # diverged
    marks = {
        "hidden_padding": ("n_hidden", "hidden", n_hidden),
        "feature_padding": ("n_features", "feature", n_features),
    }
    coords = {
        name: ((axis, dim), np.arange(max(sizes)) >= np.array(sizes)[:, None])
        for name, (axis, dim, sizes) in marks.items()
    }
    ds = xr.Dataset(
        {"W": (("n_hidden", "n_features", "seed", "feature", "hidden"), W)}, coords
    )
    for name in coords:
        ds[name] = ds[name].astype(dtype)
    measured = js.measure(ds)
    for i, j, seed in np.ndindex(3, 2, 2):
        n, m = n_features[j], n_hidden[i]
        own = W[i, j, seed, :n, :m]
        alone = js.measure(xr.Dataset({"W": (("feature", "hidden"), own)}))
        one = measured.isel(n_hidden=i, n_features=j, seed=seed)
        for name in MEASURED:
            np.testing.assert_allclose(
                one[name].isel(feature=slice(n)) if one[name].dims else one[name],
                alone[name],
                rtol=1e-5,
                atol=1e-6,
            )
        assert one["norm"][n:].isnull().all()
        assert not one["is_represented"][n:].any()


def test_a_model_without_such_weights_is_not_measured():
    W = np.stack([np.eye(2), np.full((2, 2), np.nan)])
    coords = {"W_padding": ("tied", [False, True]), "tied": [True, False]}
    ds = js.measure(xr.Dataset({"W": (("tied", "feature", "hidden"), W)}, coords))
    assert ds["represented"].values[0] == 2
    assert all(
        ds[name].isel(tied=1).isnull().all() for name in set(MEASURED) - {"is_represented"}
    )
