"""The map of one feature in two-dimensional colours."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb

from jsuper.plots import solutions


def grid(W, **coords):
    dims = (*coords, "feature", "hidden")
    return xr.Dataset({"W": (dims, W)}, coords)


def test_corners_of_the_key():
    np.testing.assert_allclose(solutions.phase_color(0.0, 0.7), to_rgb(solutions.ABSENT))
    np.testing.assert_allclose(solutions.phase_color(1.0, 0.0), to_rgb(solutions.DEDICATED))
    np.testing.assert_allclose(
        solutions.phase_color(3.0, 2.0), to_rgb(solutions.SUPERPOSED)
    )
    np.testing.assert_array_equal(solutions.phase_color(np.nan, 0.0), [1, 1, 1])
    assert solutions.phase_color(np.zeros((4, 3)), 1.0).shape == (4, 3, 3)


def test_the_map_shows_the_feature_asked_for():
    # One dimension: importance 0.1 ignores the last feature, 10 pairs it.
    W = np.array([[[[1.0], [0.0]], [[1.0], [-1.0]]]])
    ds = grid(W, density=[0.5], importance=[0.1, 10.0])
    figure = solutions.feature_phases(ds)
    colors = figure.axes[0].collections[0].get_array().reshape(-1, 3)
    np.testing.assert_allclose(colors[0], to_rgb(solutions.ABSENT))
    np.testing.assert_allclose(colors[1], to_rgb(solutions.SUPERPOSED))
    first = solutions.feature_phases(ds, feature=0).axes[0].collections[0].get_array()
    np.testing.assert_allclose(first.reshape(-1, 3)[0], to_rgb(solutions.DEDICATED))
    assert figure.axes[0].get_xscale() == "log"


def test_axes_in_any_order():
    W = np.array([[[[1.0], [0.0]], [[1.0], [-1.0]]]])
    up = grid(W, density=[0.5], importance=[0.1, 10.0])
    down = grid(W[:, ::-1], density=[0.5], importance=[10.0, 0.1])
    maps = [
        solutions.feature_phases(ds).axes[0].collections[0].get_array() for ds in (up, down)
    ]
    np.testing.assert_array_equal(*maps)


def test_axes_are_checked():
    ds = grid(np.ones((2, 2, 1)), density=[0.5, 1.0])
    with pytest.raises(ValueError, match="must have the axes 'importance' and 'density'"):
        solutions.feature_phases(ds)
