"""Figures of a sweep: pure functions from a dataset to a matplotlib Figure.

None of them trains, saves or changes its input, and none touches pyplot's state: save a
figure with ``figure.savefig(path)``. Colours follow the perceptually uniform maps that
colour-blind readers can tell apart. Axes that a figure does not show must be selected
first; the value selected stands above the figure.
"""

from jsuper.plots.animation import embedding_motion
from jsuper.plots.curves import loss_curves
from jsuper.plots.dimensionalities import FRACTIONS, dimensionality
from jsuper.plots.graphs import feature_graphs
from jsuper.plots.neurons import neuron_matrices, neuron_stacks
from jsuper.plots.phases import phase_map
from jsuper.plots.solutions import feature_phases
from jsuper.plots.weights import demonstration, embeddings

__all__ = [
    "FRACTIONS",
    "demonstration",
    "dimensionality",
    "embedding_motion",
    "embeddings",
    "feature_graphs",
    "feature_phases",
    "loss_curves",
    "neuron_matrices",
    "neuron_stacks",
    "phase_map",
]
