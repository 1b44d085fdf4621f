"""Datasets in the form of a sweep's result, made without training."""

import numpy as np
import pytest
import xarray as xr


@pytest.fixture
def made():
    return _made


@pytest.fixture
def of_sizes():
    return _of_sizes


def _made(axes, n_features=5, n_hidden=2, seeds=3, steps=4):
    """Random models along the axes given; loss and history say which seed is the best."""
    rng = np.random.default_rng(0)
    dims, shape = (*axes, "seed"), (*map(len, axes.values()), seeds)
    W = rng.normal(size=(*shape, n_features, n_hidden)).astype(np.float32)
    loss = rng.uniform(0.1, 1.0, size=shape)
    data = {
        "W": ((*dims, "feature", "hidden"), W),
        "b": ((*dims, "feature"), rng.normal(size=(*shape, n_features))),
        "loss": (dims, loss),
        "history": ((*dims, "step"), loss[..., None] * np.geomspace(8, 1, steps)),
        "finite": (dims, np.ones(shape, bool)),
        "importance": ("feature", 0.9 ** np.arange(n_features)),
    }
    coords = {**axes, "seed": np.arange(seeds), "step": 10 * np.arange(1, steps + 1)}
    return xr.Dataset(data, coords)


def _of_sizes(n_hidden, n_features=(5,), axes=None):
    """Models of several sizes in one dataset, padded as `jsuper.padding` says."""
    sizes = {"n_hidden": list(n_hidden), "n_features": list(n_features)}
    ds = _made(sizes | (axes or {}), max(n_features), max(n_hidden))
    for axis, dim in (("n_hidden", "hidden"), ("n_features", "feature")):
        if len(sizes[axis]) > 1:
            beyond = np.arange(max(sizes[axis])) >= np.array(sizes[axis])[:, None]
            ds.coords[f"{dim}_padding"] = ((axis, dim), beyond)
            for name in ("W", "b"):
                if dim in ds[name].dims:
                    ds[name] = ds[name].where(~ds[f"{dim}_padding"].variable)
        else:
            ds = ds.isel({axis: 0}, drop=True)
    return ds
