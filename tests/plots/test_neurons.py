"""Figures of neurons: what is plotted equals the weights."""

import numpy as np
import pytest
import xarray as xr

from jsuper.plots import neurons

W = np.array([[[0.0, 0.0, 2.0], [1.0, -3.0, 0.5]], [[-1.0, 0.5, 0.0], [0.2, 0.0, 1.0]]])


def dataset():
    return xr.Dataset({"W": (("density", "feature", "hidden"), W)}, {"density": [1.0, 0.1]})


def test_neurons_stand_in_the_order_of_their_main_feature():
    assert neurons.neuron_order(W[0]).tolist() == [2, 0, 1]


def pieces(panel):
    """Left, bottom, height and colour of each piece of the stacks."""
    (drawn,) = panel.collections
    for path, color in zip(drawn.get_paths(), drawn.get_facecolor(), strict=True):
        (left, bottom), (_, top) = path.vertices[:2]
        yield left, bottom, top - bottom, tuple(color)


def test_heights_of_the_stacks_are_sums_of_weights():
    figure = neurons.neuron_stacks(dataset())
    for panel, weights in zip(figure.axes[:2], W, strict=True):
        ordered = weights[:, neurons.neuron_order(weights)]
        tops, bottoms = np.zeros(3), np.zeros(3)
        for left, bottom, height, _ in pieces(panel):
            j, ends = round(left + 0.425), (bottom, bottom + height)
            tops[j], bottoms[j] = max(tops[j], *ends), min(bottoms[j], *ends)
        np.testing.assert_allclose(tops, np.maximum(ordered, 0).sum(0))
        np.testing.assert_allclose(bottoms, np.minimum(ordered, 0).sum(0))


def test_matrices_show_ordered_weights():
    figure = neurons.neuron_matrices(dataset())
    shown = figure.axes[1].images[0].get_array()
    np.testing.assert_allclose(shown, W[1][:, neurons.neuron_order(W[1])])


def test_best_seed_of_other_weights_is_drawn():
    ds = xr.Dataset({"W_in": (("seed", "feature", "hidden"), W), "loss": ("seed", [2, 1])})
    shown = neurons.neuron_matrices(ds, weights="W_in").axes[0].images[0].get_array()
    np.testing.assert_allclose(shown, W[1][:, neurons.neuron_order(W[1])])


def test_polysemanticity_colours_columns_alike():
    panel = neurons.neuron_stacks(dataset(), color="polysemanticity").axes[0]
    columns = {}
    for left, _, _, color in pieces(panel):
        columns.setdefault(round(left + 0.425), set()).add(color)
    assert all(len(colors) == 1 for colors in columns.values())
    assert columns[0] != columns[1]


def test_bad_arguments():
    with pytest.raises(ValueError, match="color must be feature or polysemanticity"):
        neurons.neuron_stacks(dataset(), color="red")
    with pytest.raises(ValueError, match="ds must have a variable W_in"):
        neurons.neuron_stacks(dataset(), weights="W_in")
