"""Padding: what is beyond a model's own size, and how it is dropped."""

import numpy as np
import pytest
import xarray as xr

from jsuper.padding import is_padding, own_size, trim


@pytest.fixture
def ds():
    """Models of (1, 2, 3) hidden dimensions x (2, 3) features, with a bias or without."""
    n_hidden, n_features = np.array([1, 2, 3]), np.array([2, 3])
    W = np.arange(1.0, 28).reshape(3, 1, 3, 3).repeat(2, 1)[:, :, None].repeat(2, 2)
    hidden = np.arange(3) >= n_hidden[:, None]
    feature = np.arange(3) >= n_features[:, None]
    W = np.where(
        hidden[:, None, None, None, :] | feature[None, :, None, :, None], np.nan, W
    )
    b = np.where(np.array([False, True])[:, None] | feature[:, None], np.nan, 0.5)
    return xr.Dataset(
        {
            "W": (("n_hidden", "n_features", "bias", "feature", "hidden"), W),
            "b": (("n_features", "bias", "feature"), b),
        },
        {
            "n_hidden": n_hidden,
            "n_features": n_features,
            "bias": [True, False],
            "hidden_padding": (("n_hidden", "hidden"), hidden),
            "feature_padding": (("n_features", "feature"), feature),
            "b_padding": ("bias", [False, True]),
        },
    )


@pytest.mark.parametrize("dtype", [bool, "int8", float, object])
def test_padding_is_what_was_padded(ds, dtype):
    for name in ("hidden_padding", "feature_padding", "b_padding"):
        ds[name] = ds[name].astype(dtype)
    for name in ("W", "b"):
        padding = is_padding(ds[name]).broadcast_like(ds[name]).transpose(*ds[name].dims)
        assert padding.dtype == bool
        np.testing.assert_array_equal(padding, ds[name].isnull())


def test_a_mark_that_a_join_left_without_value_marks_padding(ds):
    ds["b_padding"] = ("bias", [0.0, np.nan])
    assert is_padding(ds["b"]).sel(n_features=0, feature=0).values.tolist() == [False, True]


def test_without_marks_nothing_is_padding(ds):
    assert not is_padding(ds["W"].drop_vars(["hidden_padding", "feature_padding"])).any()
    assert is_padding(xr.DataArray([1.0])).shape == ()


def test_own_sizes(ds):
    np.testing.assert_array_equal(own_size(ds["W"], "hidden"), [1, 2, 3])
    np.testing.assert_array_equal(own_size(ds["W"], "feature"), [2, 3])
    assert int(own_size(ds["W"], "bias")) == 2
    assert int(own_size(ds["W"].isel(n_hidden=1), "hidden")) == 2


@pytest.mark.parametrize("i", range(3))
@pytest.mark.parametrize("j", range(2))
@pytest.mark.parametrize("k", range(2))
def test_one_model_is_trimmed_to_its_own_size(ds, i, j, k):
    one = trim(ds.isel(n_hidden=i, n_features=j, bias=k))
    assert one["W"].shape == (j + 2, i + 1)
    assert one["W"].notnull().all()
    assert ("b" in one) == (k == 0)
    assert not [name for name in one.coords if str(name).endswith("_padding")]
    own = ds["W"].values[i, j, k, : j + 2, : i + 1]
    np.testing.assert_array_equal(one["W"], own)


def test_trimming_keeps_what_some_model_needs(ds):
    assert trim(ds).identical(ds)
    some = trim(ds.isel(n_hidden=slice(2), bias=0))
    assert some.sizes["hidden"] == 2
    assert some.sizes["feature"] == 3
    assert "b" in some
    assert {"hidden_padding", "feature_padding"} <= set(some.coords)
    assert "b_padding" not in some.coords


def test_a_name_that_marks_nothing_here_is_left_alone():
    ds = xr.Dataset({"loss": ("rate", [1.0])}, {"zero_padding": 0, "text_padding": "same"})
    assert trim(ds).identical(ds)
